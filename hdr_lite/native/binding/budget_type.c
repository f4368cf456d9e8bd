/* Budget: while one is entered, Python's memory and object requests are served from its heap.
 *
 * Python has one set of allocators for the process; ours wraps those that were there, once,
 * for the domains "mem" and "obj" (PyMem_SetAllocator allows wrapping after the start). The
 * struct below is the only static data that is written, as the hook has no other place to
 * find its heaps from. A block is known by its address: outside every heap's range it is the
 * previous allocator's.
 *
 * What a module made may live on in other hands, so a heap's range stays mapped for as long as
 * anything is in it, whatever becomes of its Budget. Callers hold the GIL, as the API asks.
 *
 * Whoever wraps allocators after us must unwrap before us, as always: tracemalloc, when it was
 * started before the first Budget and is stopped later, takes our hook away with it, and the next
 * free of a block of a heap ends the process. Started at any later time it does no harm.
 */
#include "budget_type.h"

#include <sys/mman.h>

#include "budget.h"
#include "add_type.h"

#define MOST_HEAPS 1024u

struct range {
    uintptr_t start, size;
    struct budget *heap;
    bool orphaned; /* its Budget is gone: it goes with the last block in it */
};

static struct {
    bool installed;
    struct budget *active;
    PyMemAllocatorEx mem, obj; /* those that we wrap; their addresses are our contexts */
    uint32_t count;
    uintptr_t lowest, span;          /* covers all ranges */
    struct range ranges[MOST_HEAPS]; /* by address */
} hook;

typedef struct {
    PyObject_HEAD struct budget *heap;
    Py_ssize_t limit;
} BudgetObject;

/* How many ranges start at or before an address. */
static uint32_t ranges_before(uintptr_t at)
{
    uint32_t low = 0, high = hook.count;

    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (hook.ranges[middle].start <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct range *range_of(const void *block)
{
    uintptr_t at = (uintptr_t)block;

    if (at - hook.lowest >= hook.span)
        return NULL;
    uint32_t before = ranges_before(at);
    if (before == 0 || at - hook.ranges[before - 1].start >= hook.ranges[before - 1].size)
        return NULL;
    return &hook.ranges[before - 1];
}

static void cover(void)
{
    const struct range *last = &hook.ranges[hook.count == 0 ? 0 : hook.count - 1];

    hook.lowest = hook.ranges[0].start;
    hook.span = hook.count == 0 ? 0 : last->start + last->size - hook.lowest;
}

static void add_range(struct range range)
{
    uint32_t at = ranges_before(range.start);

    memmove(&hook.ranges[at + 1], &hook.ranges[at], (hook.count - at) * sizeof range);
    hook.ranges[at] = range;
    hook.count++;
    cover();
}

static void remove_range(struct range *range)
{
    uint32_t behind = hook.count - (uint32_t)(range - hook.ranges) - 1;

    munmap((void *)range->start, range->size);
    memmove(range, range + 1, behind * sizeof *range);
    hook.count--;
    cover();
}

static void free_in(struct range *range, void *block)
{
    budget_free(range->heap, block);
    if (range->orphaned && budget_used(range->heap) == 0)
        remove_range(range);
}

static void *hook_malloc(void *context, size_t size)
{
    PyMemAllocatorEx *previous = context;

    if (hook.active != NULL)
        return budget_alloc(hook.active, size);
    return previous->malloc(previous->ctx, size);
}

static void *hook_calloc(void *context, size_t count, size_t size)
{
    PyMemAllocatorEx *previous = context;

    if (hook.active == NULL)
        return previous->calloc(previous->ctx, count, size);
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *block = budget_alloc(hook.active, count * size);
    return block == NULL ? NULL : memset(block, 0, count * size);
}

/* A block of a heap stays in it. Where it cannot, but somebody else than its module asks, it
 * moves out: the engine does not fail because a module has used up its budget. */
static void *hook_realloc(void *context, void *block, size_t size)
{
    PyMemAllocatorEx *previous = context;
    struct range *range = block == NULL ? NULL : range_of(block);

    if (block == NULL)
        return hook_malloc(context, size);
    if (range == NULL)
        return previous->realloc(previous->ctx, block, size);
    void *resized = budget_resize(range->heap, block, size);
    if (resized != NULL || range->heap == hook.active)
        return resized;
    resized = previous->malloc(previous->ctx, size);
    if (resized != NULL) {
        /* It failed to grow: what it holds is less. */
        memcpy(resized, block, budget_size(range->heap, block));
        free_in(range, block);
    }
    return resized;
}

static void hook_free(void *context, void *block)
{
    PyMemAllocatorEx *previous = context;
    struct range *range = range_of(block);

    if (range != NULL)
        free_in(range, block);
    else
        previous->free(previous->ctx, block);
}

static void wrap(PyMemAllocatorDomain domain, PyMemAllocatorEx *previous)
{
    PyMemAllocatorEx ours = {previous, hook_malloc, hook_calloc, hook_realloc, hook_free};

    PyMem_GetAllocator(domain, previous);
    PyMem_SetAllocator(domain, &ours);
}

static int install(void)
{
    if (PyInterpreterState_Get() != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_RuntimeError, "budgets are kept in the main interpreter only");
        return -1;
    }
    if (!hook.installed) {
        wrap(PYMEM_DOMAIN_MEM, &hook.mem);
        wrap(PYMEM_DOMAIN_OBJ, &hook.obj);
        hook.installed = true;
    }
    return 0;
}

/* Pages for twice the limit, so that the limit is reached before they are in too many pieces;
 * what is not used is not touched and costs nothing. */
static struct budget *map_heap(size_t limit)
{
    uint32_t pages = (uint32_t)(2 * limit / BUDGET_PAGE) + 64;
    size_t bytes = budget_bytes(pages);

    if (hook.count == MOST_HEAPS)
        PyGC_Collect(); /* some may be held by nothing but a circle */
    if (hook.count == MOST_HEAPS) {
        PyErr_Format(PyExc_RuntimeError, "there are %u budgets already", MOST_HEAPS);
        return NULL;
    }
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        PyErr_SetFromErrno(PyExc_OSError);
        return NULL;
    }
    struct budget *heap = budget_init(memory, pages, limit);
    add_range((struct range){.start = (uintptr_t)memory, .size = bytes, .heap = heap});
    return heap;
}

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"limit", NULL};
    Py_ssize_t limit;

    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "n", names, &limit))
        return NULL;
    if (limit < 1 || limit > (Py_ssize_t)(BUDGET_MOST_PAGES / 4) * (Py_ssize_t)BUDGET_PAGE)
        return PyErr_Format(PyExc_ValueError, "a budget of %zd bytes", limit);
    BudgetObject *self = (BudgetObject *)type->tp_alloc(type, 0);
    if (self == NULL)
        return NULL;
    self->limit = limit;
    if (install() < 0 || (self->heap = map_heap((size_t)limit)) == NULL)
        Py_CLEAR(self);
    return (PyObject *)self;
}

