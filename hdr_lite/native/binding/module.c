/* hdr_lite.native._native: the module's start (PEP 489, multi-phase initialization).
 *
 * Everything lives in the module's state; nothing is static. Free threading is not
 * claimed: without the Py_mod_gil slot a free-threaded Python turns its lock on.
 */
#include "budget_type.h"
#include "capture_type.h"
#include "conntrack_type.h"
#include "meter_type.h"
#include "nflog_type.h"
#include "process.h"
#include "ring_type.h"
#include "seccomp.h"
#include "state.h"
#include "tally_type.h"

int native_add_type(PyObject *module, enum native_type which, PyType_Spec *spec)
{
    struct native_state *state = PyModule_GetState(module);
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    if (type == NULL)
        return -1;
    Py_XSETREF(state->types[which], (PyTypeObject *)type);
    return PyModule_AddType(module, state->types[which]);
}

PyTypeObject *native_type_of(PyObject *self, enum native_type which)
{
    struct native_state *state = PyType_GetModuleState(Py_TYPE(self));
    return state == NULL ? NULL : state->types[which];
}

static int native_exec(PyObject *module)
{
    /* One line a type, in the order of enum native_type. */
    static int (*const add[])(PyObject *) = {
        process_add,      seccomp_add,     ring_type_add,  meter_type_add,     tally_type_add,
        capture_type_add, budget_type_add, nflog_type_add, conntrack_type_add,
    };
    for (unsigned i = 0; i < sizeof add / sizeof add[0]; i++) {
        if (add[i] != NULL && add[i](module) < 0)
            return -1;
    }
    return 0;
}

static int native_traverse(PyObject *module, visitproc visit, void *arg)
{
    struct native_state *state = PyModule_GetState(module);
    for (unsigned i = 0; i < NATIVE_TYPES; i++)
        Py_VISIT(state->types[i]);
    return 0;
}

static int native_clear(PyObject *module)
{
    struct native_state *state = PyModule_GetState(module);
    for (unsigned i = 0; i < NATIVE_TYPES; i++)
        Py_CLEAR(state->types[i]);
    return 0;
}

static void native_free(void *module)
{
    native_clear(module);
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hdr_lite.native._native",
    .m_doc = "The C core as Python types; see _native.pyi.",
    .m_size = sizeof(struct native_state),
    .m_slots = native_slots,
    .m_traverse = native_traverse,
    .m_clear = native_clear,
    .m_free = native_free,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
