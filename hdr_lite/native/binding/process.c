/* What a process says to the kernel about itself and Python has no words for: prctl(2), capset(2),
 * adjtimex(2).
 *
 * A set of capabilities is an integer here, a bit for each number of capabilities(7).
 */
#include "process.h"

#include <errno.h>
#include <linux/capability.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

PyDoc_STRVAR(die_with_parent_doc,
             "die_with_parent($module, signal, /)\n--\n\n"
             "Have the kernel send this process a signal when the one that forked it ends.");

static PyObject *die_with_parent(PyObject *Py_UNUSED(module), PyObject *signal)
{
    long number = PyLong_AsLong(signal);

    if (number == -1 && PyErr_Occurred())
        return NULL;
    if (number < 1 || number > 64) {
        PyErr_SetString(PyExc_ValueError, "no such signal");
        return NULL;
    }
    if (prctl(PR_SET_PDEATHSIG, (unsigned long)number, 0, 0, 0) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(set_title_doc, "set_title($module, title, /)\n--\n\n"
                            "Name this process in ps and top; 15 bytes are kept.");

static PyObject *set_title(PyObject *Py_UNUSED(module), PyObject *title)
{
    const char *text = PyUnicode_AsUTF8(title);

    if (!text)
        return NULL;
    if (prctl(PR_SET_NAME, text, 0, 0, 0) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(trim_memory_doc, "trim_memory($module, /)\n--\n\n"
                              "Give the kernel back what libc keeps of freed memory.");

static PyObject *trim_memory(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
#ifdef __GLIBC__ /* musl keeps little and has no words for this */
    malloc_trim(0);
#endif
    Py_RETURN_NONE;
}

PyDoc_STRVAR(keep_capabilities_doc,
             "keep_capabilities($module, /)\n--\n\n"
             "Let the permitted capabilities outlive the change from root to another user.");

static PyObject *keep_capabilities(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

/* A set from Python; -1 with an exception set when it is none. */
static int take_set(PyObject *object, uint64_t *set)
{
    *set = PyLong_AsUnsignedLongLong(object);
    return *set == (uint64_t)-1 && PyErr_Occurred() ? -1 : 0;
}

PyDoc_STRVAR(limit_capabilities_doc,
             "limit_capabilities($module, bounding, /)\n--\n\n"
             "Take all but these out of the bounding set: nothing brings them back.");

static PyObject *limit_capabilities(PyObject *Py_UNUSED(module), PyObject *object)
{
    uint64_t bounding;
    unsigned long number;

    if (take_set(object, &bounding) < 0)
        return NULL;
    for (number = 0; number < 64; number++) {
        if (bounding >> number & 1)
            continue;
        if (prctl(PR_CAPBSET_READ, number, 0, 0, 0) < 0)
            break; /* the kernel knows no more */
        if (prctl(PR_CAPBSET_DROP, number, 0, 0, 0) != 0)
            return PyErr_SetFromErrno(PyExc_OSError);
    }
    Py_RETURN_NONE;
}

PyDoc_STRVAR(set_capabilities_doc,
             "set_capabilities($module, capabilities, /)\n--\n\n"
             "Have these, permitted and effective, and none that a program executed would get.");

static PyObject *set_capabilities(PyObject *Py_UNUSED(module), PyObject *object)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}, {0, 0, 0}};
    uint64_t set;

    if (take_set(object, &set) < 0)
        return NULL;
    data[0].effective = data[0].permitted = (uint32_t)set;
    data[1].effective = data[1].permitted = (uint32_t)(set >> 32);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (syscall(SYS_capset, &header, data) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forbid_new_privileges_doc,
             "forbid_new_privileges($module, /)\n--\n\n"
             "Set no_new_privs: no program that is executed gains anything by its file.");

static PyObject *forbid_new_privileges(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(is_clock_synchronised_doc,
             "is_clock_synchronised($module, /)\n--\n\n"
             "Whether the kernel was told that something keeps its clock right.");

static PyObject *is_clock_synchronised(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none))
{
    struct timex clock = {0}; /* no modes: nothing is set */

    /* Where one may not even ask, nobody knows. */
    return PyBool_FromLong(adjtimex(&clock) >= 0 && !(clock.status & STA_UNSYNC));
}

static PyMethodDef functions[] = {
    {"die_with_parent", die_with_parent, METH_O, die_with_parent_doc},
    {"forbid_new_privileges", forbid_new_privileges, METH_NOARGS, forbid_new_privileges_doc},
    {"is_clock_synchronised", is_clock_synchronised, METH_NOARGS, is_clock_synchronised_doc},
    {"keep_capabilities", keep_capabilities, METH_NOARGS, keep_capabilities_doc},
    {"limit_capabilities", limit_capabilities, METH_O, limit_capabilities_doc},
    {"set_capabilities", set_capabilities, METH_O, set_capabilities_doc},
    {"set_title", set_title, METH_O, set_title_doc},
    {"trim_memory", trim_memory, METH_NOARGS, trim_memory_doc},
    {NULL, NULL, 0, NULL},
};

int process_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
