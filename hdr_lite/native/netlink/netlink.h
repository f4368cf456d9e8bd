/* Netlink: messages and attributes of a datagram, and the calls that bring one.
 *
 * The kernel aligns messages and attributes to 4 bytes, lengths without the padding; headers are
 * in the machine's byte order, netfilter's values in the network's (netlink(7)). Everything is
 * read through core/cursor.h: what does not fit its length is told as bad, never read. Memory is
 * the caller's.
 */
#ifndef HDR_LITE_NETLINK_H
#define HDR_LITE_NETLINK_H

#include "cursor.h"

/* Room for any datagram: the kernel's dumps fill 32 kB at most, NFLOG's batches less. */
#define NETLINK_DATAGRAM 65536

enum netlink_step { NETLINK_END = 0, NETLINK_TAKEN, NETLINK_BAD };

/* Kinds of message that every family has. */
enum netlink_control { NETLINK_NOOP = 1, NETLINK_ERROR = 2, NETLINK_DONE = 3 };

struct netlink_message {
    uint16_t type, flags;
    uint32_t sequence, port;
    struct cursor body;
};

/* The next message of a datagram. */
enum netlink_step netlink_message(struct cursor *datagram, struct netlink_message *message);
/* The next attribute; the type comes without its flags (nested, byte order). */
enum netlink_step netlink_attribute(struct cursor *attributes, uint16_t *type,
                                    struct cursor *value);
/* The code of a NETLINK_ERROR message: 0 or an errno, negative as the kernel says it; false when
 * it is too short. */
bool netlink_error(const struct netlink_message *message, int *code);

/* Values in network order that fill their attribute exactly. */
bool netlink_u8(struct cursor value, uint8_t *out);
bool netlink_u16(struct cursor value, uint16_t *out);
bool netlink_u32(struct cursor value, uint32_t *out);
bool netlink_u64(struct cursor value, uint64_t *out);

enum netlink_receipt {
    NETLINK_RECEIVED = 0,
    NETLINK_NOTHING, /* no more now */
    NETLINK_LOST,    /* the socket's buffer had overflowed; go on receiving */
    NETLINK_FOREIGN, /* not from the kernel, or cut: to be ignored and counted */
    NETLINK_FAILED,
};

/* The wall clock, ns. */
uint64_t netlink_now(void);
/* A descriptor that polls readable each so many ns, and reading which settles that; -1. */
int netlink_timer(uint64_t interval);
void netlink_timer_settle(int fd);

/* One datagram into the buffer of NETLINK_DATAGRAM bytes, without waiting. */
enum netlink_receipt netlink_receive(int fd, uint8_t *buffer, struct cursor *datagram);

#endif
