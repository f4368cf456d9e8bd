/* Tags and shims between Ethernet and IP. */
#include "frames.h"

static void vlan(void)
{
    static const char *const types[] = {"8100", "88a8", "9100", "9200"};

    for (unsigned i = 0; i < 4; i++) {
        char hex[512];
        snprintf(hex, sizeof hex, "%s%s 600a 8100 0014 0800 %s", MACS, types[i], UDP_IP4);
        decode_hex(LINK_ETHERNET, hex);
        CHECK_UDP();
        CHECK_EQ(packet.vlan, 10); /* the outer one, without priority */
    }
    decode_hex(LINK_ETHERNET, MACS "8100 0005 0028 aaaa03 000000 0800 " UDP_IP4);
    CHECK_UDP();
    CHECK_EQ(packet.vlan, 5);
    decode_hex(LINK_ETHERNET, MACS "8100 00");
    CHECK_EVENT(EVENT_VLAN_TRUNCATED);
    decode_hex(LINK_ETHERNET, MACS "8100 0005 08");
    CHECK_EVENT(EVENT_VLAN_TRUNCATED);
    decode_hex_everywhere_cut(LINK_ETHERNET, MACS "88a8 000a 8100 0014 0800 " UDP_IP4);
}

static void fabrics(void)
{
    decode_hex(LINK_ETHERNET, MACS "8926 00000033 8100 00fa 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "8926 0000");
    CHECK_EVENT(EVENT_VLAN_TRUNCATED);
    decode_hex(LINK_ETHERNET, MACS "8903 0040 " ETHERNET_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "8903 00");
    CHECK_EVENT(EVENT_VLAN_TRUNCATED);
}

static void macsec(void)
{
    decode_hex(LINK_ETHERNET, MACS "88e5 2000 00000044 0200000000010001 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "88e5 0000 00000044 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "88e5 2c00 00000044 0200000000010001 0800 " UDP_IP4);
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER); /* encrypted */
    decode_hex(LINK_ETHERNET, MACS "88e5 2000");
    CHECK_EVENT(EVENT_MACSEC_TRUNCATED);
    decode_hex(LINK_ETHERNET, MACS "88e5 2000 00000044 0200");
    CHECK_EVENT(EVENT_MACSEC_TRUNCATED);
    decode_hex_everywhere_cut(LINK_ETHERNET,
                              MACS "88e5 2000 00000044 0200000000010001 0800 " UDP_IP4);
}

static void mpls(void)
{
    decode_hex(LINK_ETHERNET, MACS "8847 00010040 00020140 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "8848 00020140 " UDP_IP6);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "8847 00020140 00000000 " ETHERNET_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "8847 00020140 10000021 0000"); /* an associated channel */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(LINK_ETHERNET, MACS "8847 00010040");
    CHECK_EVENT(EVENT_MPLS_TRUNCATED);
    char hex[1024] = MACS "8847 ";
    for (int i = 0; i < 20; i++)
        strcat(hex, "00010040 ");
    decode_hex(LINK_ETHERNET, hex);
    CHECK_EVENT(EVENT_LAYERS_EXCEEDED);
    decode_hex_everywhere_cut(LINK_ETHERNET, MACS "8847 00020140 00000000 " ETHERNET_IP4 UDP_IP4);
}

#define NSH(length, next) "00" length "02" next " 00000102 "

static void nsh(void)
{
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("02", "01") UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("03", "02") "00000000 " UDP_IP6);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("02", "03") ETHERNET_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("02", "04") NSH("02", "05") "00020140 " UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("02", "06"));
    CHECK_EQ(defects, 0);
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("01", "01") UDP_IP4);
    CHECK_EVENT(EVENT_NSH_BAD_LENGTH);
    decode_hex(LINK_ETHERNET, MACS "894f 0002");
    CHECK_EVENT(EVENT_NSH_TRUNCATED);
    decode_hex(LINK_ETHERNET, MACS "894f " NSH("06", "01"));
    CHECK_EVENT(EVENT_NSH_TRUNCATED);
    decode_hex_everywhere_cut(LINK_ETHERNET, MACS "894f " NSH("03", "02") "00000000 " UDP_IP6);
}

int main(void)
{
    vlan();
    fabrics();
    macsec();
    mpls();
    nsh();
    return check_done();
}
