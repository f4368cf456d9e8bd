/* IPv4. */
#include "frames.h"

static void header(void)
{
    decode_hex(LINK_RAW, UDP_IP4 "0000"); /* with padding */
    CHECK_UDP();
    CHECK_EQ(packet.ip_version, 4);
    CHECK_EQ(packet.ttl, 64);
    CHECK_EQ(packet.ip_length, 32);
    CHECK(!packet.fragment);
    CHECK(!packet.later_fragment);
    CHECK(addressed(packet.src, "00000000000000000000ffffc0000201"));
    CHECK(addressed(packet.dst, "00000000000000000000ffffc0000202"));
    /* options */
    decode_hex(LINK_RAW, "46000024 00010000 40110000 c0000201 c0000202 01010100 " UDP);
    CHECK_UDP();
    /* no length: a card that cuts fills it in */
    decode_hex(LINK_RAW, IP4("0000", "11") UDP);
    CHECK_UDP();
    CHECK_EQ(packet.ip_length, 32);
    decode_hex_everywhere_cut(LINK_RAW,
                              "46000024 00010000 40110000 c0000201 c0000202 01010100 " UDP);
}

static void defective(void)
{
    decode_hex(LINK_ETHERNET, ETHERNET_IP4 "55000020 00010000 40110000 c0000201 c0000202 " UDP);
    CHECK_EVENT(EVENT_IPV4_BAD_VERSION);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    CHECK_EQ(packet.layers, LAYER_IP4);
    decode_hex(LINK_ETHERNET, ETHERNET_IP4 UDP_IP6);
    CHECK_EVENT(EVENT_IPV4_BAD_VERSION);
    CHECK_EQ(packet.ip_version, 6);
    decode_hex(LINK_RAW, "44000020 00010000 40110000 c0000201 c0000202 " UDP);
    CHECK_EVENT(EVENT_IPV4_BAD_HEADER_LENGTH);
    decode_hex(LINK_RAW, "4f000020 00010000 40110000 c0000201 c0000202 " UDP);
    CHECK_EVENT(EVENT_IPV4_BAD_TOTAL_LENGTH); /* 60 bytes of header in 32 */
    decode_hex(LINK_RAW, "4f000040 00010000 40110000 c0000201 c0000202 " UDP);
    CHECK_EQ(events.count[EVENT_IPV4_BAD_TOTAL_LENGTH], 1);
    CHECK_EQ(events.count[EVENT_IPV4_TRUNCATED], 1);
    decode_hex(LINK_RAW, IP4("0010", "11") UDP);
    CHECK_EVENT(EVENT_IPV4_BAD_TOTAL_LENGTH);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(LINK_RAW, IP4("0100", "11") UDP); /* a lie: what is there is read */
    CHECK_EVENT(EVENT_IPV4_BAD_TOTAL_LENGTH);
    CHECK_EQ(packet.ip_length, 32);
    CHECK_EQ(packet.payload_length, 4);
    decode_hex(LINK_RAW, IP4("0021", "11") UDP); /* by one byte */
    CHECK_EVENT(EVENT_IPV4_BAD_TOTAL_LENGTH);
    decode_hex_cut(LINK_RAW, IP4("0021", "11") UDP, 2); /* though the capture cut, too */
    CHECK_EVENT(EVENT_IPV4_BAD_TOTAL_LENGTH);
    decode_hex(LINK_RAW, "4500001c 0001");
    CHECK_EVENT(EVENT_IPV4_TRUNCATED);
}

/* A snap length is no defect, and lengths are told from the headers. */
static void cut_by_the_capture(void)
{
    decode_hex_cut(LINK_RAW, UDP_IP4, 3);
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.payload.left, 1);
    CHECK_EQ(packet.payload_length, 4);
    CHECK_EQ(packet.ip_length, 32);
    decode_hex_cut(LINK_RAW, UDP_IP4 "000000000000", 8); /* padding was lost as well */
    CHECK_EQ(packet.payload.left, 2);
    CHECK_EQ(packet.payload_length, 4);
}

#define FRAGMENT(field) "45000020 0007" field "40110000 c0000201 c0000202 " UDP

static void fragments(void)
{
    decode_hex(LINK_RAW, FRAGMENT("2000"));
    CHECK_UDP();
    CHECK(packet.fragment && !packet.later_fragment && !packet.last_fragment);
    CHECK_EQ(packet.fragment_id, 7);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_UDP | LAYER_FRAGMENT);
    decode_hex(LINK_RAW, FRAGMENT("2001"));
    CHECK(packet.fragment && packet.later_fragment && !packet.last_fragment);
    CHECK_EQ(packet.kind, PACKET_IP);
    CHECK_EQ(packet.proto, IP_PROTO_UDP);
    CHECK(!packet.has_transport && !packet.has_ports);
    CHECK_EQ(packet.sport, 0);
    CHECK_EQ(packet.payload.left, 12);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_FRAGMENT);
    decode_hex(LINK_RAW, FRAGMENT("0001"));
    CHECK(packet.fragment && packet.later_fragment && packet.last_fragment);
    decode_hex(LINK_RAW, FRAGMENT("4000")); /* may not be fragmented */
    CHECK_UDP();
    CHECK(!packet.fragment);
}

int main(void)
{
    header();
    defective();
    cut_by_the_capture();
    fragments();
    return check_done();
}
