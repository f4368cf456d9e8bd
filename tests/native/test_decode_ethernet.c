/* Links of local networks. */
#include "frames.h"

static const uint8_t sender[6] = {2, 0, 0, 0, 0, 1}, receiver[6] = {2, 0, 0, 0, 0, 2};

static void ethernet(void)
{
    decode_hex(LINK_ETHERNET, ETHERNET_IP4 UDP_IP4 "000000000000"); /* with padding */
    CHECK_UDP();
    CHECK(packet.has_mac);
    CHECK(memcmp(packet.smac, sender, 6) == 0);
    CHECK(memcmp(packet.dmac, receiver, 6) == 0);
    CHECK_EQ(packet.vlan, 0);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_UDP);
    decode_hex(LINK_ETHERNET, ETHERNET_IP6 UDP_IP6);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "88cc 0207");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    CHECK(packet.has_mac);
    decode_hex(LINK_ETHERNET, "020000000002 02");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    CHECK(!packet.has_mac);
    decode_hex(LINK_ETHERNET, MACS "08");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex_everywhere_cut(LINK_ETHERNET, ETHERNET_IP4 UDP_IP4);
    decode_hex_everywhere_cut(LINK_ETHERNET, ETHERNET_IP6 UDP_IP6);
}

static void llc(void)
{
    decode_hex(LINK_ETHERNET, MACS "0028 aaaa03 000000 0800 " UDP_IP4 "0000"); /* RFC 1042 */
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "0028 aaaa03 0000f8 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "0023 060603 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "0036 aaaa03 0080c2 0007 " ETHERNET_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "0010 aaaa03 00000c 2000 0000"); /* Cisco's own */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(LINK_ETHERNET, MACS "0026 424203 0000000000"); /* spanning tree */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(LINK_ETHERNET, MACS "0002 4242");
    CHECK_EVENT(EVENT_LLC_TRUNCATED);
    decode_hex(LINK_ETHERNET, MACS "0006 aaaa03 000000");
    CHECK_EVENT(EVENT_LLC_TRUNCATED);
    decode_hex_everywhere_cut(LINK_ETHERNET, MACS "0028 aaaa03 000000 0800 " UDP_IP4);
}

#define SLL "0000 0001 0006 0200000000010000 "
#define SLL2(protocol) protocol "0000 00000003 0001 00 06 0200000000010000 "

static void cooked(void)
{
    static const uint8_t none[6] = {0};

    decode_hex(113, SLL "0800 " UDP_IP4);
    CHECK_UDP();
    CHECK(packet.has_mac);
    CHECK(memcmp(packet.smac, sender, 6) == 0);
    CHECK(memcmp(packet.dmac, none, 6) == 0);
    decode_hex(113, SLL "0004 aaaa03 000000 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(113, "0000 0338 0000 0000000000000000 0800 " UDP_IP4); /* netlink */
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(113, "0004 fffe 0000 0000000000000000 0800 " UDP_IP4); /* a tunnel device */
    CHECK_UDP();
    CHECK(!packet.has_mac);
    decode_hex(113, "0000 0001");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex(276, SLL2("86dd") UDP_IP6);
    CHECK_UDP();
    CHECK(packet.has_mac);
    CHECK(memcmp(packet.smac, sender, 6) == 0);
    decode_hex(276, "0800");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex_everywhere_cut(113, SLL "0800 " UDP_IP4);
    decode_hex_everywhere_cut(276, SLL2("86dd") UDP_IP6);
}

static void loopback(void)
{
    static const char *const families[] = {"0000000a", "00000017", "00000018", "0000001c",
                                           "0000001e", "1e000000", "0a000000"};

    decode_hex(0, "02000000 " UDP_IP4);
    CHECK_UDP();
    decode_hex(0, "00000002 " UDP_IP4);
    CHECK_UDP();
    decode_hex(108, "00000002 " UDP_IP4);
    CHECK_UDP();
    for (unsigned i = 0; i < sizeof families / sizeof *families; i++) {
        char hex[512];
        snprintf(hex, sizeof hex, "%s %s", families[i], UDP_IP6);
        decode_hex(0, hex);
        CHECK_UDP();
    }
    decode_hex(0, "07000000 " UDP_IP4);
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(0, "0200");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
}

static void arcnet(void)
{
    decode_hex(129, "01 02 0000 f0 " UDP_IP4);
    CHECK_UDP();
    decode_hex(129, "01 02 0000 d4 00 0001 " UDP_IP4);
    CHECK_UDP();
    decode_hex(129, "01 02 0000 d4 01 0001 " UDP_IP4); /* the first of several */
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(129, "01 02 0000 f1 0007 0800 0104 0001 01c0000201 00c0000202");
    CHECK_EQ(packet.layers, LAYER_ARP);
    CHECK_EVENT(EVENT_ARP_NOT_ETHERNET_IPV4);
    decode_hex(129, "01 02 0000");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex_everywhere_cut(129, "01 02 0000 d4 00 0001 " UDP_IP4);
}

int main(void)
{
    ethernet();
    llc();
    cooked();
    loopback();
    arcnet();
    return check_done();
}
