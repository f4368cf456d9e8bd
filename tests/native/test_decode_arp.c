/* ARP. */
#include "frames.h"

#define ARP "0001 0800 0604 0002 020000000001 c0000201 020000000002 c0000202 "

static void arp(void)
{
    static const uint8_t sender_mac[6] = {2, 0, 0, 0, 0, 1}, target_mac[6] = {2, 0, 0, 0, 0, 2};
    static const uint8_t sender_ip[4] = {192, 0, 2, 1}, target_ip[4] = {192, 0, 2, 2};

    decode_hex(LINK_ETHERNET, MACS "0806 " ARP "0000");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_ARP);
    CHECK_EQ(packet.layers, LAYER_ARP);
    CHECK_EQ(packet.arp.operation, 2);
    CHECK(memcmp(packet.arp.sender_mac, sender_mac, 6) == 0);
    CHECK(memcmp(packet.arp.target_mac, target_mac, 6) == 0);
    CHECK(memcmp(packet.arp.sender_ip, sender_ip, 4) == 0);
    CHECK(memcmp(packet.arp.target_ip, target_ip, 4) == 0);
    decode_hex_everywhere_cut(LINK_ETHERNET, MACS "0806 " ARP);
}

static void defective(void)
{
    decode_hex(LINK_ETHERNET, MACS "0806 0001 0800 06");
    CHECK_EVENT(EVENT_ARP_TRUNCATED);
    decode_hex(LINK_ETHERNET, MACS "0806 0001 0800 0604 0001 0200");
    CHECK_EVENT(EVENT_ARP_TRUNCATED);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(LINK_ETHERNET, MACS "0806 0001 0800 0804 0001 0200");
    CHECK_EVENT(EVENT_ARP_NOT_ETHERNET_IPV4);
    CHECK_EQ(packet.layers, LAYER_ARP);
    decode_hex(LINK_ETHERNET, MACS "0806 0001 86dd 0610 0001 0200");
    CHECK_EVENT(EVENT_ARP_NOT_ETHERNET_IPV4);
}

/* ARP inside a tunnel counts as a layer, but the tunnel's flow is what the packet is about:
 * nobody outside may speak for this network's addresses. */
static void tunnelled(void)
{
    decode_hex(LINK_ETHERNET, ETHERNET_IP4 IP4("004e", "11") "1000 12b5 003a 0000 "
                                                             "08000000 00000100 " MACS "0806 " ARP);
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_IP);
    CHECK_EQ(packet.dport, 4789);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_UDP | LAYER_ARP);
}

int main(void)
{
    arp();
    defective();
    tunnelled();
    return check_done();
}
