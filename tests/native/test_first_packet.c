/* first_packet.c: who sent a flow's first packet, and what for. */
#include "first_packet.h"

#include "check.h"

static struct packet packet(uint8_t proto, uint16_t sport, uint16_t dport, uint8_t flags,
                            uint32_t payload)
{
    return (struct packet){.proto = proto,
                           .sport = sport,
                           .dport = dport,
                           .tcp_flags = flags,
                           .payload_length = payload};
}

static void test_tcp(void)
{
    static const struct {
        uint16_t sport, dport;
        uint8_t flags;
        uint32_t payload;
        bool reply, opening;
    } CASES[] = {
        {40000, 80, TCP_SYN, 0, false, true},
        {80, 40000, TCP_SYN, 0, false, true}, /* whatever its ports are */
        {40000, 9999, TCP_SYN | TCP_ACK, 0, true, false},
        {40000, 80, TCP_ACK, 0, false, true}, /* so do scans probe */
        {40000, 80, TCP_ACK, 10, false, false},
        {80, 40000, 0, 0, false, true},
        {80, 40000, TCP_ACK, 0, true, true},
        {80, 8080, TCP_ACK, 0, true, true}, /* the lower of two */
        {8080, 80, TCP_ACK, 0, false, true},
        {8080, 40000, TCP_RST, 0, true, false},
        {40000, 8080, TCP_RST, 0, false, false},
    };
    for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct packet p =
            packet(IP_PROTO_TCP, CASES[i].sport, CASES[i].dport, CASES[i].flags, CASES[i].payload);
        CHECK_EQ(first_packet_is_reply(&p), CASES[i].reply);
        CHECK_EQ(first_packet_is_opening(&p), CASES[i].opening);
    }
}

static void test_udp(void)
{
    static const struct {
        uint16_t sport, dport;
        bool reply;
    } CASES[] = {
        {40000, 53, false}, {53, 40000, true}, {53, 53, false},       {1900, 40000, true},
        {67, 68, true},     {68, 67, false},   {40000, 40001, false},
    };
    for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct packet p = packet(IP_PROTO_UDP, CASES[i].sport, CASES[i].dport, 0, 5);
        CHECK_EQ(first_packet_is_reply(&p), CASES[i].reply);
        CHECK(first_packet_is_opening(&p));
    }
}

static void test_other_protocols(void)
{
    struct packet request = packet(IP_PROTO_ICMP, 8, 0, 0, 0);
    struct packet reply = packet(IP_PROTO_ICMP, 0, 0, 0, 0);
    struct packet esp = packet(50, 0, 0, 0, 40);
    CHECK(first_packet_is_opening(&request));
    CHECK(!first_packet_is_opening(&reply));
    CHECK(first_packet_is_opening(&esp));
    CHECK(!first_packet_is_reply(&reply)); /* a lone one is of nobody's flow */
}

static void test_groups(void)
{
    struct packet p = {.dst = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 255}};
    CHECK(!first_packet_is_to_group(&p));
    p.dmac[0] = 0xff;
    CHECK(!first_packet_is_to_group(&p)); /* no link, no address of it */
    p.has_mac = true;
    CHECK(first_packet_is_to_group(&p));
    p.has_mac = false;
    p.dst[12] = 239;
    CHECK(first_packet_is_to_group(&p));
    struct packet ipv6 = {.dst = {0xff, 2}};
    CHECK(first_packet_is_to_group(&ipv6));
    ipv6.dst[0] = 0xfe;
    CHECK(!first_packet_is_to_group(&ipv6));
}

int main(void)
{
    test_tcp();
    test_udp();
    test_other_protocols();
    test_groups();
    return check_done();
}
