/* Numbers of interfaces (interfaces.h). A look-up costs system calls, once for each index. */
#include "interfaces.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_bridge_port(const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/sys/class/net/%.*s/brport", INTERFACE_NAME, name);
    return access(path, F_OK) == 0;
}

static struct interface *named(struct interfaces *all, const char *name)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (strncmp(all->known[i].name, name, INTERFACE_NAME) == 0)
            return &all->known[i];
    }
    return NULL;
}

bool interfaces_add(struct interfaces *all, const char *name)
{
    if (named(all, name) != NULL)
        return true;
    if (all->count == INTERFACES_MOST)
        return false;
    struct interface *new = &all->known[all->count++];
    memset(new, 0, sizeof *new);
    snprintf(new->name, sizeof new->name, "%s", name);
    return true;
}

/* The kernel's name of it; one made up when it is gone again already, or may not be asked for. */
static void name_of(uint32_t index, char name[IF_NAMESIZE])
{
    if (if_indextoname(index, name) == NULL)
        snprintf(name, IF_NAMESIZE, "#%lu", (unsigned long)index);
}

uint16_t interfaces_number(struct interfaces *all, uint32_t index, bool *port)
{
    char name[IF_NAMESIZE];
    struct interface *found = NULL;
    for (unsigned i = 0; i < all->count && found == NULL; i++) {
        if (all->known[i].index == index)
            found = &all->known[i];
    }
    if (found == NULL) {
        name_of(index, name);
        if (!interfaces_add(all, name))
            return INTERFACE_OTHER;
        found = named(all, name);
        found->index = index;
        found->port = is_bridge_port(name);
    }
    if (port != NULL)
        *port = found->port;
    return (uint16_t)(found - all->known);
}

bool interfaces_watched(const struct interfaces *all, uint16_t number)
{
    return all->watched == 0 || number < all->watched;
}
