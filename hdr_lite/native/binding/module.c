/* hdr_lite.native._native: the module's start (PEP 489, multi-phase initialization).
 *
 * The module has no state but its types. Free threading is not
 * claimed: without the Py_mod_gil slot a free-threaded Python turns its lock on.
 */
#include "add_type.h"
#include "budget_type.h"
#include "capture_type.h"
#include "conntrack_type.h"
#include "meter_type.h"
#include "nflog_type.h"
#include "packet_socket.h"
#include "process.h"
#include "ring_type.h"
#include "seccomp.h"
#include "tally_type.h"

int native_add_type(PyObject *module, PyType_Spec *spec)
{
    PyObject *type = PyType_FromModuleAndSpec(module, spec, NULL);
    int result = type == NULL ? -1 : PyModule_AddType(module, (PyTypeObject *)type);

    Py_XDECREF(type);
    return result;
}

static int native_exec(PyObject *module)
{
    static int (*const add[])(PyObject *) = {
        process_add,    packet_socket_add, seccomp_add,     ring_type_add,  meter_type_add,
        tally_type_add, capture_type_add,  budget_type_add, nflog_type_add, conntrack_type_add,
    };
    for (unsigned i = 0; i < sizeof add / sizeof add[0]; i++) {
        if (add[i](module) < 0)
            return -1;
    }
    return 0;
}

static PyModuleDef_Slot native_slots[] = {
    {Py_mod_exec, native_exec},
    {0, NULL},
};

static struct PyModuleDef native_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "hdr_lite.native._native",
    .m_doc = "The C core as Python types; see _native.pyi.",
    .m_slots = native_slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&native_module);
}
