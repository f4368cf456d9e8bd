/* Tunnels: GRE (RFC 2784, 2890; version 1 of RFC 2637), EtherIP (RFC 3378), and over
 * UDP VXLAN (RFC 7348), Geneve (RFC 8926), Teredo (RFC 4380), GTP-U (3GPP TS 29.281),
 * L2TP (RFC 2661) and AYIYA.
 *
 * What lies on a tunnel's port need not be one: whoever does not find its own header
 * there leaves the UDP flow as it is, without a defect.
 */
#include "decode_internal.h"

#define GRE_CHECKSUM 0x8000u
#define GRE_ROUTING 0x4000u
#define GRE_KEY 0x2000u
#define GRE_SEQUENCE 0x1000u
#define GRE_ACKNOWLEDGE 0x0080u
#define GRE_VERSION 0x0007u

static enum next udp_port_next(uint16_t port)
{
    switch (port) {
    case 4789:
    case 8472: /* Linux, before the port was assigned */
        return NEXT_VXLAN;
    case 6081:
        return NEXT_GENEVE;
    case 2152: /* version 1 */
    case 3386: /* version 0 */
        return NEXT_GTP;
    case 3544:
        return NEXT_TEREDO;
    case 1701:
        return NEXT_L2TP;
    case 5072:
        return NEXT_AYIYA;
    case 5247:
        return NEXT_CAPWAP;
    default:
        return NEXT_NONE;
    }
}

enum next next_of_udp_ports(uint16_t sport, uint16_t dport)
{
    enum next next = udp_port_next(dport);

    return next == NEXT_NONE ? udp_port_next(sport) : next;
}

static uint32_t gre_options(uint16_t flags)
{
    uint32_t length = 0;

    if (flags & (GRE_CHECKSUM | GRE_ROUTING))
        length += 4;
    if (flags & GRE_KEY)
        length += 4;
    if (flags & GRE_SEQUENCE)
        length += 4;
    if ((flags & GRE_VERSION) == 1 && (flags & GRE_ACKNOWLEDGE))
        length += 4;
    return length;
}

/* RFC 1701's source routes: family, offset, length, until one of no family and length. */
static bool gre_skip_routes(struct cursor *c)
{
    uint8_t h[4];

    while (cursor_bytes(c, h, sizeof h)) {
        if (be16(h) == 0 && h[3] == 0)
            return true;
        if (!cursor_skip(c, h[3]))
            return false;
    }
    return false;
}

enum next decode_gre(struct decode *d, struct cursor *c)
{
    uint16_t flags, type;

    if (!cursor_u16(c, &flags) || !cursor_u16(c, &type))
        return decode_short(d, EVENT_GRE_TRUNCATED);
    if ((flags & GRE_VERSION) > 1) {
        decode_defect(d, EVENT_GRE_BAD_VERSION);
        return NEXT_NONE;
    }
    if (!cursor_skip(c, gre_options(flags)))
        return decode_short(d, EVENT_GRE_TRUNCATED);
    if ((flags & GRE_ROUTING) && !gre_skip_routes(c))
        return decode_short(d, EVENT_GRE_TRUNCATED);
    if (c->left == 0) /* a keepalive, or an acknowledgement of version 1 */
        return NEXT_NONE;
    switch (type) {
    case 0x88be: /* ERSPAN: without a sequence number there is no header of its own */
        if (flags & GRE_SEQUENCE)
            return cursor_skip(c, 8) ? NEXT_ETHERNET : decode_short(d, EVENT_GRE_TRUNCATED);
        return NEXT_ETHERNET;
    case 0x22eb: /* ERSPAN version 3 */
        return cursor_skip(c, 12) ? NEXT_ETHERNET : decode_short(d, EVENT_GRE_TRUNCATED);
    default:
        if (type >= 0x8200 && type < 0x8400) /* Aruba's access points: 802.11 frames */
            return NEXT_WLAN;
        return next_of_ethertype(type);
    }
}

enum next decode_etherip(struct decode *d, struct cursor *c)
{
    uint16_t version;

    if (!cursor_u16(c, &version))
        return decode_short(d, EVENT_ETHERIP_TRUNCATED);
    return version == 0x3000 ? NEXT_ETHERNET : NEXT_NONE;
}

enum next decode_vxlan(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_VXLAN_TRUNCATED);
    if ((h[0] & 0x08) == 0 || h[7] != 0) /* no network identifier, or what has to be 0 */
        return NEXT_NONE;
    return NEXT_ETHERNET;
}

enum next decode_geneve(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_GENEVE_TRUNCATED);
    if (h[0] >> 6 != 0) /* version */
        return NEXT_NONE;
    if (!cursor_skip(c, (h[0] & 0x3fu) * 4u))
        return decode_short(d, EVENT_GENEVE_TRUNCATED);
    return next_of_ethertype(be16(h + 2));
}

