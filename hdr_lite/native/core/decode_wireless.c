/* Captures of the kernel's packet log and of radios: NFLOG, radiotap, PPI, 802.11
 * data frames, also inside CAPWAP.
 *
 * 802.11 and radiotap are little-endian, NFLOG's attributes are in the byte order of
 * the machine that reads the file (libpcap turns them).
 */
#include "decode_internal.h"

#define NFLOG_PAYLOAD 9u
#define RADIOTAP_FLAG_PAD 0x20u
#define WLAN_DATA 2u
#define WLAN_QOS 0x80u
#define WLAN_NO_DATA 0x40u
#define WLAN_TO_AND_FROM_DS 0x03u
#define WLAN_PROTECTED 0x40u
#define WLAN_ORDER 0x80u
#define WLAN_MORE_FRAGMENTS 0x04u

/* Attributes (length, type, value, padding to four bytes) until the packet itself. */
enum next decode_nflog(struct decode *d, struct cursor *c)
{
    uint8_t h[4];
    uint16_t length, type;

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_NFLOG_TRUNCATED);
    if (h[1] != 0) /* version */
        return NEXT_NONE;
    while (c->left > 0) {
        if (!cursor_host_u16(c, &length) || !cursor_host_u16(c, &type))
            return decode_short(d, EVENT_NFLOG_TRUNCATED);
        if (length < 4) {
            decode_defect(d, EVENT_NFLOG_BAD_LENGTH);
            return NEXT_NONE;
        }
        if ((type & 0x7fff) == NFLOG_PAYLOAD) {
            if (!decode_trim(d, c, length - 4u))
                decode_defect(d, EVENT_NFLOG_BAD_LENGTH);
            return h[0] == 2 || h[0] == 10 ? NEXT_IP : NEXT_NONE;
        }
        if (!cursor_skip(c, (length - 4u + 3u) & ~3u))
            return decode_short(d, EVENT_NFLOG_TRUNCATED);
    }
    return NEXT_NONE;
}

/* The flags field, which says whether the 802.11 header is padded; 0 when absent. */
static uint8_t radiotap_flags(struct cursor fields, uint32_t present)
{
    uint32_t word = present;
    uint32_t offset = 8;
    uint8_t b[4];

    if ((present & 2) == 0 || !cursor_skip(&fields, 8))
        return 0;
    while (word & 0x80000000u) { /* more words of presence bits follow */
        if (!cursor_bytes(&fields, b, 4))
            return 0;
        offset += 4;
        word = (uint32_t)b[3] << 24;
    }
    if ((present & 1) && !cursor_skip(&fields, 8 + (8 - offset % 8) % 8)) /* a time, aligned */
        return 0;
    return cursor_u8(&fields, b) ? b[0] : 0;
}

/* What differs between the places where 802.11 frames are met. */
enum wlan_shape {
    WLAN_PLAIN,
    WLAN_PADDED,  /* the header's length is rounded up to four bytes */
    WLAN_SWAPPED, /* the frame control's bytes are in network order */
};

static enum next wlan_frame(struct decode *d, struct cursor *c, enum wlan_shape shape);

enum next decode_radiotap(struct decode *d, struct cursor *c)
{
    struct cursor start = *c;
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_RADIOTAP_TRUNCATED);
    uint32_t length = h[2] | (uint32_t)h[3] << 8;
    uint32_t present = h[4] | (uint32_t)h[5] << 8 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 24;
    if (h[0] != 0 || length < sizeof h) {
        decode_defect(d, EVENT_RADIOTAP_BAD_LENGTH);
        return NEXT_NONE;
    }
    *c = start;
    if (!cursor_skip(c, length))
        return decode_short(d, EVENT_RADIOTAP_TRUNCATED);
    bool padded = (radiotap_flags(start, present) & RADIOTAP_FLAG_PAD) != 0;
    return wlan_frame(d, c, padded ? WLAN_PADDED : WLAN_PLAIN);
}

enum next decode_wlan(struct decode *d, struct cursor *c)
{
    return wlan_frame(d, c, WLAN_PLAIN);
}

