/* Tunnels: the innermost flow is the packet's, the tunnel's own are in outer. */
#include "frames.h"

static void over_ip(void)
{
    decode_hex(LINK_RAW, "45000034 00010000 40040000 c6336401 c6336402 " UDP_IP4);
    CHECK_UDP();
    CHECK_EQ(packet.outers, 1);
    CHECK_EQ(packet.outer[0].proto, IP_PROTO_IPIP);
    CHECK(addressed(packet.outer[0].src, "00000000000000000000ffffc6336401"));
    CHECK(addressed(packet.outer[0].dst, "00000000000000000000ffffc6336402"));
    CHECK(addressed(packet.src, "00000000000000000000ffffc0000201"));
    decode_hex(LINK_RAW, "45000048 00010000 40290000 c6336401 c6336402 " UDP_IP6); /* 6in4 */
    CHECK_UDP();
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_IP6 | LAYER_UDP);
    decode_hex(LINK_RAW, IP6("0020", "04") UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_RAW, IP6("002e", "8f") ETHERNET_IP4 UDP_IP4); /* RFC 8986 */
    CHECK_UDP();
    decode_hex(LINK_RAW, "45000038 00010000 40890000 c6336401 c6336402 00020140 " UDP_IP4);
    CHECK_UDP();
    decode_hex_everywhere_cut(LINK_RAW, "45000048 00010000 40290000 c6336401 c6336402 " UDP_IP6);
}

/* Three IP headers: the two outer ones are kept, from the outside; of four, too. */
static void nested(void)
{
    decode_hex(LINK_RAW, "45000048 00010000 40040000 c6336401 c6336402 "
                         "45000034 00010000 40040000 cb007101 cb007102 " UDP_IP4);
    CHECK_UDP();
    CHECK_EQ(packet.outers, 2);
    CHECK(addressed(packet.outer[0].src, "00000000000000000000ffffc6336401"));
    CHECK(addressed(packet.outer[1].src, "00000000000000000000ffffcb007101"));
    decode_hex(LINK_RAW, "4500005c 00010000 40040000 c6336401 c6336402 "
                         "45000048 00010000 40040000 cb007101 cb007102 "
                         "45000034 00010000 40040000 0a000001 0a000002 " UDP_IP4);
    CHECK_UDP();
    CHECK_EQ(packet.outers, 2);
    CHECK(addressed(packet.outer[1].src, "00000000000000000000ffffcb007101"));
}

/* A tunnel that holds rubbish leaves its own flow as what the packet is about. */
static void broken_inside(void)
{
    decode_hex(LINK_RAW, "4500001c 00010000 40040000 c6336401 c6336402 35000020 00010000");
    CHECK_EVENT(EVENT_IPV4_BAD_VERSION);
    CHECK_EQ(packet.kind, PACKET_IP);
    CHECK_EQ(packet.proto, IP_PROTO_IPIP);
    CHECK_EQ(packet.outers, 0);
    CHECK(addressed(packet.src, "00000000000000000000ffffc6336401"));
}

static void gre_shapes(void)
{
    static const char *const headers[] = {
        "0000 0800 ",                                      /* plain */
        "8000 0800 00000000 ",                             /* check sum */
        "2000 0800 00000001 ",                             /* key */
        "b000 0800 00000000 00000001 00000002 ",           /* all three */
        "4000 0800 00000000 00020004 00000000 00000000 ",  /* a source route, and its end */
        "3081 880b 00200001 00000001 00000002 ff03 0021 ", /* version 1 (PPTP) */
        "0000 6558 " ETHERNET_IP4,
        "0000 88be " ETHERNET_IP4,
        "1000 88be 00000001 10000000 00000000 " ETHERNET_IP4,          /* ERSPAN 2 */
        "1000 22eb 00000001 20000000 00000000 00000000 " ETHERNET_IP4, /* ERSPAN 3 */
        "0000 8847 00020140 ",
        "0000 8200 0801 0000 020000000002 020000000001 020000000003 0000 aaaa03 000000 0800 ",
    };

    for (unsigned i = 0; i < sizeof headers / sizeof *headers; i++) {
        char hex[1024];
        snprintf(hex, sizeof hex, "%s%s%s", "45000000 00010000 402f0000 c6336401 c6336402 ",
                 headers[i], UDP_IP4);
        decode_hex(LINK_RAW, hex);
        CHECK_UDP();
        CHECK_EQ(packet.outers, 1);
        CHECK_EQ(packet.outer[0].proto, IP_PROTO_GRE);
        decode_hex_everywhere_cut(LINK_RAW, hex);
    }
}

