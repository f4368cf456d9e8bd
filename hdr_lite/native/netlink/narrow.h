/* The narrow capture: ARP, neighbour discovery and DHCP, which nftables' inet rules do not show.
 *
 * One packet socket bound to no interface, with a filter that whoever opened it attached
 * (sources/nflog.py); frames are told apart by the index of their interface. A frame that enters
 * a bridge is seen on its port and on the bridge: the port's copy is left out.
 */
#ifndef HDR_LITE_NARROW_H
#define HDR_LITE_NARROW_H

#include "interfaces.h"
#include "meter.h"
#include "nflog.h"

struct narrow_counters {
    uint64_t packets;
    uint64_t copies; /* of a bridge's port */
};

/* Have the kernel stamp frames as they arrive: these, and with them what NFLOG shows. */
bool narrow_stamp(int fd);
/* The next frame, if one waits, to the meter: 1; 0: none; -1: the socket broke. */
int narrow_read(int fd, struct interfaces *interfaces, struct narrow_counters *counters,
                struct meter *m, struct nflog_time time);

#endif
