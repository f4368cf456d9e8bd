/* NFLOG, radiotap, PPI and 802.11 data frames. */
#include "frames.h"

/* An attribute's length and type are in this machine's byte order. */
static void nflog(const char *family, uint16_t length, uint16_t type, const char *rest)
{
    uint8_t bytes[256];
    char hex[32];

    snprintf(hex, sizeof hex, "%s 00 0001", family);
    uint32_t at = from_hex(hex, bytes);
    memcpy(bytes + at, &length, 2);
    memcpy(bytes + at + 2, &type, 2);
    at += 4;
    at += from_hex(rest, bytes + at);
    decode_bytes(239, bytes, at, at);
}

static void nflog_payload(void)
{
    nflog("02", 36, 9, UDP_IP4);
    CHECK_UDP();
    nflog("0a", 56, 9, UDP_IP6);
    CHECK_UDP();
    nflog("07", 36, 9, UDP_IP4); /* a bridge's */
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    nflog("02", 100, 9, UDP_IP4);
    CHECK_EVENT(EVENT_NFLOG_BAD_LENGTH);
    CHECK_EQ(packet.kind, PACKET_IP);
    nflog("02", 3, 1, "");
    CHECK_EVENT(EVENT_NFLOG_BAD_LENGTH);
    nflog("02", 5, 10, "61 000000"); /* a prefix, padded, and no payload */
    CHECK_EQ(defects, 0);
    nflog("02", 12, 1, "00000000 0000");
    CHECK_EVENT(EVENT_NFLOG_TRUNCATED);
    decode_hex(239, "0200");
    CHECK_EVENT(EVENT_NFLOG_TRUNCATED);
    decode_hex(239, "02010001");
    CHECK_EQ(defects, 0);
}

/* To the distribution system: 1 is the access point, 2 the sender, 3 the receiver. */
#define TO_DS(control) control "01 0000 020000000003 020000000001 020000000002 0000 "
#define LLC_IP4 "aaaa03 000000 0800 "

static void wlan(void)
{
    static const uint8_t sender[6] = {2, 0, 0, 0, 0, 1}, receiver[6] = {2, 0, 0, 0, 0, 2};

    decode_hex(105, TO_DS("08") LLC_IP4 UDP_IP4);
    CHECK_UDP();
    CHECK(packet.has_mac);
    CHECK(memcmp(packet.smac, sender, 6) == 0);
    CHECK(memcmp(packet.dmac, receiver, 6) == 0);
    decode_hex(105, TO_DS("88") "0000 " LLC_IP4 UDP_IP4); /* QoS */
    CHECK_UDP();
    decode_hex(105,
               TO_DS("88") "8000 020000000002 020000000001 0028 " LLC_IP4 UDP_IP4); /* A-MSDU */
    CHECK_UDP();
    /* from it, and between two of its stations */
    decode_hex(105, "0802 0000 020000000002 020000000003 020000000001 0000 " LLC_IP4 UDP_IP4);
    CHECK_UDP();
    CHECK(memcmp(packet.smac, sender, 6) == 0);
    CHECK(memcmp(packet.dmac, receiver, 6) == 0);
    decode_hex(
        105, "0803 0000 020000000003 020000000004 020000000002 0000 020000000001 " LLC_IP4 UDP_IP4);
    CHECK_UDP();
    CHECK(memcmp(packet.smac, sender, 6) == 0);
    CHECK(memcmp(packet.dmac, receiver, 6) == 0);
    /* with HT control */
    decode_hex(
        105,
        "8881 0000 020000000003 020000000001 020000000002 0000 0000 00000000 " LLC_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex_everywhere_cut(105, TO_DS("88") "0000 " LLC_IP4 UDP_IP4);
}

static void wlan_without_data(void)
{
    static const char *const frames[] = {
        "8000 0000 ffffffffffff 020000000001 020000000001 0000",          /* beacon */
        TO_DS("48"),                                                      /* no data */
        "0841 0000 020000000003 020000000001 020000000002 0000 00000020", /* protected */
        "0805 0000 020000000003 020000000001 020000000002 0000 aaaa03",   /* a fragment */
        "d400 0000 020000000001",                                         /* acknowledgement */
    };

    for (unsigned i = 0; i < sizeof frames / sizeof *frames; i++) {
        decode_hex(105, frames[i]);
        CHECK_EQ(defects, 0);
        CHECK_EQ(packet.kind, PACKET_OTHER);
        CHECK_EQ(packet.layers, 0);
    }
    decode_hex(105, "0801 0000 0200");
    CHECK_EVENT(EVENT_WLAN_TRUNCATED);
    decode_hex(105, "");
    CHECK_EVENT(EVENT_WLAN_TRUNCATED);
    decode_hex(105, "0803 0000 020000000003 020000000004 020000000002 0000 0200");
    CHECK_EVENT(EVENT_WLAN_TRUNCATED);
    decode_hex(105, TO_DS("88") "00");
    CHECK_EVENT(EVENT_WLAN_TRUNCATED);
    decode_hex(105, TO_DS("88") "8000 0200");
    CHECK_EVENT(EVENT_WLAN_TRUNCATED);
}

static void radiotap(void)
{
    decode_hex(127, "0000 0800 00000000 " TO_DS("08") LLC_IP4 UDP_IP4);
    CHECK_UDP();
    /* flags say that the header is padded: 26 bytes to 28 */
    decode_hex(127, "0000 0900 02000000 20 " TO_DS("88") "0000 0000 " LLC_IP4 UDP_IP4);
    CHECK_UDP();
    /* the same behind a time of 8 bytes, and behind a second word of presence */
    decode_hex(127,
               "0000 1100 03000000 0000000000000000 20 " TO_DS("88") "0000 0000 " LLC_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(127, "0000 1900 03000080 00000000 00000000 0000000000000000 20 " TO_DS(
                        "88") "0000 0000 " LLC_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(127, "0000 0400 00000000");
    CHECK_EVENT(EVENT_RADIOTAP_BAD_LENGTH);
    decode_hex(127, "0100 0800 00000000");
    CHECK_EVENT(EVENT_RADIOTAP_BAD_LENGTH);
    decode_hex(127, "0000 0c00 00000000");
    CHECK_EVENT(EVENT_RADIOTAP_TRUNCATED);
    decode_hex(127, "0000 08");
    CHECK_EVENT(EVENT_RADIOTAP_TRUNCATED);
    decode_hex_everywhere_cut(127,
                              "0000 1900 03000080 00000000 00000000 0000000000000000 20 " TO_DS(
                                  "88") "0000 0000 " LLC_IP4 UDP_IP4);
}

static void ppi(void)
{
    decode_hex(192, "0000 0800 69000000 " TO_DS("08") LLC_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(192, "0000 0c00 01000000 00000000 " ETHERNET_IP4 UDP_IP4);
    CHECK_UDP();
    decode_hex(192, "0000 0800 dc000000 " UDP_IP4);
    CHECK_EQ(defects, 0);
    CHECK_EQ(packet.kind, PACKET_OTHER);
    decode_hex(192, "0000 0400 69000000");
    CHECK_EVENT(EVENT_PPI_BAD_LENGTH);
    decode_hex(192, "0000 0c00 69000000");
    CHECK_EVENT(EVENT_PPI_TRUNCATED);
    decode_hex(192, "0000");
    CHECK_EVENT(EVENT_PPI_TRUNCATED);
}

int main(void)
{
    nflog_payload();
    wlan();
    wlan_without_data();
    radiotap();
    ppi();
    return check_done();
}
