/* The narrow capture: ARP, neighbour discovery and DHCP, which nftables' inet rules do not show.
 *
 * One packet socket bound to no interface, with a filter; frames are told apart by the index of
 * their interface. A frame that enters a bridge is seen on its port and on the bridge, a tagged
 * one on the trunk and on the VLAN's interface: only the latter of each is taken.
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

/* A socket of that kind, not blocking; -1 with errno: it needs CAP_NET_RAW. The kernel stamps
 * frames as they arrive for it, and with them what NFLOG shows. */
int narrow_open(void);
/* The next frame, if one waits, to the meter: 1; 0: none; -1: the socket broke. */
int narrow_read(int fd, struct interfaces *interfaces, struct narrow_counters *counters,
                struct meter *m, struct nflog_time time);

#endif
