/* Ring: maps a memfd, converts and calls core/ring.c.
 *
 * The memfd must be sealed against shrinking, or another process could make our reads and writes
 * of the mapping a SIGBUS. The object owns its mapping, not the descriptor. One thread uses it.
 */
#include "ring_type.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "add_type.h"

typedef struct {
    PyObject_HEAD struct ring ring;
    void *memory;
    uint32_t bytes;
    uint8_t buffer[RECORD_MAX]; /* the record being read */
} RingObject;

static int refuse(const char *reason)
{
    PyErr_SetString(PyExc_ValueError, reason);
    return -1;
}

static int fail(void)
{
    PyErr_SetFromErrno(PyExc_OSError);
    return -1;
}

static int map(RingObject *self, int fd)
{
    struct stat status;
    int seals = fcntl(fd, F_GET_SEALS);

    if (fstat(fd, &status) != 0)
        return fail();
    if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW))
        return refuse("a ring's memory must be a memfd of sealed size");
    if (status.st_size <= 0 || status.st_size > (off_t)ring_bytes(RING_MOST_CAPACITY))
        return refuse("no size of a ring");
    void *memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        return fail();
    self->memory = memory;
    self->bytes = (uint32_t)status.st_size;
    return 0;
}

static int attach(RingObject *self, int format)
{
    if (format && ring_format(self->memory, self->bytes) != RING_OK)
        return refuse("no size of a ring");
    if (ring_attach(self->memory, self->bytes, &self->ring) != RING_OK)
        return refuse("the memory holds no ring, or a corrupt one");
    return 0;
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"fd", "format", NULL};
    int fd, format = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "i|p", names, &fd, &format))
        return NULL;
    RingObject *self = (RingObject *)type->tp_alloc(type, 0);
    if (self != NULL && (map(self, fd) < 0 || attach(self, format) < 0))
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void destroy(RingObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    if (self->memory != NULL)
        munmap(self->memory, self->bytes);
    type->tp_free(self);
    Py_DECREF(type);
}

struct ring *ring_type_get(PyObject *object)
{
    /* The type cannot be subclassed, so that its destructor tells it. */
    if (Py_TYPE(object)->tp_dealloc != (destructor)destroy) {
        PyErr_Format(PyExc_TypeError, "a Ring is needed, not %.100s", Py_TYPE(object)->tp_name);
        return NULL;
    }
    return &((RingObject *)object)->ring;
}

PyDoc_STRVAR(size_for_doc, "size_for(capacity, /)\n--\n\n"
                           "Bytes that a memfd needs for that much data.");

