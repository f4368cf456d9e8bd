/* The system calls that a process may still make: a seccomp filter from lists of names. */
#ifndef HDR_LITE_SECCOMP_H
#define HDR_LITE_SECCOMP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Add the functions to the module; -1 with an exception set when that fails. */
int seccomp_add(PyObject *module);

#endif
