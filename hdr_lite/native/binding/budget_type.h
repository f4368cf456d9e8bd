/* Budget: a module's own heap as a Python type, and the hook that serves Python from it. */
#ifndef HDR_LITE_BINDING_BUDGET_TYPE_H
#define HDR_LITE_BINDING_BUDGET_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

int budget_type_add(PyObject *module);

#endif
