/* From a link type and bytes to a struct packet: the loop over the layers.
 *
 * Link types are libpcap's DLT numbers (pcap-linktype(7)); where a DLT differs
 * between systems (raw IP), each of its numbers is here.
 */
#include "decode.h"
#include "decode_internal.h"

static decoder *const decoders[NEXT_COUNT] = {
    [NEXT_ETHERNET] = decode_ethernet,
    [NEXT_ETHERTYPE] = decode_ethertype,
    [NEXT_VLAN] = decode_vlan,
    [NEXT_VNTAG] = decode_vntag,
    [NEXT_FABRICPATH] = decode_fabricpath,
    [NEXT_MACSEC] = decode_macsec,
    [NEXT_NSH] = decode_nsh,
    [NEXT_MPLS] = decode_mpls,
    [NEXT_LLC] = decode_llc,
    [NEXT_SNAP] = decode_snap,
    [NEXT_SLL] = decode_sll,
    [NEXT_SLL2] = decode_sll2,
    [NEXT_LOOPBACK] = decode_loopback,
    [NEXT_ARCNET] = decode_arcnet,
    [NEXT_PPPOE] = decode_pppoe,
    [NEXT_PPP] = decode_ppp,
    [NEXT_CISCO_HDLC] = decode_cisco_hdlc,
    [NEXT_FRAME_RELAY] = decode_frame_relay,
    [NEXT_NFLOG] = decode_nflog,
    [NEXT_RADIOTAP] = decode_radiotap,
    [NEXT_PPI] = decode_ppi,
    [NEXT_WLAN] = decode_wlan,
    [NEXT_ARP] = decode_arp,
    [NEXT_IP] = decode_ip,
    [NEXT_IPV4] = decode_ipv4,
    [NEXT_IPV6] = decode_ipv6,
    [NEXT_IPV6_EXTENSION] = decode_ipv6_extension,
    [NEXT_IPV6_FRAGMENT] = decode_ipv6_fragment,
    [NEXT_AH] = decode_ah,
    [NEXT_TCP] = decode_tcp,
    [NEXT_UDP] = decode_udp,
    [NEXT_SCTP] = decode_sctp,
    [NEXT_ICMP] = decode_icmp,
    [NEXT_ICMP6] = decode_icmp6,
    [NEXT_GRE] = decode_gre,
    [NEXT_ETHERIP] = decode_etherip,
    [NEXT_VXLAN] = decode_vxlan,
    [NEXT_GENEVE] = decode_geneve,
    [NEXT_GTP] = decode_gtp,
    [NEXT_TEREDO] = decode_teredo,
    [NEXT_L2TP] = decode_l2tp,
    [NEXT_AYIYA] = decode_ayiya,
    [NEXT_CAPWAP] = decode_capwap,
};

static enum next next_of_linktype(int linktype)
{
    switch (linktype) {
    case 1: /* EN10MB */
        return NEXT_ETHERNET;
    case 0:   /* NULL */
    case 108: /* LOOP */
        return NEXT_LOOPBACK;
    case 9:   /* PPP */
    case 50:  /* PPP_SERIAL */
    case 166: /* PPP_PPPD, whose first byte is a direction */
        return NEXT_PPP;
    case 51: /* PPP_ETHER */
        return NEXT_PPPOE;
    case 104: /* C_HDLC */
        return NEXT_CISCO_HDLC;
    case 12: /* RAW, by system */
    case 14:
    case 101:
    case 228: /* IPV4 */
    case 229: /* IPV6 */
        return NEXT_IP;
    case 113:
        return NEXT_SLL;
    case 276:
        return NEXT_SLL2;
    case 105: /* IEEE802_11 */
        return NEXT_WLAN;
    case 107: /* FRELAY */
        return NEXT_FRAME_RELAY;
    case 129: /* ARCNET_LINUX */
        return NEXT_ARCNET;
    case 192:
        return NEXT_PPI;
    case 127: /* IEEE802_11_RADIO */
        return NEXT_RADIOTAP;
    case 239:
        return NEXT_NFLOG;
    default:
        return NEXT_NONE;
    }
}

bool decode_knows(int linktype)
{
    return next_of_linktype(linktype) != NEXT_NONE;
}

/* What others vouch for is set, the rest is left as it was: this runs for every packet. */
static void forget(struct packet *packet)
{
    packet->layers = 0;
    packet->kind = PACKET_OTHER;
    packet->has_mac = false;
    packet->vlan = 0;
    packet->quoted.present = false;
    packet->quoted.proto = 0;
    packet->outers = 0;
    packet->payload.left = 0;
    packet->payload_length = 0;
}

