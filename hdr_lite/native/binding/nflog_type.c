/* Nflog: reads an NFLOG socket and a packet socket into a Meter; converts and calls. The
 * descriptors stay the caller's. */
#include "nflog_type.h"

#include <errno.h>

#include "../netlink/narrow.h"
#include "../netlink/nflog.h"
#include "meter_type.h"
#include "add_type.h"

typedef struct {
    PyObject_HEAD int fd, narrow;
    struct nflog nflog;
    struct interfaces interfaces;
    struct narrow_counters frames;
    uint8_t buffer[NETLINK_DATAGRAM];
} NflogObject;

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "group", "narrow", NULL};
    int fd, group, narrow = -1;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "ii|i:Nflog", names, &fd, &group, &narrow))
        return NULL;
    if (group < 0 || group > UINT16_MAX) {
        PyErr_SetString(PyExc_ValueError, "the group must lie between 0 and 65535");
        return NULL;
    }
    NflogObject *self = (NflogObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->fd = fd;
    self->narrow = narrow;
    nflog_init(&self->nflog, (uint16_t)group, &self->interfaces);
    return (PyObject *)self;
}

static void destroy(NflogObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(add_interface_doc, "add_interface($self, name, /)\n--\n\n"
                                "Give the name the next number; False when there are too many.");

static PyObject *add_interface(NflogObject *self, PyObject *name)
{
    const char *text = PyUnicode_AsUTF8(name);
    if (text == NULL)
        return NULL;
    return PyBool_FromLong(interfaces_add(&self->interfaces, text));
}

PyDoc_STRVAR(leave_others_doc, "leave_others($self, /)\n--\n\n"
                               "The narrow capture takes what has a number by now, no others.");

static PyObject *leave_others(NflogObject *self, PyObject *Py_UNUSED(ignored))
{
    self->interfaces.watched = self->interfaces.count;
    Py_RETURN_NONE;
}

struct reading {
    struct meter *meter;
    unsigned limit;
    int64_t shift;
};

static int parse_reading(PyObject *args, PyObject *kwargs, struct reading *r)
{
    static char *names[] = {"meter", "limit", "shift", NULL};
    PyObject *meter;
    long long shift;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OIL", names, &meter, &r->limit, &shift))
        return -1;
    r->shift = shift;
    r->meter = meter_from(meter);
    return r->meter == NULL ? -1 : 0;
}

static struct nflog_time moment(int64_t shift)
{
    return (struct nflog_time){netlink_now() + (uint64_t)shift, shift};
}

/* Packets taken, or -1 with errno set. */
static long read_group(NflogObject *self, const struct reading *r)
{
    struct nflog *n = &self->nflog;
    struct cursor datagram;
    long taken = 0;
    while (taken < (long)r->limit) {
        switch (netlink_receive(self->fd, self->buffer, &datagram)) {
        case NETLINK_RECEIVED:
            taken += (long)nflog_take(n, r->meter, datagram, moment(r->shift));
            break;
        case NETLINK_NOTHING:
            return taken;
        case NETLINK_LOST:
            n->counters.overflows++;
            break;
        case NETLINK_FOREIGN:
            n->counters.foreign++;
            break;
        case NETLINK_FAILED:
            return -1;
        }
    }
    return taken;
}

static PyObject *count_or_error(long taken)
{
    return taken < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(taken);
}

PyDoc_STRVAR(read_doc, "read($self, /, meter, limit, shift)\n--\n\n"
                       "About limit packets of the group to the meter, at most; their number.");

static PyObject *read_packets(NflogObject *self, PyObject *args, PyObject *kwargs)
{
    struct reading r;
    long taken;
    if (parse_reading(args, kwargs, &r) < 0)
        return NULL;
    Py_BEGIN_ALLOW_THREADS taken = read_group(self, &r);
    Py_END_ALLOW_THREADS return count_or_error(taken);
}

PyDoc_STRVAR(read_narrow_doc, "read_narrow($self, /, meter, limit, shift)\n--\n\n"
                              "Up to limit frames of the narrow capture to the meter.");

static PyObject *read_frames(NflogObject *self, PyObject *args, PyObject *kwargs)
{
    struct reading r;
    long taken = 0;
    int one = 1;
    if (parse_reading(args, kwargs, &r) < 0)
        return NULL;
    while (self->narrow >= 0 && taken < (long)r.limit && one == 1) {
        one = narrow_read(self->narrow, &self->interfaces, &self->frames, r.meter, moment(r.shift));
        taken += one == 1;
    }
    return count_or_error(one < 0 ? -1 : taken);
}

PyDoc_STRVAR(interfaces_doc, "interfaces($self, /)\n--\n\n"
                             "Names in the order of the numbers that records have of them.");

static PyObject *list_interfaces(NflogObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *list = PyList_New(self->interfaces.count);
    for (uint16_t i = 0; list != NULL && i < self->interfaces.count; i++) {
        const char *name = self->interfaces.known[i].name;
        PyObject *text = PyUnicode_DecodeUTF8(name, (Py_ssize_t)strlen(name), "backslashreplace");
        if (text == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, text);
    }
    return list;
}

PyDoc_STRVAR(counters_doc, "counters($self, /)\n--\n\n"
                           "packets, lost, overflows, malformed, foreign; frames, copies of the\n"
                           "narrow capture.");

static PyObject *counters(NflogObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct nflog_counters *c = &self->nflog.counters;
    return Py_BuildValue("{sKsKsKsKsKsKsK}", "packets", (unsigned long long)c->packets, "lost",
                         (unsigned long long)c->lost, "overflows", (unsigned long long)c->overflows,
                         "malformed", (unsigned long long)c->malformed, "foreign",
                         (unsigned long long)c->foreign, "frames",
                         (unsigned long long)self->frames.packets, "copies",
                         (unsigned long long)self->frames.copies);
}

PyDoc_STRVAR(open_narrow_doc, "open_narrow()\n--\n\n"
                              "A descriptor for the narrow capture; OSError.");

static PyObject *open_narrow(PyObject *Py_UNUSED(type), PyObject *Py_UNUSED(ignored))
{
    int fd = narrow_open();
    return fd < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(fd);
}

static PyMethodDef methods[] = {
    {"open_narrow", (PyCFunction)open_narrow, METH_NOARGS | METH_STATIC, open_narrow_doc},
    {"add_interface", (PyCFunction)add_interface, METH_O, add_interface_doc},
    {"leave_others", (PyCFunction)leave_others, METH_NOARGS, leave_others_doc},
    {"read", (PyCFunction)(void (*)(void))read_packets, METH_VARARGS | METH_KEYWORDS, read_doc},
    {"read_narrow", (PyCFunction)(void (*)(void))read_frames, METH_VARARGS | METH_KEYWORDS,
     read_narrow_doc},
    {"interfaces", (PyCFunction)list_interfaces, METH_NOARGS, interfaces_doc},
    {"counters", (PyCFunction)counters, METH_NOARGS, counters_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc, "Nflog(fd, group, narrow=-1)\n--\n\n"
                       "First packets from an NFLOG group, and the narrow capture beside it.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)type_doc}, {Py_tp_new, create}, {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},      {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Nflog",
    .basicsize = sizeof(NflogObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int nflog_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
