/* Frames written in hex for the tests of the decoders: each decodes into `packet` and
 * `events`. Bytes are copied to memory of exactly their length, so that AddressSanitizer
 * sees a read past the end.
 */
#ifndef HDR_LITE_FRAMES_H
#define HDR_LITE_FRAMES_H

#include "check.h"
#include "decode.h"

#include <stdlib.h>

#define LINK_ETHERNET 1
#define LINK_RAW 101

#define MACS "020000000002 020000000001 "
#define ETHERNET_IP4 MACS "0800 "
#define ETHERNET_IP6 MACS "86dd "
/* 192.0.2.1 > 192.0.2.2: version, length, identification, lifetime and protocol are given. */
#define IP4(length, protocol) "4500" length "00010000 40" protocol "0000 c0000201 c0000202 "
#define IP6_ADDRESSES                                                                              \
    "20010db8000000000000000000000001 "                                                            \
    "20010db8000000000000000000000002 "
#define IP6(length, next) "60000000" length next "40 " IP6_ADDRESSES
#define UDP "03e80035000c0000 deadbeef "     /* port 1000 > 53, 4 bytes */
#define UDP_TO(port) "03e8" port "00000000 " /* as long as it is */
#define TCP "03e80050 00000001 00000002 50120400 00000000 "
/* A whole IPv4 datagram of 32 bytes, and an IPv6 one of 52. */
#define UDP_IP4 IP4("0020", "11") UDP
#define UDP_IP6 IP6("000c", "11") UDP

static struct packet packet;
static struct events events;
static unsigned defects;

static inline unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static inline uint32_t from_hex(const char *hex, uint8_t *out)
{
    uint32_t length = 0;

    for (; *hex; hex++) {
        if (*hex == ' ')
            continue;
        out[length++] = (uint8_t)(nibble(hex[0]) << 4 | nibble(hex[1]));
        hex++;
    }
    return length;
}

/* Decode the first `captured` bytes of a frame of `wire` bytes. */
static inline void decode_bytes(int linktype, const uint8_t *bytes, uint32_t captured,
                                uint32_t wire)
{
    uint8_t *exact = malloc(captured ? captured : 1);

    if (exact == NULL)
        abort();
    memcpy(exact, bytes, captured);
    memset(&packet, 0xa5, sizeof packet); /* what is not written shows */
    memset(&events, 0, sizeof events);
    packet.wire_length = wire;
    packet.captured_length = captured;
    packet.has_mac = false;
    defects = decode_packet(&packet, linktype, exact, captured, &events);
    packet.payload.at = NULL; /* what it points into goes */
    free(exact);
}

static inline void decode_hex(int linktype, const char *hex)
{
    uint8_t bytes[4096];
    uint32_t length = from_hex(hex, bytes);

    decode_bytes(linktype, bytes, length, length);
}

/* As captured with a snap length that leaves the last `lacking` bytes out. */
static inline void decode_hex_cut(int linktype, const char *hex, uint32_t lacking)
{
    uint8_t bytes[4096];
    uint32_t length = from_hex(hex, bytes);

    decode_bytes(linktype, bytes, length - lacking, length);
}

/* The frame is cut at every byte, once on the wire and once by the capture: nothing is read
 * past the end, and a capture's cut is no defect. */
static inline void decode_hex_everywhere_cut(int linktype, const char *hex)
{
    uint8_t bytes[4096];
    uint32_t length = from_hex(hex, bytes);

    for (uint32_t n = 0; n < length; n++) {
        decode_bytes(linktype, bytes, n, n);
        decode_bytes(linktype, bytes, n, length);
        CHECK_EQ(defects, 0);
    }
}

static inline bool addressed(const uint8_t found[16], const char *hex)
{
    uint8_t bytes[16];

    return from_hex(hex, bytes) == 16 && memcmp(found, bytes, 16) == 0;
}

/* One defect was met, and this is its name. */
#define CHECK_EVENT(event)                                                                         \
    do {                                                                                           \
        CHECK_EQ(defects, 1);                                                                      \
        CHECK_EQ(events.count[event], 1);                                                          \
    } while (0)

/* The datagram of UDP_IP4 or UDP_IP6 was reached, without a defect. */
#define CHECK_UDP()                                                                                \
    do {                                                                                           \
        CHECK_EQ(defects, 0);                                                                      \
        CHECK_EQ(packet.kind, PACKET_IP);                                                          \
        CHECK_EQ(packet.proto, IP_PROTO_UDP);                                                      \
        CHECK_EQ(packet.sport, 1000);                                                              \
        CHECK_EQ(packet.dport, 53);                                                                \
        CHECK(packet.has_transport);                                                               \
        CHECK_EQ(packet.payload.left, 4);                                                          \
        CHECK_EQ(packet.payload_length, 4);                                                        \
    } while (0)

#endif
