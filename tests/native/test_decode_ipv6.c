/* IPv6 and its extension headers. */
#include "frames.h"

static void header(void)
{
    decode_hex(LINK_RAW, UDP_IP6 "0000");
    CHECK_UDP();
    CHECK_EQ(packet.ip_version, 6);
    CHECK_EQ(packet.ttl, 64);
    CHECK_EQ(packet.ip_length, 52);
    CHECK_EQ(packet.layers, LAYER_IP6 | LAYER_UDP);
    CHECK(addressed(packet.src, "20010db8000000000000000000000001"));
    CHECK(addressed(packet.dst, "20010db8000000000000000000000002"));
    decode_hex(LINK_RAW, IP6("0000", "3b") "0000"); /* nothing follows */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_IP);
    CHECK_EQ(packet.proto, IP_PROTO_NONE);
    CHECK_EQ(packet.payload_length, 0);
    decode_hex_everywhere_cut(LINK_RAW, UDP_IP6);
}

static void defective(void)
{
    decode_hex(LINK_ETHERNET, ETHERNET_IP6 UDP_IP4);
    CHECK_EVENT(EVENT_IPV6_BAD_VERSION);
    CHECK_EQ(packet.layers, LAYER_IP6);
    decode_hex(LINK_RAW, "60000000 000c 11 40 2001");
    CHECK_EVENT(EVENT_IPV6_TRUNCATED);
    decode_hex(LINK_RAW, IP6("0100", "11") UDP);
    CHECK_EVENT(EVENT_IPV6_BAD_PAYLOAD_LENGTH);
    CHECK_EQ(packet.ip_length, 52);
    CHECK_EQ(packet.payload_length, 4);
}

/* An IPv4 address in IPv6's clothes would pass for the IPv4 host. */
static void mapped(void)
{
    decode_hex(LINK_RAW, "60000000 000c 11 40 00000000000000000000ffffc0000201"
                         "20010db8000000000000000000000002 " UDP);
    CHECK_EVENT(EVENT_IPV6_MAPPED_ADDRESS);
    CHECK_EQ(packet.kind, PACKET_IMPOSSIBLE);
    CHECK_EQ(packet.dport, 53);
    decode_hex(LINK_RAW, "60000000 000c 11 40 20010db8000000000000000000000001"
                         "00000000000000000000ffffc0000201 " UDP);
    CHECK_EVENT(EVENT_IPV6_MAPPED_ADDRESS);
    /* quoted: told of no flow */
    decode_hex(LINK_RAW, IP6("0034", "3a") "0100 0000 00000000 60000000 000c 11 40 "
                                           "00000000000000000000ffffc0000201 "
                                           "00000000000000000000ffffc0000202 03e80035 ");
    CHECK(!packet.quoted.present);
}

static void extensions(void)
{
    /* hop-by-hop, destination options of 16 bytes, routing, mobility; then UDP */
    decode_hex(LINK_RAW,
               IP6("0034", "00") "3c00 0104 00000000 2b01 0104 00000000 00000000 00000000 "
                                 "8700 0000 00000000 1100 0000 00000000 " UDP);
    CHECK_UDP();
    CHECK_EQ(packet.ip_length, 92);
    /* an authentication header of 24 bytes */
    decode_hex(LINK_RAW,
               IP6("0024", "33") "1104 0000 00000001 00000001 000000000000000000000000 " UDP);
    CHECK_UDP();
    decode_hex(LINK_RAW, IP6("0008", "3c") "1101 0104 00000000");
    CHECK_EVENT(EVENT_IPV6_EXTENSION_TRUNCATED);
    decode_hex(LINK_RAW, IP6("0001", "3c") "11");
    CHECK_EVENT(EVENT_IPV6_EXTENSION_TRUNCATED);
    decode_hex(LINK_RAW, IP6("0004", "2c") "11000000");
    CHECK_EVENT(EVENT_IPV6_EXTENSION_TRUNCATED);
    decode_hex(LINK_RAW, IP6("0008", "33") "1104 0000 00000001");
    CHECK_EVENT(EVENT_IPV6_EXTENSION_TRUNCATED);
    char hex[2048] = IP6("0100", "3c");
    for (int i = 0; i < 32; i++)
        strcat(hex, "3c00 0104 00000000 ");
    decode_hex(LINK_RAW, hex);
    CHECK_EVENT(EVENT_IPV6_EXTENSIONS_EXCEEDED);
    decode_hex_everywhere_cut(LINK_RAW, IP6("0024", "33") "1104 0000 00000001 00000001 "
                                                          "000000000000000000000000 " UDP);
    decode_hex_everywhere_cut(LINK_RAW, IP6("0014", "00") "1100 0104 00000000 " UDP);
}

/* A jumbogram's length is in an option, and the header's is zero (RFC 2675). */
static void jumbogram(void)
{
    decode_hex(LINK_RAW, IP6("0000", "00") "1100 c204 00010000 " UDP);
    CHECK_UDP();
    decode_hex(LINK_RAW, IP6("0000", "11") UDP);
    CHECK_EVENT(EVENT_UDP_TRUNCATED);
}

#define FRAGMENT(field) IP6("0014", "2c") "1100" field "00000007 " UDP

static void fragments(void)
{
    decode_hex(LINK_RAW, FRAGMENT("0001"));
    CHECK_UDP();
    CHECK(packet.fragment && !packet.later_fragment && !packet.last_fragment);
    CHECK_EQ(packet.fragment_id, 7);
    CHECK_EQ(packet.layers, LAYER_IP6 | LAYER_UDP | LAYER_FRAGMENT);
    decode_hex(LINK_RAW, FRAGMENT("0010"));
    CHECK(packet.fragment && packet.later_fragment && packet.last_fragment);
    CHECK_EQ(packet.proto, IP_PROTO_UDP);
    CHECK(!packet.has_transport);
    CHECK_EQ(packet.payload.left, 12);
    CHECK_EQ(packet.layers, LAYER_IP6 | LAYER_FRAGMENT);
    decode_hex(LINK_RAW, FRAGMENT("0000")); /* atomic: whole (RFC 6946) */
    CHECK_UDP();
    CHECK(!packet.fragment);
    CHECK_EQ(packet.layers, LAYER_IP6 | LAYER_UDP | LAYER_FRAGMENT);
    decode_hex_everywhere_cut(LINK_RAW, FRAGMENT("0001"));
}

int main(void)
{
    header();
    defective();
    mapped();
    extensions();
    jumbogram();
    fragments();
    return check_done();
}