static PyObject *size_for(PyObject *Py_UNUSED(type), PyObject *capacity)
{
    unsigned long value = PyLong_AsUnsignedLong(capacity);

    if (value == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromUnsignedLong(ring_bytes(value < UINT32_MAX ? (uint32_t)value : UINT32_MAX));
}

PyDoc_STRVAR(put_doc, "put($self, kind, time, body, /)\n--\n\n"
                      "Append a record; False (and counted) when it does not fit now.\n"
                      "ValueError: it never will, or there is no such kind.");

static PyObject *put(RingObject *self, PyObject *const *args, Py_ssize_t count)
{
    char *body;
    Py_ssize_t length;

    if (count != 3) {
        PyErr_SetString(PyExc_TypeError, "put() takes kind, time and body");
        return NULL;
    }
    long kind = PyLong_AsLong(args[0]);
    if (kind == -1 && PyErr_Occurred())
        return NULL;
    unsigned long long time = PyLong_AsUnsignedLongLong(args[1]);
    if (time == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    if (PyBytes_AsStringAndSize(args[2], &body, &length) < 0)
        return NULL;
    if (kind < 1 || kind >= RECORD_KINDS || length > RECORD_MAX)
        return PyErr_Format(PyExc_ValueError, "no record: kind %ld, %zd bytes", kind, length);
    switch (ring_put(&self->ring, (enum record_kind)kind, time, (const uint8_t *)body,
                     (uint32_t)length)) {
    case RING_OK:
        Py_RETURN_TRUE;
    case RING_FULL:
        ring_count_drop(&self->ring, (enum record_kind)kind);
        Py_RETURN_FALSE;
    default:
        return PyErr_Format(PyExc_ValueError, "the ring is too small for %zd bytes", length);
    }
}

PyDoc_STRVAR(ready_doc, "ready($self, /)\n--\n\n"
                        "Whether a burst of records would fit.");

static PyObject *ready(RingObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(ring_ready(&self->ring));
}

static PyObject *as_tuple(const struct ring_view *view, const uint8_t *body)
{
    PyObject *items[4] = {
        PyLong_FromUnsignedLongLong(view->number),
        PyLong_FromUnsignedLong(view->kind),
        PyLong_FromUnsignedLongLong(view->time),
        PyBytes_FromStringAndSize((const char *)body, (Py_ssize_t)view->length),
    };
    PyObject *tuple = PyTuple_New(4);

    if (tuple != NULL && items[0] != NULL && items[1] != NULL && items[2] != NULL &&
        items[3] != NULL) {
        for (Py_ssize_t i = 0; i < 4; i++)
            PyTuple_SET_ITEM(tuple, i, items[i]);
        return tuple;
    }
    for (int i = 0; i < 4; i++)
        Py_XDECREF(items[i]);
    Py_XDECREF(tuple);
    return NULL;
}

/* Append the next record if its kind is in the mask; 1, 0 when there is none (or none before a
 * corrupt one), -1 when an exception is set. */
static int take_next(RingObject *self, uint32_t mask, PyObject *list)
{
    struct ring_view view;
    enum ring_result result =
        ring_next(&self->ring, mask, &view, self->buffer, sizeof self->buffer);

    if (result == RING_EMPTY || (result == RING_CORRUPT && PyList_GET_SIZE(list) > 0))
        return 0;
    if (result != RING_OK)
        return refuse("the ring is corrupt");
    if (!((mask >> view.kind) & 1u))
        return 1;
    PyObject *tuple = as_tuple(&view, self->buffer);
    int appended = tuple == NULL ? -1 : PyList_Append(list, tuple);
    Py_XDECREF(tuple);
    return appended < 0 ? -1 : 1;
}

PyDoc_STRVAR(read_doc,
             "read($self, limit, mask, most=4294967295, /)\n--\n\n"
             "Up to limit records (number, kind, time, body) of the kinds in mask.\n\n"
             "It also stops as soon as `most` bytes are held. What was read stays in the\n"
             "ring until commit. ValueError: the ring is corrupt.");

static PyObject *read_records(RingObject *self, PyObject *args)
{
    struct ring before = self->ring;
    Py_ssize_t limit;
    unsigned int mask, most = UINT32_MAX;
    int more = 1;

    if (!PyArg_ParseTuple(args, "nI|I", &limit, &mask, &most))
        return NULL;
    PyObject *list = PyList_New(0);
    if (list == NULL)
        return NULL;
    while (more == 1 && PyList_GET_SIZE(list) < limit && ring_held(&self->ring) < most)
        more = take_next(self, mask, list);
    if (more < 0) {
        self->ring = before; /* what was read is lost to the caller: it is read again */
        Py_CLEAR(list);
    }
    return list;
}

PyDoc_STRVAR(commit_doc, "commit($self, /)\n--\n\n"
                         "Give back the space of all that was read.");

static PyObject *commit(RingObject *self, PyObject *Py_UNUSED(ignored))
{
    ring_commit(&self->ring);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(pending_doc, "pending($self, /)\n--\n\n"
                          "Whether there is more to read.");

static PyObject *pending(RingObject *self, PyObject *Py_UNUSED(ignored))
{
    return PyBool_FromLong(ring_pending(&self->ring));
}

PyDoc_STRVAR(announce_sleep_doc,
             "announce_sleep($self, producer, /)\n--\n\n"
             "Say that this side (the producer, or else the consumer) is about to sleep.");

static PyObject *announce_sleep(RingObject *self, PyObject *producer)
{
    int side = PyObject_IsTrue(producer);

    if (side < 0)
        return NULL;
    ring_announce_sleep(&self->ring, side);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(wants_wake_doc, "wants_wake($self, producer, /)\n--\n\n"
                             "Whether that side had announced its sleep; asked once.");

static PyObject *wants_wake(RingObject *self, PyObject *producer)
{
    int side = PyObject_IsTrue(producer);

    return side < 0 ? NULL : PyBool_FromLong(ring_wants_wake(&self->ring, side));
}

static PyObject *get_used(RingObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(ring_used(&self->ring));
}

static PyObject *get_held(RingObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(ring_held(&self->ring));
}

static PyObject *get_capacity(RingObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(self->ring.capacity);
}

static PyObject *get_number(RingObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLongLong(self->ring.next_number);
}

static PyObject *get_dropped(RingObject *self, void *Py_UNUSED(closure))
{
    PyObject *tuple = PyTuple_New(RECORD_KINDS);

    for (int kind = 0; tuple != NULL && kind < RECORD_KINDS; kind++) {
        PyObject *count =
            PyLong_FromUnsignedLong(ring_dropped(&self->ring, (enum record_kind)kind));
        if (count == NULL)
            Py_CLEAR(tuple);
        else
            PyTuple_SET_ITEM(tuple, kind, count);
    }
    return tuple;
}

static PyMethodDef methods[] = {
    {"size_for", size_for, METH_O | METH_STATIC, size_for_doc},
    {"put", (PyCFunction)(void (*)(void))put, METH_FASTCALL, put_doc},
    {"ready", (PyCFunction)ready, METH_NOARGS, ready_doc},
    {"read", (PyCFunction)read_records, METH_VARARGS, read_doc},
    {"commit", (PyCFunction)commit, METH_NOARGS, commit_doc},
    {"pending", (PyCFunction)pending, METH_NOARGS, pending_doc},
    {"announce_sleep", (PyCFunction)announce_sleep, METH_O, announce_sleep_doc},
    {"wants_wake", (PyCFunction)wants_wake, METH_O, wants_wake_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef members[] = {
    {"used", (getter)get_used, NULL, "bytes put and not committed", NULL},
    {"held", (getter)get_held, NULL, "bytes that this end has read and not committed", NULL},
    {"capacity", (getter)get_capacity, NULL, "bytes of data", NULL},
    {"number", (getter)get_number, NULL, "of the record that this end puts next", NULL},
    {"dropped", (getter)get_dropped, NULL, "records that found no room, by kind", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc, "Ring(fd, format=False)\n--\n\n"
                       "One end of the ring in a memfd of sealed size.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)type_doc}, {Py_tp_new, create},     {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},      {Py_tp_getset, members}, {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Ring",
    .basicsize = sizeof(RingObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int ring_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
