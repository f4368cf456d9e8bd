/* The loop over the layers: link types, the layer limit, what is left unset. */
#include "frames.h"

static void link_types(void)
{
    static const int known[] = {0,   1,   9,   12,  14,  50,  51,  101, 104, 105, 107,
                                108, 113, 127, 129, 166, 192, 228, 229, 239, 276};

    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        CHECK(decode_knows(known[i]));
    CHECK(!decode_knows(220)); /* USB_LINUX_MMAPPED */
    CHECK(!decode_knows(-1));
    decode_hex(220, ETHERNET_IP4 UDP_IP4);
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    CHECK_EQ(packet.layers, 0);
}

static void raw_ip_by_its_version(void)
{
    static const int links[] = {12, 14, 101, 228, 229};

    for (unsigned i = 0; i < sizeof links / sizeof *links; i++) {
        decode_hex(links[i], UDP_IP4);
        CHECK_UDP();
        decode_hex(links[i], UDP_IP6);
        CHECK_UDP();
        decode_hex(links[i], "55000000");
        CHECK_EVENT(EVENT_IP_BAD_VERSION);
        CHECK_EQ(packet.layers, 0);
    }
}

/* Tags upon tags: decoding ends, and says so. */
static void layers_are_limited(void)
{
    char hex[4096] = MACS;

    for (int i = 0; i < 30; i++)
        strcat(hex, "8100 0001 ");
    strcat(hex, "0800 " UDP_IP4);
    decode_hex(LINK_ETHERNET, hex);
    CHECK_EVENT(EVENT_LAYERS_EXCEEDED);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    CHECK_EQ(packet.vlan, 1);
}

/* What one frame told does not show in the next. */
static void nothing_is_carried_over(void)
{
    struct events none = {0};
    uint8_t bytes[256];
    uint32_t length = from_hex(MACS "8100 0007 0800 " UDP_IP4, bytes);
    struct packet p = {.wire_length = length, .captured_length = length};

    CHECK_EQ(decode_packet(&p, LINK_ETHERNET, bytes, length, &none), 0);
    CHECK_EQ(p.kind, PACKET_IP);
    CHECK_EQ(p.vlan, 7);
    length = from_hex("fe", bytes);
    p.wire_length = length;
    CHECK_EQ(decode_packet(&p, 228, bytes, length, &none), 1);
    CHECK_EQ(p.kind, PACKET_OTHER);
    CHECK_EQ(p.layers, 0);
    CHECK_EQ(p.vlan, 0);
    CHECK_EQ(p.outers, 0);
    CHECK_EQ(p.payload.left, 0);
    CHECK_EQ(p.payload_length, 0);
    CHECK(!p.has_mac);
    CHECK(!p.quoted.present);
}

int main(void)
{
    link_types();
    raw_ip_by_its_version();
    layers_are_limited();
    nothing_is_carried_over();
    return check_done();
}
