/* Meter: gives core/meter.c its memory and a ring to write to; converts and calls.
 *
 * The object holds a reference to its Ring, whose mapping the meter writes. One thread uses
 * both.
 */
#include "meter_type.h"

#include <unistd.h>

#include "ring_type.h"
#include "add_type.h"

typedef struct {
    PyObject_HEAD struct meter *meter;
    void *memory; /* where the meter lies, aligned */
    size_t bytes;
    PyObject *ring;
} MeterObject;

static bool sink_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                     uint32_t length)
{
    struct ring *ring = owner;
    if (ring_put(ring, kind, time, bytes, length) == RING_OK)
        return true;
    ring_count_drop(ring, kind);
    return false;
}

static bool sink_ready(void *owner)
{
    return ring_ready(owner);
}

/* A number of nanoseconds, or -1 with an exception set. */
static int ns_from(PyObject *object, void *out)
{
    unsigned long long value = PyLong_AsUnsignedLongLong(object);
    if (value == (unsigned long long)-1 && PyErr_Occurred())
        return 0;
    if (value > UINT64_MAX / 4) { /* so that sums of two never wrap */
        PyErr_SetString(PyExc_ValueError, "too many nanoseconds");
        return 0;
    }
    *(uint64_t *)out = value;
    return 1;
}

/* So that no product of it with core's factors passes 32 bits. */
#define COUNT_MOST (1ul << 22)

static int count_from(PyObject *object, void *out)
{
    unsigned long value = PyLong_AsUnsignedLong(object);
    if (value == (unsigned long)-1 && PyErr_Occurred())
        return 0;
    if (value == 0 || value > COUNT_MOST) {
        PyErr_Format(PyExc_ValueError, "a size must lie between 1 and %lu", COUNT_MOST);
        return 0;
    }
    *(uint32_t *)out = (uint32_t)value;
    return 1;
}

static int secret_from(PyObject *object, void *out)
{
    if (!PyBytes_Check(object) || PyBytes_GET_SIZE(object) != 16) {
        PyErr_SetString(PyExc_ValueError, "the secret must be 16 bytes");
        return 0;
    }
    memcpy(out, PyBytes_AS_STRING(object), 16);
    return 1;
}

struct arguments {
    PyObject *ring;
    unsigned int wanted;
    struct meter_settings settings;
};

static int parse(PyObject *args, PyObject *kwargs, struct arguments *a)
{
    static char *names[] = {"",
                            "wanted",
                            "wait",
                            "secret",
                            "flows",
                            "applications",
                            "sources",
                            "attempt_timeout",
                            "tcp_idle",
                            "udp_idle",
                            "icmp_idle",
                            "closed_linger",
                            "active_timeout",
                            "fold_after",
                            "fold_interval",
                            "first_packets",
                            NULL};
    struct meter_settings *s = &a->settings;
    int wait;
    if (!PyArg_ParseTupleAndKeywords(
            args, kwargs, "O$IpO&O&O&O&O&O&O&O&O&O&O&O&I:Meter", names, &a->ring, &a->wanted, &wait,
            secret_from, s->secret, count_from, &s->flows, count_from, &s->applications, count_from,
            &s->sources, ns_from, &s->attempt_timeout, ns_from, &s->tcp_idle, ns_from, &s->udp_idle,
            ns_from, &s->icmp_idle, ns_from, &s->closed_linger, ns_from, &s->active_timeout,
            count_from, &s->fold_after, ns_from, &s->fold_interval, &s->first_packets))
        return -1;
    s->wait = wait != 0;
    return 0;
}

