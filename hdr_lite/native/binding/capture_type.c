/* Capture: opens, reads and closes one capture/capture.h handle. Converts and calls, decides
 * nothing. A borrowed handle stays pypcap's; the object holds a reference to its owner and
 * looks the handle up again before each use, since the owner may close it. */
#include "capture_type.h"

#include <errno.h>

#include "../capture/capture.h"
#include "meter_type.h"
#include "pypcap.h"
#include "add_type.h"
#include "tally_type.h"

typedef struct {
    PyObject_HEAD struct capture capture;
    PyObject *owner; /* the pypcap object, or NULL */
} CaptureObject;

static PyObject *fail(enum capture_status status, const char *error)
{
    int number = status == CAPTURE_ABSENT      ? ENODEV
                 : status == CAPTURE_DOWN      ? ENETDOWN
                 : status == CAPTURE_FORBIDDEN ? EPERM
                                               : EIO;
    PyObject *arguments = Py_BuildValue("(is)", number, error);

    if (arguments)
        PyErr_SetObject(PyExc_OSError, arguments);
    Py_XDECREF(arguments);
    return NULL;
}

static CaptureObject *create(PyTypeObject *type)
{
    CaptureObject *self = (CaptureObject *)type->tp_alloc(type, 0);
    return self;
}

/* The handle if it can be read; NULL with ValueError when it is closed. */
static struct capture *usable(CaptureObject *self)
{
    if (!self->capture.pcap) {
        PyErr_SetString(PyExc_ValueError, "the capture is closed");
        return NULL;
    }
    if (self->owner && pypcap_handle(self->owner) != self->capture.pcap) {
        if (!PyErr_Occurred())
            PyErr_SetString(PyExc_ValueError, "the pcap object was opened anew");
        return NULL;
    }
    return &self->capture;
}

PyDoc_STRVAR(open_file_doc, "open_file(path, /)\n--\n\n"
                            "Open a capture file; OSError with libpcap's reason.");

static PyObject *open_file(PyTypeObject *type, PyObject *path)
{
    CaptureObject *self;
    PyObject *bytes;
    enum capture_status status;

    if (!PyUnicode_FSConverter(path, &bytes))
        return NULL;
    self = create(type);
    if (self) {
        status = capture_open_file(&self->capture, PyBytes_AS_STRING(bytes));
        if (status != CAPTURE_OK) {
            fail(status, self->capture.error);
            Py_CLEAR(self);
        }
    }
    Py_DECREF(bytes);
    return (PyObject *)self;
}

PyDoc_STRVAR(open_live_doc, "open_live(interface, snap_length, promiscuous, buffer)\n--\n\n"
                            "Open an interface for reading without blocking; OSError with errno\n"
                            "ENODEV, ENETDOWN, EPERM or EIO and libpcap's reason.");

static PyObject *open_live(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"interface", "snap_length", "promiscuous", "buffer", NULL};
    struct capture_live_options options;
    enum capture_status status;
    CaptureObject *self;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sipi", names, &options.interface,
                                     &options.snap_length, &options.promiscuous, &options.buffer))
        return NULL;
    self = create(type);
    if (!self)
        return NULL;
    Py_BEGIN_ALLOW_THREADS status = capture_open_live(&self->capture, &options);
    Py_END_ALLOW_THREADS if (status != CAPTURE_OK)
    {
        fail(status, self->capture.error);
        Py_CLEAR(self);
    }
    return (PyObject *)self;
}

PyDoc_STRVAR(borrow_doc, "borrow(handle, /)\n--\n\n"
                         "Read through the pcap_t of a pypcap object, which stays its owner.\n"
                         "ValueError: it is not one whose layout is known.");

static PyObject *borrow(PyTypeObject *type, PyObject *handle)
{
    pcap_t *pcap = pypcap_handle(handle);
    CaptureObject *self = pcap ? create(type) : NULL;

    if (!self)
        return NULL;
    capture_borrow(&self->capture, pcap);
    self->owner = Py_NewRef(handle);
    return (PyObject *)self;
}

PyDoc_STRVAR(set_filter_doc, "set_filter($self, filter, /)\n--\n\n"
                             "Let only packets through that match; OSError tells what is wrong.");

static PyObject *set_filter(CaptureObject *self, PyObject *filter)
{
    const char *text = PyUnicode_AsUTF8(filter);
    struct capture *capture = text ? usable(self) : NULL;
    enum capture_status status;

    if (!capture)
        return NULL;
    status = capture_set_filter(capture, text);
    if (status != CAPTURE_OK)
        return fail(status, capture->error);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(fileno_doc, "fileno($self, /)\n--\n\n"
                         "Descriptor that polls readable when packets wait; -1: none needed.");

static PyObject *file_descriptor(CaptureObject *self, PyObject *Py_UNUSED(ignored))
{
    struct capture *capture = usable(self);
    return capture ? PyLong_FromLong(pcap_get_selectable_fd(capture->pcap)) : NULL;
}

struct meter_target {
    struct meter *meter;
    int linktype;
    uint16_t interface;
};

static bool into_meter(void *owner, const struct capture_packet *p)
{
    const struct meter_target *t = owner;
    return meter_packet(t->meter, t->linktype, t->interface, p->time, p->wire_length, p->bytes,
                        p->captured_length);
}

static PyObject *read_batch(struct capture *capture, unsigned limit, long long shift,
                            capture_sink sink, void *owner)
{
    enum capture_status status;
    unsigned taken;

    Py_BEGIN_ALLOW_THREADS status = capture_read(capture, limit, shift, sink, owner, &taken);
    Py_END_ALLOW_THREADS if (status == CAPTURE_END)
    {
        PyErr_SetString(PyExc_EOFError, "the file is read to its end");
        return NULL;
    }
    return status == CAPTURE_OK ? PyLong_FromUnsignedLong(taken) : fail(status, capture->error);
}

PyDoc_STRVAR(feed_doc, "feed($self, meter, interface, limit, shift=0)\n--\n\n"
                       "Up to limit packets to the meter; their number. 0: none there now, or\n"
                       "the meter waits for room. EOFError at the end of a file, OSError where\n"
                       "the input breaks. shift (ns) is added to each packet's time.");

static PyObject *feed(CaptureObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"meter", "interface", "limit", "shift", NULL};
    struct meter_target target;
    struct capture *capture;
    PyObject *meter;
    int interface, limit;
    long long shift = 0;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Oii|L", names, &meter, &interface, &limit,
                                     &shift))
        return NULL;
    if (interface < 0 || interface > UINT16_MAX || limit < 0) {
        PyErr_SetString(PyExc_ValueError, "interface or limit out of range");
        return NULL;
    }
    target.meter = meter_from(meter);
    capture = target.meter ? usable(self) : NULL;
    if (!capture)
        return NULL;
    target.linktype = pcap_datalink(capture->pcap);
    target.interface = (uint16_t)interface;
    return read_batch(capture, (unsigned)limit, shift, into_meter, &target);
}

