/* The Python type Tally: counts of what frames hold (core/tally.h). */
#ifndef HDR_LITE_TALLY_TYPE_H
#define HDR_LITE_TALLY_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "tally.h"

/* Make the type and add it to the module; -1 with an exception set when that fails. */
int tally_type_add(PyObject *module);

/* What a Tally counts in, for whoever feeds it from C, with or without the GIL as long as one
 * thread does; NULL with TypeError when the object is no Tally. Lives as long as the object. */
struct tally *tally_from(PyObject *object);

#endif