static void gre_defective(void)
{
    decode_hex(LINK_RAW, "45000018 00010000 402f0000 c6336401 c6336402 0007 0800");
    CHECK_EVENT(EVENT_GRE_BAD_VERSION);
    decode_hex(LINK_RAW, "45000016 00010000 402f0000 c6336401 c6336402 0000");
    CHECK_EVENT(EVENT_GRE_TRUNCATED);
    decode_hex(LINK_RAW, "45000018 00010000 402f0000 c6336401 c6336402 2000 0800");
    CHECK_EVENT(EVENT_GRE_TRUNCATED);
    decode_hex(LINK_RAW,
               "45000020 00010000 402f0000 c6336401 c6336402 4000 0800 00000000 00020008");
    CHECK_EVENT(EVENT_GRE_TRUNCATED);
    decode_hex(LINK_RAW, "4500001c 00010000 402f0000 c6336401 c6336402 1000 88be 00000001");
    CHECK_EQ(defects, 0); /* nothing in it */
    decode_hex(LINK_RAW, "45000018 00010000 402f0000 c6336401 c6336402 0000 0800"); /* keepalive */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.proto, IP_PROTO_GRE);
}

static void etherip(void)
{
    decode_hex(LINK_RAW, "45000044 00010000 40610000 c6336401 c6336402 3000 " ETHERNET_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(LINK_RAW, "45000016 00010000 40610000 c6336401 c6336402 4000");
    CHECK_EQ(defects, 0);
    decode_hex(LINK_RAW, "45000015 00010000 40610000 c6336401 c6336402 30");
    CHECK_EVENT(EVENT_ETHERIP_TRUNCATED);
}

/* A datagram to a port; its lengths are left open, so that all that follows is in it. */
#define TO(port) "45000000 00010000 40110000 c6336401 c6336402 1388" port "00000000 "

/* Each with the header that its port promises, in front of a datagram. */
static void over_udp(void)
{
    static const struct {
        const char *to, *header, *inner;
    } shapes[] = {
        {TO("12b5"), "08000000 00000100 " ETHERNET_IP4, UDP_IP4},            /* VXLAN */
        {TO("2118"), "08000000 00000100 " ETHERNET_IP4, UDP_IP4},            /* Linux' old port */
        {TO("17c1"), "0000 6558 00000100 " ETHERNET_IP4, UDP_IP4},           /* Geneve */
        {TO("17c1"), "0100 0800 00000100 01020000 ", UDP_IP4},               /* with an option */
        {TO("0868"), "30ff 0020 00000001 ", UDP_IP4},                        /* GTP-U */
        {TO("0868"), "32ff 0024 00000001 0001 00 00 ", UDP_IP4},             /* a sequence number */
        {TO("0868"), "34ff 0028 00000001 0000 00 85 01 00 09 00 ", UDP_IP4}, /* an extension */
        {TO("0d3a"), "1eff 0020 0000 0001 ffffffff 4200012143658709 ", UDP_IP4}, /* version 0 */
        {TO("0dd8"), "", UDP_IP6},                                               /* Teredo */
        {TO("0dd8"), "0000 3456 3fff8001 ", UDP_IP6},                            /* origin */
        {TO("0dd8"), "0001 02 01 aabb cc 0102030405060708 00 0000 3456 3fff8001 ", UDP_IP6},
        {TO("06a5"), "0002 0001 0001 ff03 0021 ", UDP_IP4},       /* L2TP */
        {TO("147f"), "00100200 00000000 " ETHERNET_IP4, UDP_IP4}, /* CAPWAP, 802.3 */
        {TO("147f"),
         "00100300 00000000 0108 0000 020000000002 020000000001 020000000003 0000 "
         "aaaa03 000000 0800 ",
         UDP_IP4},
    };

    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        char hex[1024];
        snprintf(hex, sizeof hex, "%s%s%s", shapes[i].to, shapes[i].header, shapes[i].inner);
        decode_hex(LINK_RAW, hex);
        CHECK_UDP();
        CHECK_EQ(packet.outers, 1);
        CHECK_EQ(packet.outer[0].proto, IP_PROTO_UDP);
        CHECK_EQ(packet.outer[0].sport, 5000);
        decode_hex_everywhere_cut(LINK_RAW, hex);
    }
}

