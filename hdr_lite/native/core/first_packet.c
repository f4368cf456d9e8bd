/* First packets of flows: first_packet.h. */
#include "first_packet.h"

#include "icmp.h"

/* Ports that servers are known to listen on; below 1024 all are taken to be such. */
static bool is_well_known(uint16_t port)
{
    switch (port) {
    case 1080: /* SOCKS */
    case 1194: /* OpenVPN */
    case 1433: /* SQL Server */
    case 1521: /* Oracle */
    case 1883: /* MQTT */
    case 1900: /* SSDP: unicast replies to multicast questions */
    case 3128: /* HTTP proxies */
    case 3306: /* MySQL */
    case 3389: /* RDP */
    case 3702: /* WS-Discovery, as SSDP */
    case 5060: /* SIP */
    case 5061:
    case 5222: /* XMPP */
    case 5353: /* mDNS */
    case 5355: /* LLMNR */
    case 5432: /* PostgreSQL */
    case 5900: /* VNC */
    case 6379: /* Redis */
    case 6667: /* IRC */
    case 8000: /* HTTP */
    case 8080:
    case 8443:
    case 8883: /* MQTT */
    case 8888:
        return true;
    default:
        return port < 1024;
    }
}

bool first_packet_is_reply(const struct packet *p)
{
    if (p->proto == IP_PROTO_UDP) /* DHCP's clients have a known port, too */
        return is_well_known(p->sport) &&
               (!is_well_known(p->dport) || (p->sport == 67 && p->dport == 68));
    if (p->proto != IP_PROTO_TCP)
        return false;
    uint8_t flags = p->tcp_flags;
    if (flags & TCP_SYN)
        return (flags & TCP_ACK) != 0;
    if (!(flags & (TCP_ACK | TCP_RST))) /* no segment of a connection is without: a scan's probe */
        return false;
    return is_well_known(p->sport) && (!is_well_known(p->dport) || p->sport < p->dport);
}

bool first_packet_is_opening(const struct packet *p)
{
    switch (p->proto) {
    case IP_PROTO_TCP:
        if (p->tcp_flags & TCP_RST)
            return false;
        if (p->tcp_flags & TCP_SYN)
            return !(p->tcp_flags & TCP_ACK);
        return p->payload_length == 0;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMP6:
        return icmp_is_request(p);
    default:
        return true;
    }
}

bool first_packet_is_to_group(const struct packet *p)
{
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (p->has_mac && (p->dmac[0] & 1))
        return true; /* a subnet's broadcast address is known by this only */
    if (memcmp(p->dst, MAPPED, sizeof MAPPED) == 0)
        return p->dst[12] >= 224; /* RFC 1112, RFC 919 */
    return p->dst[0] == 0xff;     /* RFC 4291, 2.7 */
}