static void destroy(BudgetObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    struct budget *heap = self->heap;

    if (heap != NULL && hook.active == heap)
        hook.active = NULL;
    type->tp_free(self);
    struct range *range = heap == NULL ? NULL : range_of(heap);
    if (range != NULL) {
        range->orphaned = true;
        if (budget_used(heap) == 0)
            remove_range(range);
    }
    Py_DECREF(type);
}

static PyObject *enter(BudgetObject *self, PyObject *Py_UNUSED(ignored))
{
    if (hook.active != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "another budget is entered");
        return NULL;
    }
    hook.active = self->heap;
    Py_RETURN_NONE;
}

static PyObject *leave(BudgetObject *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *was = hook.active == self->heap ? Py_True : Py_False;

    if (was == Py_True)
        hook.active = NULL;
    return Py_NewRef(was);
}

static PyObject *get_used(BudgetObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(budget_used(self->heap));
}

static PyObject *get_peak(BudgetObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(budget_peak(self->heap));
}

static PyObject *get_limit(BudgetObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSsize_t(self->limit);
}

static PyObject *get_refused(BudgetObject *self, void *Py_UNUSED(closure))
{
    return PyLong_FromUnsignedLong(budget_refused(self->heap));
}

static PyMethodDef methods[] = {
    {"enter", (PyCFunction)enter, METH_NOARGS,
     "enter($self, /)\n--\n\nFrom here on Python's requests are served from this heap."},
    {"leave", (PyCFunction)leave, METH_NOARGS,
     "leave($self, /)\n--\n\nNo longer; whether this heap was entered."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef members[] = {
    {"used", (getter)get_used, NULL, "Bytes held.", NULL},
    {"peak", (getter)get_peak, NULL, "The most bytes that were held.", NULL},
    {"limit", (getter)get_limit, NULL, "The most bytes that may be held.", NULL},
    {"refused", (getter)get_refused, NULL, "Requests that were answered with MemoryError.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Budget(limit)\n--\n\nA heap of its own for a module, of at most so many bytes."},
    {Py_tp_new, create},
    {Py_tp_dealloc, destroy},
    {Py_tp_methods, methods},
    {Py_tp_getset, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "hdr_lite.native._native.Budget",
    .basicsize = sizeof(BudgetObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = slots,
};

int budget_type_add(PyObject *module)
{
    return native_add_type(module, &spec);
}
