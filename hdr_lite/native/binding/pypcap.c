/* The pcap_t inside an object of pypcap 1.3.0.
 *
 * pypcap's class is compiled by Cython and hands its pcap_t out by no method; it is the
 * first field of the instance (struct __pyx_obj_4pcap_pcap in the pcap.c of its sdist).
 * That is trusted only for that version of it, for an instance as large as that struct,
 * and when the handle found there answers as the object's own methods do.
 */
#include "pypcap.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Mirrors pypcap 1.3.0; read for its size and its first field alone. */
struct pypcap_object {
    PyObject_HEAD pcap_t *pcap;
    char *name, *filter;
    char error[256];
    int link_offset;
    double scale;
    long long scale_ns;
    int time_in_ns;
};

static bool attribute_is_text(PyObject *object, const char *name, const char *expected)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    bool same =
        value && PyUnicode_Check(value) && PyUnicode_CompareWithASCIIString(value, expected) == 0;

    Py_XDECREF(value);
    PyErr_Clear();
    return same;
}

/* Whether the attribute, called if it can be, is that number. */
static bool answers(PyObject *object, const char *name, long expected)
{
    PyObject *value = PyObject_GetAttrString(object, name);
    bool same = false;

    if (value && PyCallable_Check(value))
        Py_SETREF(value, PyObject_CallNoArgs(value));
    if (value && PyLong_Check(value))
        same = PyLong_AsLong(value) == expected;
    Py_XDECREF(value);
    PyErr_Clear();
    return same;
}

static bool known_type(PyObject *object)
{
    PyTypeObject *type = Py_TYPE(object);
    PyObject *modules = PyImport_GetModuleDict(); /* borrowed, as is the module in it */
    PyObject *module = PyDict_GetItemString(modules, "pcap");

    if (!module)
        return false;
    return type->tp_basicsize == (Py_ssize_t)sizeof(struct pypcap_object) &&
           type->tp_itemsize == 0 && attribute_is_text((PyObject *)type, "__name__", "pcap") &&
           attribute_is_text((PyObject *)type, "__module__", "pcap") &&
           attribute_is_text(module, "__version__", "1.3.0");
}

static int descriptor(pcap_t *pcap)
{
    FILE *file = pcap_file(pcap);
    return file ? fileno(file) : pcap_fileno(pcap);
}

pcap_t *pypcap_handle(PyObject *object)
{
    pcap_t *pcap;

    if (!known_type(object)) {
        PyErr_SetString(PyExc_ValueError, "not a pcap object of pypcap 1.3.0");
        return NULL;
    }
    pcap = ((struct pypcap_object *)(void *)object)->pcap;
    if (!pcap) {
        PyErr_SetString(PyExc_ValueError, "the pcap object is closed");
        return NULL;
    }
    if (!answers(object, "fileno", descriptor(pcap)) ||
        !answers(object, "snaplen", pcap_snapshot(pcap)) ||
        !answers(object, "datalink", pcap_datalink(pcap)) ||
        !answers(object, "precision", pcap_get_tstamp_precision(pcap))) {
        PyErr_SetString(PyExc_ValueError, "the pcap object is laid out in an unknown way");
        return NULL;
    }
    return pcap;
}
