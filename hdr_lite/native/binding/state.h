/* The module's state: its types, made when the module is, one set per interpreter. */
#ifndef HDR_LITE_BINDING_STATE_H
#define HDR_LITE_BINDING_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

enum native_type {
    NATIVE_RING = 0,
    NATIVE_METER,
    NATIVE_TALLY,
    NATIVE_CAPTURE,
    NATIVE_BUDGET,
    NATIVE_NFLOG,
    NATIVE_CONNTRACK,
    NATIVE_TYPES
};

struct native_state {
    PyTypeObject *types[NATIVE_TYPES]; /* owned; NULL until added */
};

/* Make the type, publish it in the module under its own name and keep it in the state.
 * 0, or -1 with an exception set. */
int native_add_type(PyObject *module, enum native_type which, PyType_Spec *spec);
/* The type, borrowed, as found from an object of any of our types. */
PyTypeObject *native_type_of(PyObject *self, enum native_type which);

#endif
