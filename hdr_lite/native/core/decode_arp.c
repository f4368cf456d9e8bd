/* ARP over Ethernet for IPv4 (RFC 826). Other hardware or protocols are counted as
 * ARP and left alone. */
#include "decode_internal.h"

enum next decode_arp(struct decode *d, struct cursor *c)
{
    struct packet *p = d->packet;
    struct arp_fact *arp = &p->arp;
    uint8_t h[8];
    uint8_t body[20];

    decode_layer(d, c, LAYER_ARP);
    if (!cursor_bytes(c, h, sizeof h))
        return decode_short(d, EVENT_ARP_TRUNCATED);
    if (be16(h + 2) != 0x0800 || h[4] != 6 || h[5] != 4) {
        decode_defect(d, EVENT_ARP_NOT_ETHERNET_IPV4);
        return NEXT_NONE;
    }
    if (!cursor_bytes(c, body, sizeof body))
        return decode_short(d, EVENT_ARP_TRUNCATED);
    /* Inside a tunnel it speaks for another network: who sent the tunnel packet is what counts. */
    if (p->kind != PACKET_OTHER)
        return NEXT_NONE;
    p->kind = PACKET_ARP;
    arp->operation = be16(h + 6);
    memcpy(arp->sender_mac, body, 6);
    memcpy(arp->sender_ip, body + 6, 4);
    memcpy(arp->target_mac, body + 10, 6);
    memcpy(arp->target_ip, body + 16, 4);
    return NEXT_NONE;
}
