/* The Python type Meter: packets to records (core/meter.h). */
#ifndef HDR_LITE_METER_TYPE_H
#define HDR_LITE_METER_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "meter.h"

/* Make the type and add it to the module; -1 with an exception set when that fails. */
int meter_type_add(PyObject *module);

/* The meter of a Meter, for whoever feeds it from C, with or without the GIL as long as one thread
 * does; NULL with TypeError when the object is none. Lives as long as the object. */
struct meter *meter_from(PyObject *object);

#endif
