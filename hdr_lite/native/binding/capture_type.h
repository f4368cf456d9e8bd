/* The Python type Capture over capture/capture.h. */
#ifndef HDR_LITE_CAPTURE_TYPE_H
#define HDR_LITE_CAPTURE_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

extern PyType_Spec capture_type_spec;

#endif
