/* What a process says to the kernel about itself and Python has no words for: prctl(2). */
#include "process.h"

#include <sys/prctl.h>

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

static PyMethodDef functions[] = {
    {"die_with_parent", die_with_parent, METH_O, die_with_parent_doc},
    {"set_title", set_title, METH_O, set_title_doc},
    {NULL, NULL, 0, NULL},
};

int process_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
