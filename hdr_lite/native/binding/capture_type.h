/* The Python type Capture over capture/capture.h. */
#ifndef HDR_LITE_CAPTURE_TYPE_H
#define HDR_LITE_CAPTURE_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Make the type and add it to the module; -1 with an exception set when that fails. */
int capture_type_add(PyObject *module);

#endif
