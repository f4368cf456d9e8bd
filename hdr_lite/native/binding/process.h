/* Functions by which a process tells the kernel about itself. */
#ifndef HDR_LITE_PROCESS_H
#define HDR_LITE_PROCESS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Add the functions to the module; -1 with an exception set when that fails. */
int process_add(PyObject *module);

#endif
