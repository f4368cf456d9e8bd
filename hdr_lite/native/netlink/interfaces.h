/* Interfaces by number: what the kernel calls 17 today and 23 after a redial keeps its number.
 *
 * A number stands for a name, in the order in which names were first met or given. Indices are
 * looked up once; an interface that was made anew under its name has a new index and gets the
 * old number back.
 */
#ifndef HDR_LITE_INTERFACES_H
#define HDR_LITE_INTERFACES_H

#include <stdbool.h>
#include <stdint.h>

#define INTERFACES_MOST 64
#define INTERFACE_NAME 16
/* What is told of an interface beyond that many. */
#define INTERFACE_OTHER UINT16_MAX

struct interface {
    uint32_t index;
    char name[INTERFACE_NAME];
    bool port; /* of a bridge: its frames are seen on the bridge, too */
};

struct interfaces {
    struct interface known[INTERFACES_MOST];
    uint16_t count;
    uint16_t watched; /* so many, the first, are all that is wanted; 0: any is */
};

/* Make room for a name, without an index as yet; false when there is none. */
bool interfaces_add(struct interfaces *all, const char *name);
/* The number of the interface of that index. *port, when asked for: it is a bridge's. */
uint16_t interfaces_number(struct interfaces *all, uint32_t index, bool *port);
/* Whether the interface of that number is wanted. */
bool interfaces_watched(const struct interfaces *all, uint16_t number);

#endif
