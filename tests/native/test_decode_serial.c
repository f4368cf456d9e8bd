/* Links of wide area networks. */
#include "frames.h"

static void pppoe(void)
{
    decode_hex(LINK_ETHERNET, MACS "8864 1100 0001 0022 0021 " UDP_IP4 "0000");
    CHECK_UDP();
    decode_hex(51, "1100 0001 0036 0057 " UDP_IP6);
    CHECK_UDP();
    decode_hex(51, "2100 0001 0022 0021 " UDP_IP4);
    CHECK_EVENT(EVENT_PPPOE_BAD_VERSION);
    decode_hex(51, "1109 0000 0004 01010000"); /* discovery */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(51, "1100 0001 0100 0021 " UDP_IP4);
    CHECK_EVENT(EVENT_PPPOE_BAD_LENGTH);
    CHECK_EQ(packet.kind, PACKET_IP);
    decode_hex(51, "1100 00");
    CHECK_EVENT(EVENT_PPPOE_TRUNCATED);
    decode_hex_everywhere_cut(LINK_ETHERNET, MACS "8864 1100 0001 0022 0021 " UDP_IP4);
}

static void ppp(void)
{
    decode_hex(9, "ff03 0021 " UDP_IP4);
    CHECK_UDP();
    decode_hex(9, "21 " UDP_IP4); /* the protocol in one byte */
    CHECK_UDP();
    decode_hex(50, "ff03 0057 " UDP_IP6);
    CHECK_UDP();
    decode_hex(166, "01 ff03 0021 " UDP_IP4); /* a direction before all */
    CHECK_UDP();
    decode_hex(9, "ff03 0281 00020140 " UDP_IP4);
    CHECK_UDP();
    decode_hex(9, "ff03 c021 01010004");
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(9, "ff03");
    CHECK_EVENT(EVENT_PPP_TRUNCATED);
    decode_hex(9, "ff03 c0");
    CHECK_EVENT(EVENT_PPP_TRUNCATED);
    decode_hex_everywhere_cut(9, "ff03 0021 " UDP_IP4);
}

static void cisco_hdlc(void)
{
    decode_hex(104, "0f00 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(104, "ff03 0021 " UDP_IP4);
    CHECK_UDP();
    decode_hex(9, "8f00 86dd " UDP_IP6);
    CHECK_UDP();
    decode_hex(104, "0f00");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
}

static void frame_relay(void)
{
    decode_hex(107, "1861 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(107, "18 60 00 01 0800 " UDP_IP4); /* an address of four bytes */
    CHECK_UDP();
    decode_hex(107, "1861 03 cc " UDP_IP4);
    CHECK_UDP();
    decode_hex(107, "1861 03 8e " UDP_IP6);
    CHECK_UDP();
    decode_hex(107, "1861 03 00 80 000000 0800 " UDP_IP4);
    CHECK_UDP();
    decode_hex(107, "1861 03 08 0000"); /* Q.933 */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(107, "18 60 00 02 04 0800");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex(107, "1861 08");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex(107, "1861 03 00");
    CHECK_EVENT(EVENT_LINK_TRUNCATED);
    decode_hex_everywhere_cut(107, "1861 03 00 80 000000 0800 " UDP_IP4);
}

int main(void)
{
    pppoe();
    ppp();
    cisco_hdlc();
    frame_relay();
    return check_done();
}
