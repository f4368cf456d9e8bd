/* The Python type Ring: one end of a ring in a memfd (core/ring.h). */
#ifndef HDR_LITE_RING_TYPE_H
#define HDR_LITE_RING_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "ring.h"

/* Make the type and add it to the module; -1 with an exception set when that fails. */
int ring_type_add(PyObject *module);

/* The ring of a Ring, for whoever writes it from C; NULL with TypeError when the object is none.
 * Lives as long as the object. */
struct ring *ring_type_get(PyObject *object);

#endif