unsigned decode_packet(struct packet *packet, int linktype, const uint8_t *bytes, uint32_t length,
                       struct events *events)
{
    struct decode d = {.packet = packet, .events = events};
    struct cursor c = cursor_over(bytes, length);
    enum next next = next_of_linktype(linktype);
    unsigned layers = 0;

    if (packet->wire_length > length)
        d.missing = packet->wire_length - length;
    forget(packet);
    while (next != NEXT_NONE) {
        if (++layers > DECODE_MAX_LAYERS) {
            decode_defect(&d, EVENT_LAYERS_EXCEEDED);
            break;
        }
        next = decoders[next](&d, &c);
    }
    if (d.impossible && packet->kind == PACKET_IP)
        packet->kind = PACKET_IMPOSSIBLE;
    return d.defects;
}

void decode_enter_ip(struct decode *d, uint8_t version)
{
    struct packet *p = d->packet;

    d->extensions = 0;
    if (d->quoting)
        return;
    if (p->kind == PACKET_IP && p->outers < 2) {
        struct outer_flow *outer = &p->outer[p->outers++];
        outer->proto = p->proto;
        outer->sport = p->sport;
        outer->dport = p->dport;
        memcpy(outer->src, p->src, 16);
        memcpy(outer->dst, p->dst, 16);
    }
    p->kind = PACKET_IP;
    p->ip_version = version;
    p->fragment = false;
    p->later_fragment = false;
    p->last_fragment = false;
    p->has_ports = false;
    p->has_transport = false;
    p->sport = 0;
    p->dport = 0;
    p->icmp_id = 0;
    p->tcp_flags = 0;
}

void decode_payload(struct decode *d, const struct cursor *c)
{
    d->packet->payload = *c;
    d->packet->payload_length = c->left + d->missing;
}

enum next next_of_ethertype(uint16_t type)
{
    switch (type) {
    case 0x0800:
        return NEXT_IPV4;
    case 0x86dd:
        return NEXT_IPV6;
    case 0x0806:
        return NEXT_ARP;
    case 0x8100: /* 802.1Q, 802.1ad, and what came before the latter */
    case 0x88a8:
    case 0x9100:
    case 0x9200:
        return NEXT_VLAN;
    case 0x8926:
        return NEXT_VNTAG;
    case 0x8903:
        return NEXT_FABRICPATH;
    case 0x88e5:
        return NEXT_MACSEC;
    case 0x894f:
        return NEXT_NSH;
    case 0x8847:
    case 0x8848:
        return NEXT_MPLS;
    case 0x8864:
        return NEXT_PPPOE;
    case 0x6558: /* transparent Ethernet bridging (RFC 1701) */
        return NEXT_ETHERNET;
    case 0x880b:
        return NEXT_PPP;
    default:
        return NEXT_NONE;
    }
}

enum next next_of_ppp(uint16_t protocol)
{
    switch (protocol) {
    case 0x0021:
        return NEXT_IPV4;
    case 0x0057:
        return NEXT_IPV6;
    case 0x0281: /* MPLS unicast, multicast (RFC 3032, 4.1) */
    case 0x0283:
        return NEXT_MPLS;
    default:
        return NEXT_NONE;
    }
}

enum next next_of_ip_protocol(struct decode *d, uint8_t protocol)
{
    bool later = false;

    if (d->quoting) {
        d->packet->quoted.proto = protocol;
    } else {
        d->packet->proto = protocol;
        later = d->packet->later_fragment;
    }
    if (later)
        return NEXT_NONE;
    switch (protocol) {
    case IP_PROTO_TCP:
        return NEXT_TCP;
    case IP_PROTO_UDP:
        return NEXT_UDP;
    case IP_PROTO_ICMP:
        return NEXT_ICMP;
    case IP_PROTO_ICMP6:
        return NEXT_ICMP6;
    case IP_PROTO_SCTP:
        return NEXT_SCTP;
    case IP_PROTO_HOPOPTS:
    case IP_PROTO_ROUTING:
    case IP_PROTO_DSTOPTS:
    case IP_PROTO_MOBILITY:
        return NEXT_IPV6_EXTENSION;
    case IP_PROTO_FRAGMENT:
        return NEXT_IPV6_FRAGMENT;
    case IP_PROTO_AH:
        return NEXT_AH;
    case IP_PROTO_IPIP:
        return NEXT_IPV4;
    case IP_PROTO_IPV6:
        return NEXT_IPV6;
    case IP_PROTO_GRE:
        return NEXT_GRE;
    case 97:
        return NEXT_ETHERIP;
    case 143: /* Ethernet behind segment routing (RFC 8986) */
        return NEXT_ETHERNET;
    case 137: /* MPLS in IP (RFC 4023) */
        return NEXT_MPLS;
    default:
        return NEXT_NONE;
    }
}
