/* IPv6 and its extension headers (RFC 8200), AH (RFC 4302). */
#include "decode_internal.h"

#define EXTENSIONS_MOST 10

/* ::ffff:a.b.c.d is how one machine writes an IPv4 address to itself; on a wire it would pass
 * for that IPv4 address in everything that follows (RFC 4291, 2.5.5.2). */
static bool is_mapped(const uint8_t address[16])
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(address, prefix, sizeof prefix) == 0;
}

enum next decode_ipv6(struct decode *d, struct cursor *c)
{
    struct packet *p = d->packet;
    uint8_t h[40];
    uint8_t first;

    decode_layer(d, c, LAYER_IP6);
    if (cursor_peek_u8(c, 0, &first) && first >> 4 != 6) {
        decode_defect(d, EVENT_IPV6_BAD_VERSION);
        return NEXT_NONE;
    }
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_IPV6_TRUNCATED);
    uint32_t payload = be16(h + 4);
    if (payload == 0 && h[6] == IP_PROTO_HOPOPTS) /* a jumbogram (RFC 2675) tells it there */
        payload = c->left + d->missing;
    if (!decode_trim(d, c, payload)) {
        decode_defect(d, EVENT_IPV6_BAD_PAYLOAD_LENGTH);
        payload = c->left + d->missing;
    }
    bool mapped = is_mapped(h + 8) || is_mapped(h + 24);
    decode_enter_ip(d, 6);
    if (d->quoting) {
        memcpy(p->quoted.src, h + 8, 16);
        memcpy(p->quoted.dst, h + 24, 16);
        return mapped ? NEXT_NONE : next_of_ip_protocol(d, h[6]);
    }
    if (mapped) {
        decode_defect(d, EVENT_IPV6_MAPPED_ADDRESS);
        d->impossible = true;
    }
    memcpy(p->src, h + 8, 16);
    memcpy(p->dst, h + 24, 16);
    p->ttl = h[7];
    p->ip_length = payload + (uint32_t)sizeof h;
    decode_payload(d, c);
    return next_of_ip_protocol(d, h[6]);
}

/* Past one more extension header: what it says comes next. */
static enum next extension_done(struct decode *d, const struct cursor *c, uint8_t protocol)
{
    if (++d->extensions > EXTENSIONS_MOST) {
        decode_defect(d, EVENT_IPV6_EXTENSIONS_EXCEEDED);
        return NEXT_NONE;
    }
    if (!d->quoting)
        decode_payload(d, c);
    return next_of_ip_protocol(d, protocol);
}

/* Hop-by-hop and destination options, routing, mobility: a length in units of 8 bytes. */
enum next decode_ipv6_extension(struct decode *d, struct cursor *c)
{
    struct cursor start = *c;
    uint8_t protocol, length;

    if (!cursor_u8(c, &protocol) || !cursor_u8(c, &length))
        return decode_short(d, EVENT_IPV6_EXTENSION_TRUNCATED);
    *c = start;
    if (!cursor_skip(c, 8u + 8u * length))
        return decode_short(d, EVENT_IPV6_EXTENSION_TRUNCATED);
    return extension_done(d, c, protocol);
}

enum next decode_ipv6_fragment(struct decode *d, struct cursor *c)
{
    struct packet *p = d->packet;
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_IPV6_EXTENSION_TRUNCATED);
    uint16_t offset = be16(h + 2) >> 3;
    bool fragment = offset != 0 || (h[3] & 1) != 0; /* neither: an atomic fragment (RFC 6946) */
    p->layers |= LAYER_FRAGMENT;
    if (d->quoting) {
        if (offset == 0)
            return extension_done(d, c, h[0]);
        p->quoted.proto = h[0];
        return NEXT_NONE;
    }
    p->fragment = fragment;
    p->later_fragment = offset != 0;
    p->last_fragment = fragment && (h[3] & 1) == 0;
    p->fragment_id = be32(h + 4);
    return extension_done(d, c, h[0]);
}

/* Its length is in units of 4 bytes, less 2. */
enum next decode_ah(struct decode *d, struct cursor *c)
{
    struct cursor start = *c;
    uint8_t protocol, length;

    if (!cursor_u8(c, &protocol) || !cursor_u8(c, &length))
        return decode_short(d, EVENT_IPV6_EXTENSION_TRUNCATED);
    *c = start;
    if (!cursor_skip(c, 8u + 4u * length))
        return decode_short(d, EVENT_IPV6_EXTENSION_TRUNCATED);
    return extension_done(d, c, protocol);
}