static int start(MeterObject *self, struct arguments *a)
{
    struct ring *ring = ring_type_get(a->ring);
    if (ring == NULL)
        return -1;
    uint64_t bytes = meter_bytes(&a->settings);
    if (bytes < (uint64_t)PY_SSIZE_T_MAX - 63)
        self->memory = PyMem_RawCalloc(1, (size_t)bytes + 63);
    if (self->memory == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    self->bytes = (size_t)bytes;
    uintptr_t aligned = ((uintptr_t)self->memory + 63) & ~(uintptr_t)63;
    struct record_sink sink = {ring, sink_put, sink_ready, a->wanted};
    self->ring = Py_NewRef(a->ring);
    self->meter = meter_init((void *)aligned, &a->settings, sink);
    return 0;
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    struct arguments a;
    memset(&a, 0, sizeof a);
    if (parse(args, kwargs, &a) < 0)
        return NULL;
    if (getentropy(a.settings.hash_secret, sizeof a.settings.hash_secret) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    MeterObject *self = (MeterObject *)type->tp_alloc(type, 0);
    if (self != NULL && start(self, &a) < 0)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void destroy(MeterObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyMem_RawFree(self->memory);
    Py_XDECREF(self->ring);
    type->tp_free(self);
    Py_DECREF(type);
}

struct meter *meter_from(PyObject *object)
{
    /* The type cannot be subclassed, so that its destructor tells it. */
    if (Py_TYPE(object)->tp_dealloc != (destructor)destroy) {
        PyErr_Format(PyExc_TypeError, "a Meter is needed, not %.100s", Py_TYPE(object)->tp_name);
        return NULL;
    }
    return ((MeterObject *)object)->meter;
}

PyDoc_STRVAR(packet_doc, "packet($self, /, linktype, interface, ts, wire_length, data)\n--\n\n"
                         "One packet; False when the ring has no room and the meter waits.");

static PyObject *packet(MeterObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"linktype", "interface", "ts", "wire_length", "data", NULL};
    int linktype, interface;
    uint64_t ts;
    unsigned int wire_length;
    Py_buffer data;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "iiO&Iy*:packet", names, &linktype, &interface,
                                     ns_from, &ts, &wire_length, &data))
        return NULL;
    PyObject *result = NULL;
    if (interface < 0 || interface > UINT16_MAX || data.len > INT32_MAX)
        PyErr_SetString(PyExc_ValueError, "interface or length out of range");
    else
        result = PyBool_FromLong(meter_packet(self->meter, linktype, (uint16_t)interface, ts,
                                              wire_length, data.buf, (uint32_t)data.len));
    PyBuffer_Release(&data);
    return result;
}

PyDoc_STRVAR(advance_doc, "advance($self, now, /)\n--\n\n"
                          "Traffic time is at least now: end what is due. False: the ring has no\n"
                          "room; call again.");

static PyObject *advance(MeterObject *self, PyObject *now)
{
    uint64_t value;
    bool done;
    if (!ns_from(now, &value))
        return NULL;
    Py_BEGIN_ALLOW_THREADS done = meter_advance(self->meter, value);
    Py_END_ALLOW_THREADS return PyBool_FromLong(done);
}

PyDoc_STRVAR(flush_doc, "flush($self, /)\n--\n\n"
                        "End of input: every flow ends. False: the ring has no room; call again.");

static PyObject *flush(MeterObject *self, PyObject *Py_UNUSED(ignored))
{
    bool done;
    Py_BEGIN_ALLOW_THREADS done = meter_flush(self->meter);
    Py_END_ALLOW_THREADS return PyBool_FromLong(done);
}

/* Steals value. */
static int set_item(PyObject *dict, const char *name, PyObject *value)
{
    int result = value == NULL ? -1 : PyDict_SetItemString(dict, name, value);
    Py_XDECREF(value);
    return result;
}

static int set_count(PyObject *dict, const char *name, uint64_t count)
{
    return set_item(dict, name, PyLong_FromUnsignedLongLong(count));
}

