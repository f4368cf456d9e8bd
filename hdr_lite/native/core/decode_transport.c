/* TCP (RFC 9293), UDP (RFC 768), SCTP (RFC 9260), ICMP (RFC 792), ICMPv6 (RFC 4443).
 *
 * ICMP errors quote the packet they complain of: its headers are decoded by the
 * same functions with `quoting` set, and land in packet.quoted.
 */
#include "decode_internal.h"

/* Two ports, or type and code, to the flow that is being read. */
static void note_ports(struct decode *d, uint16_t sport, uint16_t dport, uint16_t icmp_id)
{
    struct packet *p = d->packet;

    if (d->quoting) {
        p->quoted.present = true;
        p->quoted.sport = sport;
        p->quoted.dport = dport;
        p->quoted.icmp_id = icmp_id;
        return;
    }
    p->sport = sport;
    p->dport = dport;
    p->icmp_id = icmp_id;
}

/* The ports alone, which is all that an old ICMP error quotes of TCP and UDP. */
static enum next quoted_ports(struct decode *d, struct cursor *c)
{
    uint16_t sport, dport;

    if (cursor_u16(c, &sport) && cursor_u16(c, &dport))
        note_ports(d, sport, dport, 0);
    return NEXT_NONE;
}

/* Not a whole header; the ports, and the number, may still be there. */
static enum next tcp_truncated(struct decode *d, struct cursor *c)
{
    uint16_t sport, dport;

    if (cursor_u16(c, &sport) && cursor_u16(c, &dport)) {
        note_ports(d, sport, dport, 0);
        d->packet->has_ports = true;
        d->packet->tcp_seq = 0;
        (void)cursor_u32(c, &d->packet->tcp_seq);
    }
    return decode_short(d, EVENT_TCP_TRUNCATED);
}

enum next decode_tcp(struct decode *d, struct cursor *c)
{
    struct packet *p = d->packet;
    uint8_t h[20];

    decode_layer(d, c, LAYER_TCP);
    if (d->quoting)
        return quoted_ports(d, c);
    struct cursor start = *c;
    if (!cursor_bytes(c, h, sizeof h))
        return tcp_truncated(d, &start);
    uint32_t header = (h[12] >> 4) * 4u;
    note_ports(d, be16(h), be16(h + 2), 0);
    p->has_ports = true;
    if (header < sizeof h || header > start.left + d->missing) {
        decode_defect(d, EVENT_TCP_BAD_DATA_OFFSET);
        return NEXT_NONE;
    }
    p->tcp_seq = be32(h + 4);
    p->tcp_ack = be32(h + 8);
    p->tcp_flags = h[13];
    p->tcp_window = be16(h + 14);
    p->has_transport = true;
    *c = start;
    if (!cursor_skip(c, header)) { /* the capture cut the options */
        d->missing -= header - c->left;
        (void)cursor_skip(c, c->left);
    }
    decode_payload(d, c);
    return NEXT_NONE;
}

enum next decode_udp(struct decode *d, struct cursor *c)
{
    struct packet *p = d->packet;
    uint8_t h[8];

    decode_layer(d, c, LAYER_UDP);
    if (d->quoting)
        return quoted_ports(d, c);
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_UDP_TRUNCATED);
    note_ports(d, be16(h), be16(h + 2), 0);
    p->has_ports = true;
    uint32_t length = be16(h + 4);
    if (length != 0 && length < sizeof h) { /* 0: a jumbogram (RFC 2675) */
        decode_defect(d, EVENT_UDP_BAD_LENGTH);
        return NEXT_NONE;
    }
    /* In the first of several fragments the length is that of the whole. */
    if (length != 0 && !decode_trim(d, c, length - (uint32_t)sizeof h) && !p->fragment)
        decode_defect(d, EVENT_UDP_BAD_LENGTH);
    p->has_transport = true;
    decode_payload(d, c);
    return next_of_udp_ports(p->sport, p->dport);
}

enum next decode_sctp(struct decode *d, struct cursor *c)
{
    uint8_t h[12];

    if (d->quoting)
        return quoted_ports(d, c);
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_SCTP_TRUNCATED);
    note_ports(d, be16(h), be16(h + 2), 0);
    d->packet->has_ports = true;
    d->packet->has_transport = true;
    decode_payload(d, c);
    return NEXT_NONE;
}

/* What both versions share: type, code, check sum, and the word behind them. */
static bool read_icmp(struct decode *d, struct cursor *c, uint8_t h[8])
{
    memset(h, 0, 8);
    if (!cursor_bytes(c, h, 4))
        return false;
    if (!cursor_bytes(c, h + 4, 4) && !d->quoting && d->missing == 0)
        return false;
    return true;
}

static enum next icmp_done(struct decode *d, const struct cursor *c, const uint8_t h[8], bool echo,
                           bool error)
{
    note_ports(d, h[0], h[1], echo ? be16(h + 4) : 0);
    if (d->quoting) /* an error about an error is not followed */
        return NEXT_NONE;
    d->packet->has_transport = true;
    decode_payload(d, c);
    if (!error)
        return NEXT_NONE;
    d->quoting = true;
    return NEXT_IP;
}

enum next decode_icmp(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    decode_layer(d, c, LAYER_ICMP);
    if (!read_icmp(d, c, h))
        return decode_short(d, EVENT_ICMP_TRUNCATED);
    switch (h[0]) {
    case 3:  /* unreachable */
    case 4:  /* source quench */
    case 5:  /* redirect */
    case 11: /* time exceeded */
    case 12: /* parameter problem */
        return icmp_done(d, c, h, false, true);
    case 0: /* echo, timestamp, information and address mask, with their replies */
    case 8:
    case 13:
    case 14:
    case 15:
    case 16:
    case 17:
    case 18:
        return icmp_done(d, c, h, true, false);
    default:
        return icmp_done(d, c, h, false, false);
    }
}

enum next decode_icmp6(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    decode_layer(d, c, LAYER_ICMP6);
    if (!read_icmp(d, c, h))
        return decode_short(d, EVENT_ICMP6_TRUNCATED);
    bool echo = h[0] == 128 || h[0] == 129;
    bool error = h[0] >= 1 && h[0] <= 4;
    return icmp_done(d, c, h, echo, error);
}