/* Per-packet information: version, flags, length, and the link type of what follows. */
enum next decode_ppi(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_PPI_TRUNCATED);
    uint32_t length = h[2] | (uint32_t)h[3] << 8;
    uint32_t linktype = h[4] | (uint32_t)h[5] << 8 | (uint32_t)h[6] << 16 | (uint32_t)h[7] << 24;
    if (length < sizeof h) {
        decode_defect(d, EVENT_PPI_BAD_LENGTH);
        return NEXT_NONE;
    }
    if (!cursor_skip(c, length - (uint32_t)sizeof h))
        return decode_short(d, EVENT_PPI_TRUNCATED);
    switch (linktype) {
    case 1:
        return NEXT_ETHERNET;
    case 105:
        return NEXT_WLAN;
    default:
        return NEXT_NONE;
    }
}

/* CAPWAP data (RFC 5415): its header's length counts words; a bit tells 802.11 frames, whose
 * frame control its senders write in network order, from Ethernet ones. */
enum next decode_capwap(struct decode *d, struct cursor *c)
{
    uint8_t h[8];

    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_CAPWAP_TRUNCATED);
    uint32_t length = (h[1] >> 3) * 4u;
    if (h[0] != 0 || length < sizeof h) /* another version, DTLS, or not CAPWAP at all */
        return NEXT_NONE;
    if (!cursor_skip(c, length - (uint32_t)sizeof h))
        return decode_short(d, EVENT_CAPWAP_TRUNCATED);
    if (h[3] & 0x80) /* a fragment */
        return NEXT_NONE;
    return h[2] & 1 ? wlan_frame(d, c, WLAN_SWAPPED) : NEXT_ETHERNET;
}

/* Who sent and who shall receive, by which side of the distribution system it is on. */
static void wlan_macs(struct packet *p, const uint8_t h[24], const uint8_t fourth[6])
{
    const uint8_t *const destination = (h[1] & 1) ? h + 16 : h + 4;
    const uint8_t *source = h + 10;

    if (p->has_mac || p->kind != PACKET_OTHER)
        return;
    if ((h[1] & WLAN_TO_AND_FROM_DS) == WLAN_TO_AND_FROM_DS)
        source = fourth;
    else if (h[1] & 2)
        source = h + 16;
    p->has_mac = true;
    memcpy(p->dmac, destination, 6);
    memcpy(p->smac, source, 6);
}

/* The length of the QoS and HT control fields; whether subframes follow. */
static uint32_t wlan_extra(const struct cursor *c, const uint8_t h[24], bool *aggregate)
{
    uint8_t control = 0;

    *aggregate = false;
    if ((h[0] & WLAN_QOS) == 0)
        return 0;
    if (cursor_peek_u8(c, 0, &control))
        *aggregate = (control & 0x80) != 0;
    return (h[1] & WLAN_ORDER) ? 6 : 2;
}

static enum next wlan_frame(struct decode *d, struct cursor *c, enum wlan_shape shape)
{
    uint32_t before = c->left;
    uint8_t h[24], fourth[6] = {0};
    uint8_t control;
    bool aggregate;

    if (!cursor_peek_u8(c, shape == WLAN_SWAPPED, &control))
        return decode_short(d, EVENT_WLAN_TRUNCATED);
    if (((control >> 2) & 3) != WLAN_DATA || (control & 3) != 0)
        return NEXT_NONE;
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_WLAN_TRUNCATED);
    if (shape == WLAN_SWAPPED) {
        h[1] = h[0];
        h[0] = control;
    }
    if ((h[1] & WLAN_TO_AND_FROM_DS) == WLAN_TO_AND_FROM_DS && !cursor_bytes(c, fourth, 6))
        return decode_short(d, EVENT_WLAN_TRUNCATED);
    wlan_macs(d->packet, h, fourth);
    if ((h[0] & WLAN_NO_DATA) || (h[1] & (WLAN_PROTECTED | WLAN_MORE_FRAGMENTS)))
        return NEXT_NONE;
    if (!cursor_skip(c, wlan_extra(c, h, &aggregate)))
        return decode_short(d, EVENT_WLAN_TRUNCATED);
    uint32_t header = before - c->left;
    if (shape == WLAN_PADDED && !cursor_skip(c, (4 - header % 4) % 4))
        return decode_short(d, EVENT_WLAN_TRUNCATED);
    if (aggregate && !cursor_skip(c, 14)) /* the first subframe's addresses and length */
        return decode_short(d, EVENT_WLAN_TRUNCATED);
    return NEXT_LLC;
}