static void l2tp(void)
{
    /* length 52: 16 of header, offset included, 4 of PPP, 32 of datagram */
    decode_hex(LINK_RAW, TO("06a5") "4a02 0034 0001 0001 0000 0000 0002 0000 ff03 0021 " UDP_IP4);
    CHECK_EQ(events.count[EVENT_L2TP_BAD_LENGTH], 0);
    CHECK_UDP();
    decode_hex(LINK_RAW, TO("06a5") "4002 0004 0001 0001 ff03 0021 " UDP_IP4);
    CHECK_EVENT(EVENT_L2TP_BAD_LENGTH);
    decode_hex(LINK_RAW, TO("06a5") "4002 0400 0001 0001 ff03 0021 " UDP_IP4);
    CHECK_EVENT(EVENT_L2TP_BAD_LENGTH);
    decode_hex(LINK_RAW, TO("06a5") "c802 000c 0001 0000 0000 0000"); /* control */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.dport, 1701);
    decode_hex(LINK_RAW, TO("06a5") "0003 0000"); /* version 3 */
    CHECK_EQ(defects, 0);
    decode_hex(LINK_RAW, TO("06a5") "0002 0001");
    CHECK_EVENT(EVENT_L2TP_TRUNCATED);
    decode_hex(LINK_RAW, TO("06a5") "0202 0001 0001 0009");
    CHECK_EVENT(EVENT_L2TP_TRUNCATED);
}

static void ayiya(void)
{
    /* an identity of 2^4 bytes, a signature of 5 words, IPv6 */
    decode_hex(LINK_RAW, TO("13d0") "4052 1129 00000000 00000000000000000000000000000001 "
                                    "0000000000000000000000000000000000000000 " UDP_IP6);
    CHECK_UDP();
    decode_hex(LINK_RAW, TO("13d0") "4052 113b 00000000 00000000000000000000000000000001 "
                                    "0000000000000000000000000000000000000000");
    CHECK_EQ(defects, 0);
    decode_hex(LINK_RAW, TO("13d0") "4052 1129 00000000 0000");
    CHECK_EVENT(EVENT_AYIYA_TRUNCATED);
}

/* On a tunnel's port, but not a tunnel: the UDP flow stays, without a complaint. */
static void not_tunnels(void)
{
    static const char *const others[] = {
        TO("12b5") "00000000 00000100 00", TO("12b5") "08000000 00000101 00",
        TO("17c1") "4000 6558 00000100",   TO("0868") "3001 0000 00000000",
        TO("0868") "4eff 0000 00000000",   TO("0dd8") "4500 0000",
        TO("147f") "01000000 00000000",    TO("147f") "00000000 00000000",
        TO("147f") "00100080 00000000",
    };

    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        decode_hex(LINK_RAW, others[i]);
        CHECK_EQ(defects, 0);
        CHECK_EQ(packet.kind, PACKET_IP);
        CHECK_EQ(packet.proto, IP_PROTO_UDP);
        CHECK_EQ(packet.sport, 5000);
        CHECK_EQ(packet.outers, 0);
    }
}

static void truncated(void)
{
    decode_hex(LINK_RAW, TO("12b5") "08000000");
    CHECK_EVENT(EVENT_VXLAN_TRUNCATED);
    decode_hex(LINK_RAW, TO("17c1") "0000");
    CHECK_EVENT(EVENT_GENEVE_TRUNCATED);
    decode_hex(LINK_RAW, TO("17c1") "0200 0800 00000100 01020000");
    CHECK_EVENT(EVENT_GENEVE_TRUNCATED);
    decode_hex(LINK_RAW, TO("0868") "30ff");
    CHECK_EVENT(EVENT_GTP_TRUNCATED);
    decode_hex(LINK_RAW, TO("0868") "32ff 0002 00000001 0001");
    CHECK_EVENT(EVENT_GTP_TRUNCATED);
    decode_hex(LINK_RAW, TO("0868") "34ff 0008 00000001 0000 00 85 00 00 09 00");
    CHECK_EVENT(EVENT_GTP_TRUNCATED); /* an extension of no length */
    decode_hex(LINK_RAW, TO("0868") "30ff 0400 00000001 " UDP_IP4);
    CHECK_EVENT(EVENT_GTP_BAD_LENGTH);
    decode_hex(LINK_RAW, TO("0dd8") "0001 0201 aabb");
    CHECK_EVENT(EVENT_TEREDO_TRUNCATED);
    decode_hex(LINK_RAW, TO("0dd8") "0000 3456");
    CHECK_EVENT(EVENT_TEREDO_TRUNCATED);
    decode_hex(LINK_RAW, TO("147f") "00100200");
    CHECK_EVENT(EVENT_CAPWAP_TRUNCATED);
    decode_hex(LINK_RAW, TO("147f") "00f80200 00000000");
    CHECK_EVENT(EVENT_CAPWAP_TRUNCATED);
}

int main(void)
{
    over_ip();
    nested();
    broken_inside();
    gre_shapes();
    gre_defective();
    etherip();
    over_udp();
    l2tp();
    ayiya();
    not_tunnels();
    truncated();
    return check_done();
}
