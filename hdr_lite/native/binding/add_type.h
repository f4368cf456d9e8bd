/* How every type of the module is published. */
#ifndef HDR_LITE_BINDING_ADD_TYPE_H
#define HDR_LITE_BINDING_ADD_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Make the type and publish it in the module under its own name.
 * 0, or -1 with an exception set. */
int native_add_type(PyObject *module, PyType_Spec *spec);

#endif
