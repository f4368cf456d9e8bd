/* Installs a seccomp filter (seccomp(2)) that is made from lists of names.
 *
 * The program is a chain of comparisons, two instructions a call, without long jumps: a call in
 * the list is allowed, one with values is allowed where its first argument is one of them, a
 * fatal one ends the process, any other is EPERM and, where the kernel can, a line in the audit
 * log. What comes by another machine's calling convention (32-bit calls on a 64-bit kernel, x32)
 * ends the process: its numbers mean other calls.
 */
#include "seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "system_calls.h"

#if defined(__x86_64__) && !defined(__ILP32__)
#define MACHINE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000u
#elif defined(__i386__)
#define MACHINE AUDIT_ARCH_I386
#elif defined(__aarch64__) && defined(__AARCH64EB__)
#define MACHINE (AUDIT_ARCH_AARCH64 & ~(__u32)__AUDIT_ARCH_LE)
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#elif defined(__arm__) && defined(__ARMEB__)
#define MACHINE AUDIT_ARCH_ARMEB
#elif defined(__arm__)
#define MACHINE AUDIT_ARCH_ARM
#elif defined(__riscv) && __riscv_xlen == 64
#define MACHINE AUDIT_ARCH_RISCV64
#elif defined(__mips__) && !defined(__mips64) && defined(__MIPSEL__)
#define MACHINE AUDIT_ARCH_MIPSEL
#elif defined(__mips__) && !defined(__mips64)
#define MACHINE AUDIT_ARCH_MIPS
#endif

#ifndef SECCOMP_RET_KILL_PROCESS /* Linux 4.14 */
#define SECCOMP_RET_KILL_PROCESS 0x80000000u
#endif
#ifndef SECCOMP_FILTER_FLAG_LOG
#define SECCOMP_FILTER_FLAG_LOG 2u
#endif

enum { MOST_CALLS = 512, MOST_VALUES = 16, LONGEST = 4096 /* BPF_MAXINSNS */ };

struct program {
    unsigned short length;
    struct sock_filter code[LONGEST];
};

static const struct system_call *find_call(const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(system_calls) / sizeof(system_calls[0]); i++)
        if (strcmp(system_calls[i].name, name) == 0)
            return &system_calls[i];
    PyErr_Format(PyExc_ValueError, "no such system call: %s", name);
    return NULL;
}

/* Appends an instruction; the last one always has room. */
static void emit(struct program *p, unsigned short code, uint32_t k, uint8_t yes, uint8_t no)
{
    if (p->length < LONGEST)
        p->code[p->length++] = (struct sock_filter){code, yes, no, k};
}

static void emit_load(struct program *p, size_t offset)
{
    emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void emit_return(struct program *p, uint32_t action)
{
    emit(p, BPF_RET | BPF_K, action, 0, 0);
}

/* If the loaded word equals k, the next instruction, else the one after `skip` more. */
static void emit_if_equal(struct program *p, uint32_t k, uint8_t skip)
{
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, k, 0, skip);
}

/* Allow the call where the low half of its first argument is one of the values. */
static int emit_values(struct program *p, uint32_t number, PyObject *values)
{
    Py_ssize_t i, count = PyTuple_GET_SIZE(values);
    size_t low = offsetof(struct seccomp_data, args);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    low += sizeof(uint32_t);
#endif
    if (count > MOST_VALUES) {
        PyErr_SetString(PyExc_ValueError, "too many values of an argument");
        return -1;
    }
    emit_if_equal(p, number, (uint8_t)(2 * count + 2));
    emit_load(p, low);
    for (i = 0; i < count; i++) {
        unsigned long value = PyLong_AsUnsignedLong(PyTuple_GET_ITEM(values, i));

        if (value == (unsigned long)-1 && PyErr_Occurred())
            return -1;
        emit_if_equal(p, (uint32_t)value, 1);
        emit_return(p, SECCOMP_RET_ALLOW);
    }
    emit_return(p, SECCOMP_RET_ERRNO | EPERM);
    return 0;
}

/* One call: allowed (with values, if there are any), or fatal. */
static int emit_call(struct program *p, PyObject *name, PyObject *values, uint32_t action)
{
    const char *text = PyUnicode_AsUTF8(name);
    const struct system_call *call = text ? find_call(text) : NULL;

    if (!call)
        return -1;
    if (call->number == NO_SUCH_CALL)
        return 0;
    if (values && PyTuple_GET_SIZE(values) > 0)
        return emit_values(p, (uint32_t)call->number, values);
    emit_if_equal(p, (uint32_t)call->number, 1);
    emit_return(p, action);
    return 0;
}

static int emit_allowed(struct program *p, PyObject *allowed)
{
    PyObject *name, *values;
    Py_ssize_t position = 0;

    if (PyDict_GET_SIZE(allowed) > MOST_CALLS) {
        PyErr_SetString(PyExc_ValueError, "too many system calls");
        return -1;
    }
    while (PyDict_Next(allowed, &position, &name, &values)) {
        if (!PyTuple_Check(values)) {
            PyErr_SetString(PyExc_TypeError, "the values of a call must be a tuple");
            return -1;
        }
        if (emit_call(p, name, values, SECCOMP_RET_ALLOW) < 0)
            return -1;
    }
    return 0;
}

static int emit_fatal(struct program *p, PyObject *fatal)
{
    Py_ssize_t i;

    for (i = 0; i < PyTuple_GET_SIZE(fatal); i++)
        if (emit_call(p, PyTuple_GET_ITEM(fatal, i), NULL, SECCOMP_RET_KILL_PROCESS) < 0)
            return -1;
    return 0;
}

static int make_program(struct program *p, PyObject *allowed, PyObject *fatal)
{
#ifdef MACHINE
    emit_load(p, offsetof(struct seccomp_data, arch));
    emit(p, BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
#endif
    emit_load(p, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
    emit(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    emit_return(p, SECCOMP_RET_KILL_PROCESS);
#endif
    if (emit_fatal(p, fatal) < 0 || emit_allowed(p, allowed) < 0)
        return -1;
    emit_return(p, SECCOMP_RET_ERRNO | EPERM);
    if (p->length == LONGEST) {
        PyErr_SetString(PyExc_ValueError, "the filter is too long");
        return -1;
    }
    return 0;
}

/* Kernels before 4.14 know no logging of what is denied. */
static long install(struct program *p)
{
    struct sock_fprog filter = {p->length, p->code};
    long status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_LOG, &filter);

    if (status != 0 && errno == EINVAL)
        status = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
    return status;
}

PyDoc_STRVAR(restrict_calls_doc, "restrict_calls($module, allowed, fatal, /)\n--\n\n"
                                 "Let this process make the allowed system calls only.");

static PyObject *restrict_calls(PyObject *Py_UNUSED(module), PyObject *args)
{
    PyObject *allowed, *fatal;
    struct program *p;
    long status = -1;

    if (!PyArg_ParseTuple(args, "O!O!:restrict_calls", &PyDict_Type, &allowed, &PyTuple_Type,
                          &fatal))
        return NULL;
    p = PyMem_Calloc(1, sizeof(*p));
    if (!p)
        return PyErr_NoMemory();
    if (make_program(p, allowed, fatal) == 0) {
        status = install(p);
        if (status != 0)
            PyErr_SetFromErrno(PyExc_OSError);
    }
    PyMem_Free(p);
    if (status != 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"restrict_calls", restrict_calls, METH_VARARGS, restrict_calls_doc},
    {NULL, NULL, 0, NULL},
};

int seccomp_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
