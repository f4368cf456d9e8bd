/* What Python's sockets cannot do with a packet socket (packet(7)): bind it to no interface, for
 * Python looks up the name of one. */
#include "packet_socket.h"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

PyDoc_STRVAR(hear_everywhere_doc, "hear_everywhere($module, fd, protocol, /)\n--\n\n"
                                  "Bind a packet socket to all interfaces and that protocol.");

static PyObject *hear_everywhere(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct sockaddr_ll all = {.sll_family = AF_PACKET};
    int fd;
    unsigned short protocol;

    if (!PyArg_ParseTuple(args, "iH:hear_everywhere", &fd, &protocol))
        return NULL;
    all.sll_protocol = htons(protocol);
    if (bind(fd, (const void *)&all, sizeof all) < 0)
        return PyErr_SetFromErrno(PyExc_OSError);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"hear_everywhere", hear_everywhere, METH_VARARGS, hear_everywhere_doc},
    {NULL, NULL, 0, NULL},
};

int packet_socket_add(PyObject *module)
{
    return PyModule_AddFunctions(module, functions);
}
