/* TCP, UDP, SCTP, ICMP and ICMPv6, and the flows that errors quote. */
#include "frames.h"

static void tcp(void)
{
    decode_hex(LINK_RAW, IP4("002a", "06") TCP "abcd");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.proto, IP_PROTO_TCP);
    CHECK(packet.has_transport && packet.has_ports);
    CHECK_EQ(packet.sport, 1000);
    CHECK_EQ(packet.dport, 80);
    CHECK_EQ(packet.tcp_seq, 1);
    CHECK_EQ(packet.tcp_ack, 2);
    CHECK_EQ(packet.tcp_flags, TCP_SYN | TCP_ACK);
    CHECK_EQ(packet.tcp_window, 0x400);
    CHECK_EQ(packet.payload.left, 2);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_TCP);
    /* options */
    decode_hex(LINK_RAW,
               IP4("002e", "06") "03e80050 00000001 00000002 60120400 00000000 02040218 abcd");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.payload_length, 2);
    /* the capture ends within them: the lengths are still right */
    decode_hex_cut(LINK_RAW,
                   IP4("002e", "06") "03e80050 00000001 00000002 60120400 00000000 02040218 abcd",
                   3);
    CHECK_EQ(defects, 0);
    CHECK(packet.has_transport);
    CHECK_EQ(packet.payload.left, 0);
    CHECK_EQ(packet.payload_length, 2);
    decode_hex(LINK_RAW, IP4("0028", "06") "03e80050 00000001 00000002 40120400 00000000");
    CHECK_EVENT(EVENT_TCP_BAD_DATA_OFFSET);
    CHECK(!packet.has_transport && packet.has_ports);
    decode_hex(LINK_RAW, IP4("0028", "06") "03e80050 00000001 00000002 60120400 00000000");
    CHECK_EVENT(EVENT_TCP_BAD_DATA_OFFSET);
    decode_hex(LINK_RAW, IP4("001c", "06") "03e80050 00000001");
    CHECK_EVENT(EVENT_TCP_TRUNCATED);
    CHECK(!packet.has_transport && packet.has_ports);
    CHECK_EQ(packet.dport, 80);
    decode_hex(LINK_RAW, IP4("0016", "06") "03e8");
    CHECK_EVENT(EVENT_TCP_TRUNCATED);
    CHECK(!packet.has_ports);
    decode_hex_everywhere_cut(LINK_RAW, IP4("002a", "06") TCP "abcd");
}

static void udp(void)
{
    decode_hex(LINK_RAW, UDP_IP4);
    CHECK_UDP();
    CHECK(packet.has_ports);
    decode_hex(LINK_RAW,
               IP4("0020", "11") "03e8 0035 000a 0000 deadbeef"); /* shorter than IP says */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.payload_length, 2);
    decode_hex(LINK_RAW, IP4("0020", "11") "03e8 0035 0000 0000 deadbeef"); /* none: the rest */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.payload_length, 4);
    decode_hex(LINK_RAW, IP4("0020", "11") "03e8 0035 0007 0000 deadbeef");
    CHECK_EVENT(EVENT_UDP_BAD_LENGTH);
    CHECK(!packet.has_transport && packet.has_ports);
    decode_hex(LINK_RAW, IP4("0020", "11") "03e8 0035 0080 0000 deadbeef");
    CHECK_EVENT(EVENT_UDP_BAD_LENGTH);
    CHECK(packet.has_transport);
    CHECK_EQ(packet.payload_length, 4);
    /* a first fragment tells the length of the whole */
    decode_hex(LINK_RAW,
               "45000020 00012000 40110000 c0000201 c0000202 03e8 0035 0080 0000 deadbeef");
    CHECK_EQ(defects, 0);
    decode_hex(LINK_RAW, IP4("0018", "11") "03e80035");
    CHECK_EVENT(EVENT_UDP_TRUNCATED);
    decode_hex_everywhere_cut(LINK_RAW, UDP_IP4);
}

static void sctp(void)
{
    decode_hex(LINK_RAW, IP4("0024", "84") "03e8 0050 00000001 00000000 01000004");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.proto, IP_PROTO_SCTP);
    CHECK_EQ(packet.dport, 80);
    CHECK(packet.has_transport);
    CHECK_EQ(packet.payload_length, 4);
    decode_hex(LINK_RAW, IP4("0018", "84") "03e8 0050");
    CHECK_EVENT(EVENT_SCTP_TRUNCATED);
}

