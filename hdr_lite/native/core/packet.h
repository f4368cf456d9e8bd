/* One decoded packet: what decode_packet() fills and the meter reads.
 *
 * Addresses are 16 bytes; an IPv4 address is held as ::ffff:a.b.c.d (RFC 4291,
 * 2.5.5.2), so that one flow key serves both. The outer headers that led to the
 * judged transport are in `layers`; when packets are tunnelled, addresses and
 * ports are those of the innermost flow, and `outer` holds those around it. The
 * payload cursor points into the caller's packet and is valid only as long as that is.
 *
 * Fields outside what `kind`, `has_mac`, `quoted.present` and `outers` vouch
 * for are not written, to spare the time, and hold whatever was there before.
 */
#ifndef HDR_LITE_PACKET_H
#define HDR_LITE_PACKET_H

#include "cursor.h"
#include "event.h"

enum ip_protocol {
    IP_PROTO_HOPOPTS = 0,
    IP_PROTO_ICMP = 1,
    IP_PROTO_IPIP = 4,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_IPV6 = 41,
    IP_PROTO_ROUTING = 43,
    IP_PROTO_FRAGMENT = 44,
    IP_PROTO_GRE = 47,
    IP_PROTO_ESP = 50,
    IP_PROTO_AH = 51,
    IP_PROTO_ICMP6 = 58,
    IP_PROTO_NONE = 59,
    IP_PROTO_DSTOPTS = 60,
    IP_PROTO_MOBILITY = 135,
    IP_PROTO_SCTP = 132,
};

enum tcp_flag {
    TCP_FIN = 1,
    TCP_SYN = 2,
    TCP_RST = 4,
    TCP_PSH = 8,
    TCP_ACK = 16,
    TCP_URG = 32,
    TCP_ECE = 64,
    TCP_CWR = 128,
};

/* Bits of packet.layers: a frame that holds the layer at any depth, headers
 * quoted in ICMP errors included (tshark's meaning). */
enum layer {
    LAYER_IP4 = 1 << 0,
    LAYER_IP6 = 1 << 1,
    LAYER_TCP = 1 << 2,
    LAYER_UDP = 1 << 3,
    LAYER_ICMP = 1 << 4,
    LAYER_ICMP6 = 1 << 5,
    LAYER_ARP = 1 << 6,
    LAYER_FRAGMENT = 1 << 7, /* an IP fragment, first or later or (IPv6) the only one */
};

/* What the packet is about, for the meter. */
enum packet_kind {
    PACKET_OTHER = 0, /* nothing that the meter follows: counted only */
    PACKET_IP,        /* src, dst, proto and what belongs to that proto are set */
    PACKET_ARP,       /* arp is set */
    PACKET_IMPOSSIBLE /* as PACKET_IP, but its addresses cannot be true: counted only */
};

struct arp_fact { /* RFC 826 */
    uint16_t operation;
    uint8_t sender_mac[6], target_mac[6];
    uint8_t sender_ip[4], target_ip[4];
};

/* The headers quoted in an ICMP or ICMPv6 error (RFC 792, RFC 4443): the flow it is about. */
struct quoted_flow {
    bool present;
    uint8_t proto;
    uint8_t src[16], dst[16]; /* as quoted: src is who sent the packet complained of */
    uint16_t sport, dport;    /* ICMP: type and code; 0 for protocols without ports */
    uint16_t icmp_id;         /* echo identifier, 0 otherwise */
};

/* A tunnel's own IP flow. */
struct outer_flow {
    uint8_t proto;
    uint8_t src[16], dst[16];
    uint16_t sport, dport; /* 0 for protocols without ports */
};

struct packet {
    uint64_t ts; /* nanoseconds since the epoch */
    uint32_t wire_length, captured_length;
    uint32_t layers;    /* enum layer */
    uint16_t interface; /* index in the list of sources */
    uint8_t kind;       /* enum packet_kind */
    bool has_mac;
    uint8_t smac[6], dmac[6]; /* of the outermost link; dmac is zero where it is not told (SLL) */
    uint16_t vlan;            /* outermost VLAN identifier, 0 when untagged */

    uint8_t ip_version; /* 4 or 6 */
    uint8_t proto;      /* enum ip_protocol, after extension headers */
    uint8_t ttl;
    bool fragment;       /* part of a fragmented datagram */
    bool later_fragment; /* not its first part: no ports */
    bool last_fragment;  /* its last part */
    uint32_t fragment_id;
    uint32_t ip_length; /* of this IP packet by its header, header included */
    uint8_t src[16], dst[16];

    uint16_t sport, dport; /* TCP, UDP, SCTP; ICMP: type and code */
    uint16_t icmp_id;      /* echo identifier, 0 otherwise */
    uint8_t tcp_flags;
    uint16_t tcp_window;
    uint32_t tcp_seq, tcp_ack;
    bool has_ports;     /* TCP, UDP, SCTP: the ports were there */
    bool has_transport; /* the fixed part of the transport header was whole and made sense */

    struct cursor payload;   /* what was captured of the transport payload */
    uint32_t payload_length; /* what the headers say it is (at least payload.left) */
    struct quoted_flow quoted;
    uint8_t outers; /* how many of outer are set: the outermost and the one inside it */
    struct outer_flow outer[2];
    struct arp_fact arp;
};

#endif
