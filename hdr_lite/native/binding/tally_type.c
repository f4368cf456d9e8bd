/* Tally: converts and calls core/tally.c, and gives it memory. */
#include "tally_type.h"

#include <unistd.h>

#include "add_type.h"

typedef struct {
    PyObject_HEAD struct tally tally;
} TallyObject;

/* The raw allocator: counting goes on without the GIL. */
static uint64_t *take(uint32_t words)
{
    return PyMem_RawCalloc(words, sizeof(uint64_t));
}

static void give_back(uint64_t *words)
{
    PyMem_RawFree(words);
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"linktype", NULL};
    struct tally_memory memory = {take, give_back};
    uint64_t key[2];
    int linktype;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i", names, &linktype))
        return NULL;
    if (getentropy(key, sizeof key) != 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    TallyObject *self = (TallyObject *)type->tp_alloc(type, 0);
    if (self != NULL && !tally_init(&self->tally, linktype, key, memory)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void destroy(TallyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    tally_end(&self->tally);
    type->tp_free(self);
    Py_DECREF(type);
}

struct tally *tally_from(PyObject *object)
{
    /* The type cannot be subclassed, so that its destructor tells it. */
    if (Py_TYPE(object)->tp_dealloc != (destructor)destroy) {
        PyErr_Format(PyExc_TypeError, "a Tally is needed, not %.100s", Py_TYPE(object)->tp_name);
        return NULL;
    }
    return &((TallyObject *)object)->tally;
}

PyDoc_STRVAR(packet_doc, "packet($self, /, wire_length, data)\n--\n\n"
                         "Count one frame, of which data was captured.");

static PyObject *packet(TallyObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"wire_length", "data", NULL};
    long long wire_length;
    Py_buffer data;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Ly*", names, &wire_length, &data))
        return NULL;
    if (wire_length < data.len || wire_length > UINT32_MAX) {
        PyBuffer_Release(&data);
        PyErr_SetString(PyExc_ValueError, "wire_length out of range or less than the data");
        return NULL;
    }
    tally_packet(&self->tally, (uint32_t)wire_length, data.buf, (uint32_t)data.len);
    PyBuffer_Release(&data);
    Py_RETURN_NONE;
}

/* Put a count into a dict; false with an exception set. */
static int put(PyObject *dict, const char *name, uint64_t count)
{
    PyObject *value = PyLong_FromUnsignedLongLong(count);
    int result = value == NULL ? -1 : PyDict_SetItemString(dict, name, value);

    Py_XDECREF(value);
    return result;
}

PyDoc_STRVAR(facts_doc, "facts($self, /)\n--\n\n"
                        "Every count by name; uncounted is how often memory for distinct ones\n"
                        "had run out.");

static PyObject *facts(TallyObject *self, PyObject *Py_UNUSED(ignored))
{
    const struct tally_facts *f = &self->tally.facts;
    PyObject *dict = PyDict_New();

    if (dict == NULL)
        return NULL;
#define X(name)                                                                                    \
    if (put(dict, #name, f->name) < 0)                                                             \
        goto error;
    TALLY_FACTS(X)
#undef X
    return dict;
error:
    Py_DECREF(dict);
    return NULL;
}

PyDoc_STRVAR(events_doc, "events($self, /)\n--\n\n"
                         "How often each named malformed event was met, if it was.");

static PyObject *events(TallyObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *dict = PyDict_New();

    if (dict == NULL)
        return NULL;
    for (unsigned i = 0; i < EVENT_COUNT; i++) {
        uint64_t count = self->tally.events.count[i];
        if (count != 0 && put(dict, event_name((enum event)i), count) < 0) {
            Py_DECREF(dict);
            return NULL;
        }
    }
    return dict;
}

static PyObject *known(TallyObject *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(decode_knows(self->tally.linktype));
}

static PyGetSetDef attributes[] = {
    {"known", (getter)known, NULL, PyDoc_STR("whether frames of this link type are decoded"), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef methods[] = {
    {"packet", (PyCFunction)(void (*)(void))packet, METH_VARARGS | METH_KEYWORDS, packet_doc},
    {"facts", (PyCFunction)facts, METH_NOARGS, facts_doc},
    {"events", (PyCFunction)events, METH_NOARGS, events_doc},
    {NULL, NULL, 0, NULL},
};

PyDoc_STRVAR(type_doc, "Tally(linktype)\n--\n\n"
                       "Counts of what frames hold, in tshark's meaning.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)type_doc}, {Py_tp_new, create},        {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},      {Py_tp_getset, attributes}, {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Tally",
    .basicsize = sizeof(TallyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int tally_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
