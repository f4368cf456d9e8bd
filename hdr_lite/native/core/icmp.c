/* ICMP's types: icmp.h. */
#include "icmp.h"

bool icmp_is_request(const struct packet *p)
{
    if (p->proto == IP_PROTO_ICMP6)
        return p->sport == 128;
    return p->sport == 8 || p->sport == 13 || p->sport == 15 || p->sport == 17;
}

void icmp_set_ports(struct flow_key *key, uint16_t type, uint16_t code, uint16_t identifier)
{
    bool v6 = key->proto == IP_PROTO_ICMP6;
    uint16_t request = type;
    if (v6 ? type == 129 : (type == 14 || type == 16 || type == 18))
        request = (uint16_t)(type - 1);
    else if (!v6 && type == 0)
        request = 8;
    bool paired =
        v6 ? request == 128 : (request == 8 || request == 13 || request == 15 || request == 17);
    key->sport = paired ? identifier : 0;
    key->dport = (uint16_t)(request << 8 | (paired ? 0 : code));
    if (paired && request != type) { /* a reply: the same ports seen from the other side */
        uint16_t port = key->sport;
        key->sport = key->dport;
        key->dport = port;
    }
}

bool icmp_is_error(const struct packet *p)
{
    if (p->proto == IP_PROTO_ICMP6)
        return p->sport >= 1 && p->sport <= 4;
    return p->sport == 3 || p->sport == 4 || p->sport == 5 || p->sport == 11 || p->sport == 12;
}

bool icmp_is_refusal(const struct packet *p)
{
    return p->proto == IP_PROTO_ICMP6 ? p->sport == 1 : p->sport == 3 && p->dport != 4;
}

bool icmp_lacks_protocol(const struct packet *p)
{
    return p->proto == IP_PROTO_ICMP && p->sport == 3 && p->dport == 2 && p->quoted.proto != 0;
}
