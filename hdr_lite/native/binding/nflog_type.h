/* The Python type Nflog: first packets and the narrow capture (netlink/nflog.h, narrow.h). */
#ifndef HDR_LITE_NFLOG_TYPE_H
#define HDR_LITE_NFLOG_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Make the type and add it to the module; -1 with an exception set when that fails. */
int nflog_type_add(PyObject *module);

#endif
