/* What types and codes of ICMP and ICMPv6 (RFC 792, RFC 4443) mean for flows.
 *
 * Of a packet, sport is its type and dport its code; the functions are asked about ICMP only.
 */
#ifndef HDR_LITE_ICMP_H
#define HDR_LITE_ICMP_H

#include "flow_key.h"
#include "packet.h"

static inline bool is_icmp(uint8_t proto)
{
    return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMP6;
}

/* One that has replies of its own. */
bool icmp_is_request(const struct packet *p);
bool icmp_is_error(const struct packet *p);
/* Of errors: unreachable, and not merely too big (RFC 792, RFC 1191, RFC 4443). */
bool icmp_is_refusal(const struct packet *p);
/* The host itself (RFC 1122, 3.2.2.1) says that it knows no such protocol: told about nothing but
 * a search for protocols, so it counts even where the packet that it quotes was not captured. */
bool icmp_lacks_protocol(const struct packet *p);
/* The key's ports for ICMP: identifier and request type for requests and their replies, so that
 * both fall into one flow; 0, type and code otherwise. */
void icmp_set_ports(struct flow_key *key, uint16_t type, uint16_t code, uint16_t identifier);

#endif