static int set_by_kind(PyObject *dict, const struct meter_counters *c)
{
    static const char *const KINDS[] = {"CONN", "FATE",  "FLOW",  "FOLDED_FLOW", "ATTEMPTS",
                                        "DNS",  "HTTP",  "TLS",   "SSH",         "SSH_LOGIN",
                                        "ARP",  "CLOCK", "PROBES"};
    char name[32];
    for (unsigned i = 0; i < sizeof KINDS / sizeof KINDS[0]; i++) {
        PyOS_snprintf(name, sizeof name, "records.%s", KINDS[i]);
        if (set_count(dict, name, c->records[i + 1]) < 0)
            return -1;
        PyOS_snprintf(name, sizeof name, "dropped.%s", KINDS[i]);
        if (set_count(dict, name, c->dropped[i + 1]) < 0)
            return -1;
    }
    return 0;
}

PyDoc_STRVAR(counters_doc, "counters($self, /)\n--\n\n"
                           "Totals, by name; per kind as records.KIND and dropped.KIND.");

static PyObject *counters(MeterObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct meter_counters *c = meter_counters(self->meter);
    PyObject *dict = PyDict_New();
    if (dict == NULL)
        return NULL;
    if (set_count(dict, "packets", c->packets) < 0 || set_count(dict, "bytes", c->bytes) < 0 ||
        set_count(dict, "other_packets", c->other_packets) < 0 ||
        set_count(dict, "copied_packets", c->copied_packets) < 0 ||
        set_count(dict, "flows", c->flows) < 0 ||
        set_count(dict, "folded_flows", c->folded_flows) < 0 ||
        set_count(dict, "checkpoints", c->checkpoints) < 0 ||
        set_count(dict, "suppressed", c->suppressed) < 0 ||
        set_count(dict, "evicted_flows", c->evicted_flows) < 0 ||
        set_count(dict, "evicted_applications", c->evicted_applications) < 0 ||
        set_count(dict, "evicted_sources", c->evicted_sources) < 0 ||
        set_count(dict, "table_peak", c->table_peak) < 0 ||
        set_count(dict, "older_ended", c->older_ended) < 0 || set_by_kind(dict, c) < 0)
        Py_CLEAR(dict);
    return dict;
}

PyDoc_STRVAR(events_doc, "events($self, /)\n--\n\n"
                         "Named malformed events that were met, with their counts.");

static PyObject *events(MeterObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct events *e = meter_events(self->meter);
    PyObject *dict = PyDict_New();
    for (int i = 0; dict != NULL && i < EVENT_COUNT; i++) {
        if (e->count[i] > 0 && set_count(dict, event_name((enum event)i), e->count[i]) < 0)
            Py_CLEAR(dict);
    }
    return dict;
}

static PyObject *get_now(MeterObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(meter_now(self->meter));
}

static PyObject *get_flows(MeterObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(meter_flows(self->meter));
}

static PyObject *get_memory(MeterObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(self->bytes);
}

static PyMethodDef methods[] = {
    {"packet", (PyCFunction)(void (*)(void))packet, METH_VARARGS | METH_KEYWORDS, packet_doc},
    {"advance", (PyCFunction)advance, METH_O, advance_doc},
    {"flush", (PyCFunction)flush, METH_NOARGS, flush_doc},
    {"counters", (PyCFunction)counters, METH_NOARGS, counters_doc},
    {"events", (PyCFunction)events, METH_NOARGS, events_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef members[] = {
    {"now", (getter)get_now, NULL, "traffic time, ns", NULL},
    {"flows", (getter)get_flows, NULL, "flows in the table", NULL},
    {"memory", (getter)get_memory, NULL, "bytes held", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc,
             "Meter(ring, /, *, wanted, wait, secret, flows, applications, sources,\n"
             "attempt_timeout, tcp_idle, udp_idle, icmp_idle, closed_linger, active_timeout,\n"
             "fold_after, fold_interval, first_packets)\n--\n\n"
             "Packets to records in the ring. wanted: a bit per kind; times in ns.\n"
             "first_packets: of each side that a sampling source shows, 0: there is none.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)type_doc}, {Py_tp_new, create},     {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},      {Py_tp_getset, members}, {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Meter",
    .basicsize = sizeof(MeterObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int meter_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