/* Extension headers of GTP-U: length in units of 4 bytes, their last byte the next type. */
static bool gtp_skip_extensions(struct cursor *c, uint8_t next)
{
    uint8_t units;

    while (next != 0) {
        if (!cursor_u8(c, &units) || units == 0 || !cursor_skip(c, units * 4u - 2u) ||
            !cursor_u8(c, &next))
            return false;
    }
    return true;
}

/* Version 0 has a fixed header of 20 bytes (3GPP TS 29.060 of its time). */
static enum next gtp_old(struct decode *d, struct cursor *c)
{
    if (!cursor_skip(c, 12))
        return decode_short(d, EVENT_GTP_TRUNCATED);
    return c->left == 0 ? NEXT_NONE : NEXT_IP;
}

enum next decode_gtp(struct decode *d, struct cursor *c)
{
    uint8_t h[8], options[4];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_GTP_TRUNCATED);
    if (h[1] != 0xff || (h[0] & 0x10) == 0) /* a user packet; GTP and not GTP' */
        return NEXT_NONE;
    if (h[0] >> 5 == 0)
        return gtp_old(d, c);
    if (h[0] >> 5 != 1)
        return NEXT_NONE;
    if (!decode_trim(d, c, be16(h + 2)))
        decode_defect(d, EVENT_GTP_BAD_LENGTH);
    if (h[0] & 7) {
        if (!cursor_bytes(c, options, sizeof options))
            return decode_short(d, EVENT_GTP_TRUNCATED);
        if ((h[0] & 4) && !gtp_skip_extensions(c, options[3]))
            return decode_short(d, EVENT_GTP_TRUNCATED);
    }
    return c->left == 0 ? NEXT_NONE : NEXT_IP;
}

/* Authentication and origin indications may come before the IPv6 packet (RFC 4380, 5.1.1);
 * each begins with two bytes that no IPv6 packet begins with. */
static bool teredo_skip_indications(struct cursor *c)
{
    uint8_t first, second, lengths[2];

    if (cursor_peek_u8(c, 0, &first) && cursor_peek_u8(c, 1, &second) && first == 0 &&
        second == 1 &&
        !(cursor_skip(c, 2) && cursor_bytes(c, lengths, 2) &&
          cursor_skip(c, 9u + lengths[0] + lengths[1])))
        return false;
    if (cursor_peek_u8(c, 0, &first) && cursor_peek_u8(c, 1, &second) && first == 0 && second == 0)
        return cursor_skip(c, 8);
    return true;
}

enum next decode_teredo(struct decode *d, struct cursor *c)
{
    uint8_t first;

    if (!teredo_skip_indications(c))
        return decode_short(d, EVENT_TEREDO_TRUNCATED);
    if (!cursor_peek_u8(c, 0, &first) || first >> 4 != 6)
        return NEXT_NONE;
    return NEXT_IPV6;
}

#define L2TP_CONTROL 0x8000u
#define L2TP_LENGTH 0x4000u
#define L2TP_SEQUENCE 0x0800u
#define L2TP_OFFSET 0x0200u
#define L2TP_VERSION 0x000fu

/* Version 2: flags, [length], tunnel, session, [sequence numbers], [offset], PPP. */
enum next decode_l2tp(struct decode *d, struct cursor *c)
{
    uint32_t before = c->left;
    uint16_t flags, length = 0, offset = 0;

    if (!cursor_u16(c, &flags))
        return decode_short(d, EVENT_L2TP_TRUNCATED);
    if ((flags & L2TP_VERSION) != 2 || (flags & L2TP_CONTROL))
        return NEXT_NONE;
    if ((flags & L2TP_LENGTH) && !cursor_u16(c, &length))
        return decode_short(d, EVENT_L2TP_TRUNCATED);
    if (!cursor_skip(c, flags & L2TP_SEQUENCE ? 8 : 4))
        return decode_short(d, EVENT_L2TP_TRUNCATED);
    if ((flags & L2TP_OFFSET) && (!cursor_u16(c, &offset) || !cursor_skip(c, offset)))
        return decode_short(d, EVENT_L2TP_TRUNCATED);
    if (flags & L2TP_LENGTH) {
        uint32_t header = before - c->left;
        if (length < header || !decode_trim(d, c, length - header))
            decode_defect(d, EVENT_L2TP_BAD_LENGTH);
    }
    return NEXT_PPP;
}

/* Identity and signature lengths, the protocol, a time; then identity and signature. */
enum next decode_ayiya(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h) || !cursor_skip(c, (1u << (h[0] >> 4)) + (h[1] >> 4) * 4u))
        return decode_short(d, EVENT_AYIYA_TRUNCATED);
    return h[3] == IP_PROTO_IPV6 ? NEXT_IPV6 : NEXT_NONE;
}
