/* Conntrack: reads a conntrack socket into a Meter; converts and calls. The descriptors stay the
 * caller's. */
#include "conntrack_type.h"

#include <errno.h>

#include "../netlink/conntrack.h"
#include "meter_type.h"
#include "add_type.h"

typedef struct {
    PyObject_HEAD int fd;
    struct conntrack conntrack;
    uint8_t buffer[NETLINK_DATAGRAM];
} ConntrackObject;

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "delay", NULL};
    unsigned long long delay;
    int fd;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iK:Conntrack", names, &fd, &delay))
        return NULL;
    ConntrackObject *self = (ConntrackObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->fd = fd;
    conntrack_init(&self->conntrack, delay > UINT64_MAX / 4 ? UINT64_MAX / 4 : delay);
    return (PyObject *)self;
}

static void destroy(ConntrackObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    type->tp_free(self);
    Py_DECREF(type);
}

PyDoc_STRVAR(add_route_doc, "add_route($self, network, bits, watched, /)\n--\n\n"
                            "One more route behind those before; False when there are too many.");

static PyObject *add_route(ConntrackObject *self, PyObject *args)
{
    struct conntrack_route route = {.watched = false};
    const char *network;
    Py_ssize_t length;
    unsigned char bits;
    int watched;
    if (!PyArg_ParseTuple(args, "y#bp:add_route", &network, &length, &bits, &watched))
        return NULL;
    if (length != sizeof route.network || bits > 128) {
        PyErr_SetString(PyExc_ValueError, "a network has 16 bytes and at most 128 bits");
        return NULL;
    }
    memcpy(route.network, network, sizeof route.network);
    route.bits = bits;
    route.watched = watched != 0;
    return PyBool_FromLong(conntrack_add_route(&self->conntrack, &route));
}

static struct nflog_time moment(int64_t shift)
{
    return (struct nflog_time){netlink_now() + (uint64_t)shift, shift};
}

/* Messages taken, or -1 with errno set. */
static long read_socket(ConntrackObject *self, struct meter *m, unsigned limit, int64_t shift)
{
    struct conntrack *c = &self->conntrack;
    struct cursor datagram;
    long taken = 0;
    while (taken < (long)limit) {
        switch (netlink_receive(self->fd, self->buffer, &datagram)) {
        case NETLINK_RECEIVED:
            taken += (long)conntrack_take(c, m, datagram, moment(shift));
            break;
        case NETLINK_NOTHING:
            return taken;
        case NETLINK_LOST:
            c->counters.overflows++;
            break;
        case NETLINK_FOREIGN:
            c->counters.foreign++;
            break;
        case NETLINK_FAILED:
            return -1;
        }
    }
    return taken;
}

PyDoc_STRVAR(read_doc, "read($self, /, meter, limit, shift)\n--\n\n"
                       "About limit messages to the meter, at most; their number.");

static PyObject *read_messages(ConntrackObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"meter", "limit", "shift", NULL};
    PyObject *meter;
    unsigned int limit;
    long long shift;
    long taken;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OIL:read", names, &meter, &limit, &shift))
        return NULL;
    struct meter *m = meter_from(meter);
    if (m == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS taken = read_socket(self, m, limit, shift);
    Py_END_ALLOW_THREADS return taken < 0 ? PyErr_SetFromErrno(PyExc_OSError)
                                          : PyLong_FromLong(taken);
}

PyDoc_STRVAR(due_doc, "due($self, meter, shift, /)\n--\n\n"
                      "Questions to send on the socket now.");

static PyObject *due(ConntrackObject *self, PyObject *args)
{
    uint8_t out[16 * CONNTRACK_QUERY];
    PyObject *meter;
    long long shift;
    if (!PyArg_ParseTuple(args, "OL:due", &meter, &shift))
        return NULL;
    struct meter *m = meter_from(meter);
    if (m == NULL)
        return NULL;
    uint64_t now = netlink_now() + (uint64_t)shift;
    uint32_t length = conntrack_due(&self->conntrack, m, now, out, sizeof out);
    return PyBytes_FromStringAndSize((const char *)out, (Py_ssize_t)length);
}

PyDoc_STRVAR(counters_doc,
             "counters($self, /)\n--\n\n"
             "events, polled, answers, dumps, older, asked, refused, overflows, malformed,\n"
             "foreign.");

static PyObject *counters(ConntrackObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct conntrack_counters *c = &self->conntrack.counters;
    return Py_BuildValue(
        "{sKsKsKsKsKsKsKsKsKsK}", "events", (unsigned long long)c->events, "polled",
        (unsigned long long)c->polled, "answers", (unsigned long long)c->answers, "dumps",
        (unsigned long long)c->dumps, "older", (unsigned long long)c->older, "asked",
        (unsigned long long)c->asked, "refused", (unsigned long long)c->refused, "overflows",
        (unsigned long long)c->overflows, "malformed", (unsigned long long)c->malformed, "foreign",
        (unsigned long long)c->foreign);
}

PyDoc_STRVAR(timer_doc, "timer(interval, /)\n--\n\n"
                        "A descriptor that polls readable each so many ns.");

static PyObject *timer(PyObject *Py_UNUSED(type), PyObject *interval)
{
    unsigned long long value = PyLong_AsUnsignedLongLong(interval);
    if (value == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    int fd = netlink_timer(value);
    return fd < 0 ? PyErr_SetFromErrno(PyExc_OSError) : PyLong_FromLong(fd);
}

PyDoc_STRVAR(settle_doc, "settle(timer, /)\n--\n\n"
                         "Take note that the timer's descriptor was readable.");

static PyObject *settle(PyObject *Py_UNUSED(type), PyObject *timer_fd)
{
    long fd = PyLong_AsLong(timer_fd);
    if (fd == -1 && PyErr_Occurred())
        return NULL;
    netlink_timer_settle((int)fd);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"read", (PyCFunction)(void (*)(void))read_messages, METH_VARARGS | METH_KEYWORDS, read_doc},
    {"add_route", (PyCFunction)add_route, METH_VARARGS, add_route_doc},
    {"due", (PyCFunction)due, METH_VARARGS, due_doc},
    {"counters", (PyCFunction)counters, METH_NOARGS, counters_doc},
    {"timer", (PyCFunction)timer, METH_O | METH_STATIC, timer_doc},
    {"settle", (PyCFunction)settle, METH_O | METH_STATIC, settle_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc, "Conntrack(fd, delay)\n--\n\n"
                       "Conntrack's events, dumps and answers to the meter; delay ns after a\n"
                       "connection closed a question about its totals is due.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)type_doc}, {Py_tp_new, create}, {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},      {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Conntrack",
    .basicsize = sizeof(ConntrackObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int conntrack_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
