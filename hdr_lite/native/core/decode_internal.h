/* What the decoders share: the state of one frame under way.
 *
 * One protocol is one function of one signature: it is given the state and a
 * cursor at its first byte, checks, reads, writes what it learnt to the packet,
 * leaves the cursor behind its header and returns who goes on. decode_packet()
 * is the loop that calls them, so nothing recurses, and counts the layers.
 *
 * To add a protocol: a name in `enum next`, a function below, a line in the table
 * of decode.c, its events in event.h, and whoever hands on to it.
 */
#ifndef HDR_LITE_DECODE_INTERNAL_H
#define HDR_LITE_DECODE_INTERNAL_H

#include "packet.h"

/* Who reads next. */
enum next {
    NEXT_NONE = 0, /* the end, known or not */
    NEXT_ETHERNET,
    NEXT_ETHERTYPE, /* two bytes of EtherType, or of 802.3 length */
    NEXT_VLAN,
    NEXT_VNTAG,
    NEXT_FABRICPATH,
    NEXT_MACSEC,
    NEXT_NSH,
    NEXT_MPLS,
    NEXT_LLC,
    NEXT_SNAP,
    NEXT_SLL,
    NEXT_SLL2,
    NEXT_LOOPBACK,
    NEXT_ARCNET,
    NEXT_PPPOE,
    NEXT_PPP,
    NEXT_CISCO_HDLC,
    NEXT_FRAME_RELAY,
    NEXT_NFLOG,
    NEXT_RADIOTAP,
    NEXT_PPI,
    NEXT_WLAN,
    NEXT_ARP,
    NEXT_IP, /* the version nibble decides */
    NEXT_IPV4,
    NEXT_IPV6,
    NEXT_IPV6_EXTENSION,
    NEXT_IPV6_FRAGMENT,
    NEXT_AH,
    NEXT_TCP,
    NEXT_UDP,
    NEXT_SCTP,
    NEXT_ICMP,
    NEXT_ICMP6,
    NEXT_GRE,
    NEXT_ETHERIP,
    NEXT_VXLAN,
    NEXT_GENEVE,
    NEXT_GTP,
    NEXT_TEREDO,
    NEXT_L2TP,
    NEXT_AYIYA,
    NEXT_CAPWAP,
    NEXT_COUNT
};

struct decode {
    struct packet *packet;
    struct events *events;
    /* Bytes that belong behind the cursor but were not captured (snap length). */
    uint32_t missing;
    unsigned defects;
    unsigned extensions; /* IPv6 extension headers of the present IP header */
    bool quoting;        /* inside the headers that an ICMP error quotes */
    bool impossible;     /* IPv6 addresses that only stand for IPv4 ones were on the wire */
};

/* A defect. What an ICMP error quotes is cut short by design and never counts as one. */
static inline void decode_defect(struct decode *d, enum event event)
{
    if (d->quoting)
        return;
    event_note(d->events, event);
    d->defects++;
}

/* The frame ends inside a header: a defect, unless the capture cut it. */
static inline enum next decode_short(struct decode *d, enum event event)
{
    if (d->missing == 0)
        decode_defect(d, event);
    return NEXT_NONE;
}

/* A layer counts when a header announces it; inside a quotation, when one byte of it is there. */
static inline void decode_layer(struct decode *d, const struct cursor *c, enum layer layer)
{
    if (!d->quoting || c->left > 0)
        d->packet->layers |= layer;
}

/* A header says that `length` bytes follow: what is behind them is padding.
 * False when that is more than there ever was; then nothing is cut. */
static inline bool decode_trim(struct decode *d, struct cursor *c, uint32_t length)
{
    if (length <= c->left) {
        c->left = length;
        d->missing = 0;
        return true;
    }
    uint32_t lacking = length - c->left;
    if (lacking > d->missing)
        return false;
    d->missing = lacking;
    return true;
}

/* Below, an Ethernet frame's type field is an 802.3 length. */
#define ETHERTYPE_LEAST 0x0600u

/* Whoever reads what an EtherType names; NEXT_NONE for those that we do not read. */
enum next next_of_ethertype(uint16_t type);
/* Note an IP header's final protocol number, and who reads it. */
enum next next_of_ip_protocol(struct decode *d, uint8_t protocol);
/* Whoever reads what a PPP protocol number (RFC 1661, 2) names. */
enum next next_of_ppp(uint16_t protocol);
/* Whoever reads what UDP carries between these ports: a tunnel, or NEXT_NONE. */
enum next next_of_udp_ports(uint16_t sport, uint16_t dport);

/* A new innermost IP header was whole: the one before becomes the outer flow, and
 * what was known of a transport is forgotten. */
void decode_enter_ip(struct decode *d, uint8_t version);
/* The transport's payload starts at the cursor. */
void decode_payload(struct decode *d, const struct cursor *c);

typedef enum next decoder(struct decode *d, struct cursor *c);

decoder decode_ethernet, decode_ethertype, decode_llc, decode_snap, decode_sll, decode_sll2,
    decode_loopback, decode_arcnet;
decoder decode_vlan, decode_vntag, decode_fabricpath, decode_macsec, decode_nsh, decode_mpls;
decoder decode_pppoe, decode_ppp, decode_cisco_hdlc, decode_frame_relay;
decoder decode_nflog, decode_radiotap, decode_ppi, decode_wlan, decode_capwap;
decoder decode_arp;
decoder decode_ip, decode_ipv4, decode_ipv6, decode_ipv6_extension, decode_ipv6_fragment, decode_ah;
decoder decode_tcp, decode_udp, decode_sctp, decode_icmp, decode_icmp6;
decoder decode_gre, decode_etherip, decode_vxlan, decode_geneve, decode_gtp, decode_teredo,
    decode_l2tp, decode_ayiya;

#endif
