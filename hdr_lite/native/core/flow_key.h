/* The flow key (IPFIX: the five-tuple) and its keyed hash.
 *
 * The hash is SipHash (Aumasson and Bernstein 2012) under a secret, so that
 * nobody who sends packets, or writes a capture file, can aim at one bucket.
 */
#ifndef HDR_LITE_FLOW_KEY_H
#define HDR_LITE_FLOW_KEY_H

#include <stdbool.h>
#include <stdint.h>

struct flow_key {
    uint8_t src[16], dst[16];
    uint16_t sport, dport; /* ICMP: echo identifier and request type, as icmp.c sets them */
    uint8_t proto;
};

/* SipHash-1-3. */
uint64_t siphash(const uint8_t secret[16], const void *bytes, uint32_t length);
/* Whether (src, sport) sorts before (dst, dport), or is equal to it. */
bool flow_key_ordered(const struct flow_key *key);
/* The same for both directions of a flow. */
uint32_t flow_key_hash(const struct flow_key *key, const uint8_t secret[16]);

#endif
