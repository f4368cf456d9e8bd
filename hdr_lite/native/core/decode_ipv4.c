/* IPv4 (RFC 791), and IP of either version where nothing says which. */
#include "decode_internal.h"

enum next decode_ip(struct decode *d, struct cursor *c)
{
    uint8_t first;

    if (!cursor_peek_u8(c, 0, &first))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    switch (first >> 4) {
    case 4:
        return NEXT_IPV4;
    case 6:
        return NEXT_IPV6;
    default:
        decode_defect(d, EVENT_IP_BAD_VERSION);
        return NEXT_NONE;
    }
}

/* ::ffff:a.b.c.d */
static void map_address(uint8_t out[16], const uint8_t address[4])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    memcpy(out, prefix, 12);
    memcpy(out + 12, address, 4);
}

static void note_header(struct decode *d, const uint8_t h[20], uint32_t length)
{
    struct packet *p = d->packet;
    uint16_t fragment = be16(h + 6) & 0x3fff; /* whether more follow, and the offset */

    decode_enter_ip(d, 4);
    if (d->quoting) {
        map_address(p->quoted.src, h + 12);
        map_address(p->quoted.dst, h + 16);
        return;
    }
    map_address(p->src, h + 12);
    map_address(p->dst, h + 16);
    p->ttl = h[8];
    p->ip_length = length;
    if (fragment == 0)
        return;
    p->fragment = true;
    p->later_fragment = (fragment & 0x1fff) != 0;
    p->last_fragment = (fragment & 0x2000) == 0;
    p->fragment_id = be16(h + 4);
}

enum next decode_ipv4(struct decode *d, struct cursor *c)
{
    struct cursor start = *c;
    uint8_t h[20];
    uint8_t first;

    decode_layer(d, c, LAYER_IP4);
    if (cursor_peek_u8(c, 0, &first) && first >> 4 != 4) {
        decode_defect(d, EVENT_IPV4_BAD_VERSION);
        return first >> 4 == 6 ? NEXT_IPV6 : NEXT_NONE;
    }
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_IPV4_TRUNCATED);
    uint32_t header = (h[0] & 15u) * 4u;
    if (header < sizeof h) {
        decode_defect(d, EVENT_IPV4_BAD_HEADER_LENGTH);
        return NEXT_NONE;
    }
    uint32_t total = be16(h + 2);
    if (total == 0) /* the sending machine's network card cuts and fills this in later */
        total = start.left + d->missing;
    if (total < header) {
        decode_defect(d, EVENT_IPV4_BAD_TOTAL_LENGTH);
        return NEXT_NONE;
    }
    if (!decode_trim(d, &start, total)) {
        decode_defect(d, EVENT_IPV4_BAD_TOTAL_LENGTH);
        total = start.left + d->missing;
    }
    *c = start;
    uint16_t fragment = be16(h + 6) & 0x3fff;
    if (fragment != 0)
        d->packet->layers |= LAYER_FRAGMENT;
    note_header(d, h, total);
    if (!cursor_skip(c, header))
        return decode_short(d, EVENT_IPV4_TRUNCATED);
    if (d->quoting) {
        if ((fragment & 0x1fff) == 0)
            return next_of_ip_protocol(d, h[9]);
        d->packet->quoted.proto = h[9];
        return NEXT_NONE;
    }
    decode_payload(d, c);
    return next_of_ip_protocol(d, h[9]);
}
