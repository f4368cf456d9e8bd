/* What is put between Ethernet and IP: VLAN tags (802.1Q, 802.1ad), VN-tags (802.1Qbh),
 * MACsec that only authenticates (802.1AE), FabricPath, MPLS (RFC 3032), NSH (RFC 8300).
 */
#include "decode_internal.h"

enum next decode_vlan(struct decode *d, struct cursor *c)
{
    uint16_t tag;

    if (!cursor_u16(c, &tag))
        return decode_short(d, EVENT_VLAN_TRUNCATED);
    if (d->packet->vlan == 0 && !d->quoting && d->packet->kind == PACKET_OTHER)
        d->packet->vlan = tag & 0x0fff;
    if (c->left < 2)
        return decode_short(d, EVENT_VLAN_TRUNCATED);
    return decode_ethertype(d, c);
}

/* Four bytes, then an EtherType. */
enum next decode_vntag(struct decode *d, struct cursor *c)
{
    if (!cursor_skip(c, 4))
        return decode_short(d, EVENT_VLAN_TRUNCATED);
    return decode_ethertype(d, c);
}

/* A forwarding tag, then the Ethernet frame that crosses the fabric. */
enum next decode_fabricpath(struct decode *d, struct cursor *c)
{
    if (!cursor_skip(c, 2))
        return decode_short(d, EVENT_VLAN_TRUNCATED);
    return NEXT_ETHERNET;
}

#define MACSEC_SCI 0x20u
#define MACSEC_CHANGED 0x0cu /* encrypted, or otherwise not as it was */

enum next decode_macsec(struct decode *d, struct cursor *c)
{
    uint8_t h[6];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_MACSEC_TRUNCATED);
    if (h[0] & MACSEC_CHANGED)
        return NEXT_NONE;
    if ((h[0] & MACSEC_SCI) && !cursor_skip(c, 8))
        return decode_short(d, EVENT_MACSEC_TRUNCATED);
    return decode_ethertype(d, c);
}

/* The length counts words and includes the first eight bytes. */
enum next decode_nsh(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_NSH_TRUNCATED);
    uint32_t length = (h[1] & 0x3fu) * 4u;
    if (length < sizeof h) {
        decode_defect(d, EVENT_NSH_BAD_LENGTH);
        return NEXT_NONE;
    }
    if (!cursor_skip(c, length - (uint32_t)sizeof h))
        return decode_short(d, EVENT_NSH_TRUNCATED);
    switch (h[3]) {
    case 1:
        return NEXT_IPV4;
    case 2:
        return NEXT_IPV6;
    case 3:
        return NEXT_ETHERNET;
    case 4:
        return NEXT_NSH;
    case 5:
        return NEXT_MPLS;
    default:
        return NEXT_NONE;
    }
}

/* The stack to its bottom; what follows names itself by its first nibble (RFC 4928). */
enum next decode_mpls(struct decode *d, struct cursor *c)
{
    uint32_t entry;
    uint8_t first;

    for (unsigned labels = 0; labels < 16; labels++) {
        if (!cursor_u32(c, &entry))
            return decode_short(d, EVENT_MPLS_TRUNCATED);
        if ((entry & 0x100) == 0)
            continue;
        if (!cursor_peek_u8(c, 0, &first))
            return NEXT_NONE;
        switch (first >> 4) {
        case 4:
            return NEXT_IPV4;
        case 6:
            return NEXT_IPV6;
        case 0: /* a pseudowire control word (RFC 4385), then Ethernet (RFC 4448) */
            return cursor_skip(c, 4) ? NEXT_ETHERNET : NEXT_NONE;
        default:
            return NEXT_NONE;
        }
    }
    decode_defect(d, EVENT_LAYERS_EXCEEDED);
    return NEXT_NONE;
}
