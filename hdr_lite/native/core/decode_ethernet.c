/* Links of local networks: Ethernet II and 802.3 with LLC and SNAP (RFC 1042), Linux
 * cooked captures, loopback, ARCNET (RFC 1201, RFC 1051).
 */
#include "decode_internal.h"

enum next decode_ethernet(struct decode *d, struct cursor *c)
{
    struct packet *p = d->packet;
    uint8_t macs[12];

    if (!cursor_bytes(c, macs, sizeof macs))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    if (!p->has_mac && !d->quoting && p->kind == PACKET_OTHER) {
        p->has_mac = true;
        memcpy(p->dmac, macs, 6);
        memcpy(p->smac, macs + 6, 6);
    }
    return decode_ethertype(d, c);
}

enum next decode_ethertype(struct decode *d, struct cursor *c)
{
    uint16_t type;

    if (!cursor_u16(c, &type))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    if (type >= ETHERTYPE_LEAST)
        return next_of_ethertype(type);
    (void)decode_trim(d, c, type); /* a length that is too long still leaves LLC readable */
    return NEXT_LLC;
}

/* SNAP: an organisation and what its number means. */
enum next decode_snap(struct decode *d, struct cursor *c)
{
    uint32_t organisation;
    uint16_t type;

    if (!cursor_u24(c, &organisation) || !cursor_u16(c, &type))
        return decode_short(d, EVENT_LLC_TRUNCATED);
    switch (organisation) {
    case 0x000000: /* RFC 1042 */
    case 0x0000f8: /* 802.1H bridge tunnel */
        return next_of_ethertype(type);
    case 0x0080c2:                            /* bridged frames (RFC 2684) */
        if (type == 0x0001 || type == 0x0007) /* Ethernet, with and without its check sum */
            return NEXT_ETHERNET;
        return NEXT_NONE;
    default:
        return NEXT_NONE;
    }
}

enum next decode_llc(struct decode *d, struct cursor *c)
{
    uint8_t head[3];

    if (!cursor_bytes(c, head, sizeof head))
        return decode_short(d, EVENT_LLC_TRUNCATED);
    if (head[0] == 0xaa && head[1] == 0xaa && head[2] == 0x03)
        return NEXT_SNAP;
    if (head[0] == 0x06 && head[2] == 0x03) /* IP without SNAP */
        return NEXT_IPV4;
    return NEXT_NONE;
}

/* A source address of a cooked capture; the destination is not told. */
static void cooked_mac(struct packet *p, uint16_t hardware, uint16_t length, const uint8_t *mac)
{
    if (hardware != 1 || length != 6)
        return;
    p->has_mac = true;
    memcpy(p->smac, mac, 6);
    memset(p->dmac, 0, 6);
}

static enum next cooked_next(uint16_t hardware, uint16_t protocol)
{
    switch (hardware) {
    case 824: /* ARPHRD_NETLINK: the protocol is a netlink family */
        return NEXT_NONE;
    case 803: /* ARPHRD_IEEE80211_RADIOTAP */
        return NEXT_RADIOTAP;
    case 801: /* ARPHRD_IEEE80211 */
        return NEXT_WLAN;
    default:
        break;
    }
    if (protocol == 0x0004) /* LINUX_SLL_P_802_2 */
        return NEXT_LLC;
    return protocol >= ETHERTYPE_LEAST ? next_of_ethertype(protocol) : NEXT_NONE;
}

enum next decode_sll(struct decode *d, struct cursor *c)
{
    uint8_t h[16];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    cooked_mac(d->packet, be16(h + 2), be16(h + 4), h + 6);
    return cooked_next(be16(h + 2), be16(h + 14));
}

enum next decode_sll2(struct decode *d, struct cursor *c)
{
    uint8_t h[20];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    cooked_mac(d->packet, be16(h + 8), h[11], h + 12);
    return cooked_next(be16(h + 8), be16(h));
}

/* DLT_NULL holds the capturing machine's PF_ number in its byte order, DLT_LOOP the
 * same in network order. The values for IPv6 are those of Linux and of the BSDs. */
enum next decode_loopback(struct decode *d, struct cursor *c)
{
    uint32_t family;

    if (!cursor_u32(c, &family))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    if (family > 0xffff)
        family = (family >> 24) | ((family >> 8) & 0xff00);
    switch (family) {
    case 2:
        return NEXT_IPV4;
    case 10:
    case 23:
    case 24:
    case 28:
    case 30:
        return NEXT_IPV6;
    default:
        return family >= ETHERTYPE_LEAST ? next_of_ethertype((uint16_t)family) : NEXT_NONE;
    }
}

/* Source, destination, two bytes of Linux' own, and the system code. RFC 1201 splits
 * packets, of which we read those that are whole. */
enum next decode_arcnet(struct decode *d, struct cursor *c)
{
    uint8_t h[5];
    uint8_t split;

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    switch (h[4]) {
    case 0xf0: /* RFC 1051 */
        return NEXT_IPV4;
    case 0xf1:
        return NEXT_ARP;
    case 0xd4: /* RFC 1201 */
    case 0xd5:
        if (!cursor_u8(c, &split) || !cursor_skip(c, 2))
            return decode_short(d, EVENT_LINK_TRUNCATED);
        if (split != 0)
            return NEXT_NONE;
        return h[4] == 0xd4 ? NEXT_IPV4 : NEXT_ARP;
    default:
        return NEXT_NONE;
    }
}
