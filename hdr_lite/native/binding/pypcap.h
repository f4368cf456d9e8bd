/* The pcap_t inside an object of pypcap, the Python module `pcap`. */
#ifndef HDR_LITE_PYPCAP_H
#define HDR_LITE_PYPCAP_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pcap/pcap.h>

/* NULL with ValueError set when the object is not one whose layout is known, or is closed. */
pcap_t *pypcap_handle(PyObject *object);

#endif
