/* What Python's sockets cannot do with a packet socket. */
#ifndef HDR_LITE_PACKET_SOCKET_H
#define HDR_LITE_PACKET_SOCKET_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Add the functions to the module; -1 with an exception set when that fails. */
int packet_socket_add(PyObject *module);

#endif