static bool into_tally(void *owner, const struct capture_packet *p)
{
    tally_packet(owner, p->wire_length, p->bytes, p->captured_length);
    return true;
}

PyDoc_STRVAR(tally_doc, "tally($self, tally, limit)\n--\n\n"
                        "Up to limit packets to the tally; their number. Errors as for feed.");

static PyObject *tally(CaptureObject *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"tally", "limit", NULL};
    struct capture *capture;
    PyObject *target;
    struct tally *into;
    int limit;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "Oi", names, &target, &limit))
        return NULL;
    into = tally_from(target);
    capture = into ? usable(self) : NULL;
    if (!capture)
        return NULL;
    return read_batch(capture, limit < 0 ? 0 : (unsigned)limit, 0, into_tally, into);
}

PyDoc_STRVAR(stats_doc, "stats($self, /)\n--\n\n"
                        "received, dropped by the kernel, dropped by the interface; zeros for a\n"
                        "file, which counts nothing.");

static PyObject *stats(CaptureObject *self, PyObject *Py_UNUSED(ignored))
{
    struct capture *capture = usable(self);
    struct pcap_stat counts = {0, 0, 0};

    if (!capture)
        return NULL;
    if (capture->live && pcap_stats(capture->pcap, &counts) < 0)
        return fail(CAPTURE_FAILED, pcap_geterr(capture->pcap));
    return Py_BuildValue("(III)", counts.ps_recv, counts.ps_drop, counts.ps_ifdrop);
}

PyDoc_STRVAR(position_doc, "position($self, /)\n--\n\n"
                           "Bytes of the file read so far; 0 for an interface.");

static PyObject *position(CaptureObject *self, PyObject *Py_UNUSED(ignored))
{
    struct capture *capture = usable(self);
    return capture ? PyLong_FromUnsignedLongLong(capture_position(capture)) : NULL;
}

PyDoc_STRVAR(close_doc, "close($self, /)\n--\n\n"
                        "Give the handle back; a borrowed one stays open.");

static PyObject *close_capture(CaptureObject *self, PyObject *Py_UNUSED(ignored))
{
    capture_close(&self->capture);
    Py_CLEAR(self->owner);
    Py_RETURN_NONE;
}

static PyObject *get_linktype(CaptureObject *self, void *Py_UNUSED(closure))
{
    struct capture *capture = usable(self);
    return capture ? PyLong_FromLong(pcap_datalink(capture->pcap)) : NULL;
}

static PyObject *get_linktype_name(CaptureObject *self, void *Py_UNUSED(closure))
{
    struct capture *capture = usable(self);
    const char *name = capture ? pcap_datalink_val_to_name(pcap_datalink(capture->pcap)) : NULL;

    if (!capture)
        return NULL;
    return name ? PyUnicode_FromString(name)
                : PyUnicode_FromFormat("DLT_%d", pcap_datalink(capture->pcap));
}

static int traverse(CaptureObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->owner);
    return 0;
}

static int clear(CaptureObject *self)
{
    capture_close(&self->capture);
    Py_CLEAR(self->owner);
    return 0;
}

static void dealloc(CaptureObject *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    (void)clear(self);
    type->tp_free(self);
    Py_DECREF(type);
}

#define METHOD(name, function, flags)                                                              \
    {#name, (PyCFunction)(void (*)(void))(function), flags, name##_doc}

static PyMethodDef methods[] = {
    METHOD(open_file, open_file, METH_O | METH_CLASS),
    METHOD(open_live, open_live, METH_VARARGS | METH_KEYWORDS | METH_CLASS),
    METHOD(borrow, borrow, METH_O | METH_CLASS),
    METHOD(set_filter, set_filter, METH_O),
    METHOD(fileno, file_descriptor, METH_NOARGS),
    METHOD(feed, feed, METH_VARARGS | METH_KEYWORDS),
    METHOD(tally, tally, METH_VARARGS | METH_KEYWORDS),
    METHOD(stats, stats, METH_NOARGS),
    METHOD(position, position, METH_NOARGS),
    METHOD(close, close_capture, METH_NOARGS),
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef members[] = {
    {"linktype", (getter)get_linktype, NULL, "libpcap's number of the link type (DLT)", NULL},
    {"linktype_name", (getter)get_linktype_name, NULL, "libpcap's name of it", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyDoc_STRVAR(type_doc, "A libpcap handle that C reads; made by open_file, open_live or borrow.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)type_doc},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_dealloc, dealloc},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Capture",
    .basicsize = sizeof(CaptureObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = slots,
};

int capture_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
