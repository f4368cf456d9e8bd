/* The Python type Conntrack: what the kernel knows of connections (netlink/conntrack.h). */
#ifndef HDR_LITE_CONNTRACK_TYPE_H
#define HDR_LITE_CONNTRACK_TYPE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Make the type and add it to the module; -1 with an exception set when that fails. */
int conntrack_type_add(PyObject *module);

#endif
