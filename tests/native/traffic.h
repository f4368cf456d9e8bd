/* Ethernet frames of TCP, UDP and ICMP, made here and fed to the meter of told.h. */
#ifndef HDR_LITE_TRAFFIC_H
#define HDR_LITE_TRAFFIC_H

#include "told.h"

#define INSIDE 0x0a000001u
#define OUTSIDE 0xc6336401u

static uint8_t frame[2048];
static uint32_t frame_length;
static uint16_t interface;

static inline void put16(uint32_t at, uint32_t value)
{
    frame[at] = (uint8_t)(value >> 8);
    frame[at + 1] = (uint8_t)value;
}

static inline void put32(uint32_t at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* Ethernet and IPv4 heads; the rest of the frame is zeros. */
static inline void put_ipv4(uint32_t src, uint32_t dst, uint8_t proto, uint32_t length)
{
    memset(frame, 0, sizeof frame);
    memcpy(frame, "\x02\0\0\0\0", 5);
    frame[5] = (uint8_t)dst;
    memcpy(frame + 6, "\x02\0\0\0\0", 5);
    frame[11] = (uint8_t)src;
    put16(12, 0x0800);
    frame[14] = 0x45;
    put16(16, 20 + length);
    frame[22] = 64;
    frame[23] = proto;
    put32(26, src);
    put32(30, dst);
    frame_length = 34 + length;
}

static inline bool feed_at(uint64_t ts)
{
    return meter_packet(meter, 1, interface, ts, frame_length, frame, frame_length);
}

static inline void feed(void)
{
    CHECK(feed_at(now));
}

struct conn {
    uint32_t client, server;
    uint16_t sport, dport;
};

static const struct conn WEB = {INSIDE, OUTSIDE, 40000, 9999};

static inline void put_tcp(const struct conn *c, bool reply, uint8_t flags, uint32_t seq,
                           uint32_t ack, uint32_t payload)
{
    put_ipv4(reply ? c->server : c->client, reply ? c->client : c->server, 6, 20 + payload);
    put16(34, reply ? c->dport : c->sport);
    put16(36, reply ? c->sport : c->dport);
    put32(38, seq);
    put32(42, ack);
    frame[46] = 0x50;
    frame[47] = flags;
    put16(48, 1000);
}

static inline void tcp_segment(const struct conn *c, bool reply, uint8_t flags, uint32_t seq,
                               uint32_t ack, uint32_t payload)
{
    put_tcp(c, reply, flags, seq, ack, payload);
    feed();
}

static inline void udp_datagram(const struct conn *c, bool reply, uint32_t payload)
{
    put_ipv4(reply ? c->server : c->client, reply ? c->client : c->server, 17, 8 + payload);
    put16(34, reply ? c->dport : c->sport);
    put16(36, reply ? c->sport : c->dport);
    put16(38, 8 + payload);
    feed();
}

static inline void put_echo(uint32_t src, uint32_t dst, uint8_t type, uint16_t identifier)
{
    put_ipv4(src, dst, 1, 16);
    frame[34] = type;
    put16(38, identifier);
}

/* An ICMP error from `from` to the client, about the first packet of the connection. */
static inline void icmp_error(const struct conn *c, uint32_t from, uint8_t type, uint8_t code,
                              uint8_t proto)
{
    put_ipv4(from, c->client, 1, 8 + 28);
    frame[34] = type;
    frame[35] = code;
    frame[42] = 0x45;
    put16(44, 28);
    frame[51] = proto;
    put32(54, c->client);
    put32(58, c->server);
    put16(62, c->sport);
    put16(64, c->dport);
    feed();
}

static inline void handshake(const struct conn *c)
{
    tcp_segment(c, false, TCP_SYN, 100, 0, 0);
    tcp_segment(c, true, TCP_SYN | TCP_ACK, 500, 101, 0);
    tcp_segment(c, false, TCP_ACK, 101, 501, 0);
}

#endif