static void echo(void)
{
    decode_hex(LINK_RAW, IP4("0020", "01") "0800 0000 1234 0001 deadbeef");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.sport, 8);
    CHECK_EQ(packet.dport, 0);
    CHECK_EQ(packet.icmp_id, 0x1234);
    CHECK(packet.has_transport && !packet.has_ports);
    CHECK_EQ(packet.payload_length, 4);
    CHECK(!packet.quoted.present);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_ICMP);
    decode_hex(LINK_RAW, IP6("0008", "3a") "8100 0000 1234 0001");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.sport, 129);
    CHECK_EQ(packet.icmp_id, 0x1234);
    CHECK_EQ(packet.layers, LAYER_IP6 | LAYER_ICMP6);
    decode_hex(LINK_RAW, IP6("0008", "3a") "8700 0000 1234 0001"); /* a neighbour is asked for */
    CHECK_EQ(packet.icmp_id, 0);
    decode_hex(LINK_RAW, IP4("0016", "01") "0800");
    CHECK_EVENT(EVENT_ICMP_TRUNCATED);
    decode_hex(LINK_RAW, IP6("0006", "3a") "8000 0000 1234");
    CHECK_EVENT(EVENT_ICMP6_TRUNCATED);
}

#define ERROR4(length, type) IP4(length, "01") type " 0000 00000000 "

static void quoted(void)
{
    /* the first 8 bytes of a UDP datagram, which is cut and lies about no length of ours */
    decode_hex(LINK_RAW, ERROR4("0038", "0303") "45000100 00010000 40110000 c0000202 c0000201 "
                                                "0035 03e8 00ec 0000");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.proto, IP_PROTO_ICMP);
    CHECK_EQ(packet.sport, 3);
    CHECK_EQ(packet.dport, 3);
    CHECK(packet.quoted.present);
    CHECK_EQ(packet.quoted.proto, IP_PROTO_UDP);
    CHECK_EQ(packet.quoted.sport, 53);
    CHECK_EQ(packet.quoted.dport, 1000);
    CHECK(addressed(packet.quoted.src, "00000000000000000000ffffc0000202"));
    CHECK(addressed(packet.src, "00000000000000000000ffffc0000201"));
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_ICMP | LAYER_UDP);
    CHECK_EQ(packet.outers, 0);
    CHECK_EQ(packet.payload_length, 28);
    /* an echo request */
    decode_hex(LINK_RAW, ERROR4("0038", "0b00") "45000054 00010000 01010000 c0000202 c0000201 "
                                                "0800 0000 1234 0001");
    CHECK(packet.quoted.present);
    CHECK_EQ(packet.quoted.proto, IP_PROTO_ICMP);
    CHECK_EQ(packet.quoted.sport, 8);
    CHECK_EQ(packet.quoted.icmp_id, 0x1234);
    /* TCP over IPv6 */
    decode_hex(LINK_RAW, IP6("0044", "3a") "0104 0000 00000000 " IP6("0014", "06") TCP);
    CHECK_EQ(defects, 0);
    CHECK(packet.quoted.present);
    CHECK_EQ(packet.quoted.dport, 80);
    CHECK_EQ(packet.layers, LAYER_IP6 | LAYER_ICMP6 | LAYER_TCP);
    CHECK_EQ(packet.sport, 1);
    /* too short for ports; a later fragment; nothing at all; rubbish */
    decode_hex(LINK_RAW,
               ERROR4("0032", "0303") "45000100 00010000 40110000 c0000202 c0000201 0035");
    CHECK_EQ(defects, 0);
    CHECK(!packet.quoted.present);
    decode_hex(LINK_RAW, ERROR4("0038", "0303") "45000100 00010001 40110000 c0000202 c0000201 "
                                                "0035 03e8 00ec 0000");
    CHECK(!packet.quoted.present);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_ICMP | LAYER_FRAGMENT);
    decode_hex(LINK_RAW, ERROR4("001c", "0303"));
    CHECK_EQ(defects, 0);
    CHECK(!packet.quoted.present);
    decode_hex(LINK_RAW, ERROR4("001e", "0303") "ffff");
    CHECK_EQ(defects, 0);
    CHECK(!packet.quoted.present);
    decode_hex_everywhere_cut(
        LINK_RAW,
        ERROR4("0038", "0303") "4500001c 00010000 40110000 c0000202 c0000201 0035 03e8 00ec 0000");
}

/* An error about an error about an error is followed once. */
static void nested_errors(void)
{
    decode_hex(LINK_RAW, ERROR4("0054", "0303") ERROR4("0038", "0303")
                             IP4("001c", "11") "03e8 0035 0008 0000");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.quoted.proto, IP_PROTO_ICMP);
    CHECK_EQ(packet.layers, LAYER_IP4 | LAYER_ICMP);
}

int main(void)
{
    tcp();
    udp();
    sctp();
    echo();
    quoted();
    nested_errors();
    return check_done();
}
