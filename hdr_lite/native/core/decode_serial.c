/* Links of wide area networks: PPPoE (RFC 2516), PPP (RFC 1661), Cisco HDLC, Frame Relay
 * (RFC 2427).
 */
#include "decode_internal.h"

enum next decode_pppoe(struct decode *d, struct cursor *c)
{
    uint8_t h[6];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_PPPOE_TRUNCATED);
    if (h[0] != 0x11) { /* version 1, type 1 */
        decode_defect(d, EVENT_PPPOE_BAD_VERSION);
        return NEXT_NONE;
    }
    if (h[1] != 0) /* a code: not session data */
        return NEXT_NONE;
    if (!decode_trim(d, c, be16(h + 4)))
        decode_defect(d, EVENT_PPPOE_BAD_LENGTH);
    return NEXT_PPP;
}

/* Address and control may be left out, and the protocol number may be one byte:
 * its last byte is odd, every other is even (RFC 1661, 2 and 6.5). */
enum next decode_ppp(struct decode *d, struct cursor *c)
{
    uint8_t first = 0, low;
    uint16_t protocol;

    if (cursor_peek_u8(c, 0, &first) && first <= 1)
        (void)cursor_skip(c, 1); /* PPP_PPPD's direction */
    if (cursor_peek_u8(c, 0, &first) && (first == 0x0f || first == 0x8f))
        return NEXT_CISCO_HDLC;
    if (first == 0xff)
        (void)cursor_skip(c, 2);
    if (!cursor_u8(c, &first))
        return decode_short(d, EVENT_PPP_TRUNCATED);
    protocol = first;
    if ((first & 1) == 0) {
        if (!cursor_u8(c, &low))
            return decode_short(d, EVENT_PPP_TRUNCATED);
        protocol = (uint16_t)(first << 8 | low);
    }
    return next_of_ppp(protocol);
}

/* Cisco HDLC: address (unicast, multicast), control, EtherType. Frames of PPP are met
 * under its link type, and its frames under that of PPP: the first byte tells. */
enum next decode_cisco_hdlc(struct decode *d, struct cursor *c)
{
    uint8_t h[4];
    uint8_t first;

    if (cursor_peek_u8(c, 0, &first) && first == 0xff)
        return NEXT_PPP;
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    return next_of_ethertype(be16(h + 2));
}

/* What a network layer protocol identifier names; 0x80 is a SNAP header. */
static enum next decode_nlpid(struct decode *d, struct cursor *c)
{
    uint8_t nlpid, first;

    if (cursor_peek_u8(c, 0, &first) && first == 0) /* padding */
        (void)cursor_skip(c, 1);
    if (!cursor_u8(c, &nlpid))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    switch (nlpid) {
    case 0xcc:
        return NEXT_IPV4;
    case 0x8e:
        return NEXT_IPV6;
    case 0x80:
        return NEXT_SNAP;
    default:
        return NEXT_NONE;
    }
}

/* An address whose last byte is odd; then RFC 2427's control byte, or Cisco's EtherType. */
enum next decode_frame_relay(struct decode *d, struct cursor *c)
{
    uint8_t byte = 0;
    uint16_t type;

    for (unsigned i = 0; (byte & 1) == 0; i++)
        if (i == 4 || !cursor_u8(c, &byte))
            return decode_short(d, EVENT_LINK_TRUNCATED);
    if (cursor_peek_u8(c, 0, &byte) && byte == 0x03) {
        (void)cursor_skip(c, 1);
        return decode_nlpid(d, c);
    }
    if (!cursor_u16(c, &type))
        return decode_short(d, EVENT_LINK_TRUNCATED);
    return next_of_ethertype(type);
}
