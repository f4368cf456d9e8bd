/* SipHash-1-3 and the symmetric hash of a flow key (flow_key.h).
 *
 * One compression and three finalization rounds: the authors' fast variant,
 * which Python uses for its own strings; enough against chosen keys where
 * the hashes themselves are never shown.
 */
#include "flow_key.h"

#include <string.h>

/* Byte order of the algorithm, not of the machine. */
static uint64_t load64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

static inline uint64_t rotate(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

uint64_t siphash(const uint8_t secret[16], const void *bytes, uint32_t length)
{
    const uint8_t *at = bytes;
    uint64_t k0 = load64(secret), k1 = load64(secret + 8);
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    uint32_t left = length;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word = load64(at);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = (uint64_t)(length & 0xff) << 56;
    for (uint32_t i = 0; i < left; i++)
        last |= (uint64_t)at[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

bool flow_key_ordered(const struct flow_key *key)
{
    int order = memcmp(key->src, key->dst, sizeof key->src);
    return order != 0 ? order < 0 : key->sport <= key->dport;
}

uint32_t flow_key_hash(const struct flow_key *key, const uint8_t secret[16])
{
    uint8_t text[40]; /* both ends in their order, ports, protocol, zeros: whole words */
    bool ordered = flow_key_ordered(key);
    uint16_t low = ordered ? key->sport : key->dport, high = ordered ? key->dport : key->sport;
    memcpy(text, ordered ? key->src : key->dst, 16);
    memcpy(text + 16, ordered ? key->dst : key->src, 16);
    text[32] = (uint8_t)low;
    text[33] = (uint8_t)(low >> 8);
    text[34] = (uint8_t)high;
    text[35] = (uint8_t)(high >> 8);
    text[36] = key->proto;
    text[37] = text[38] = text[39] = 0;
    return (uint32_t)siphash(secret, text, sizeof text);
}
