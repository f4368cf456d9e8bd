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

static inline void sip_start(uint64_t v[4], const uint8_t secret[16])
{
    uint64_t k0 = load64(secret), k1 = load64(secret + 8);
    v[0] = k0 ^ 0x736f6d6570736575u;
    v[1] = k1 ^ 0x646f72616e646f6du;
    v[2] = k0 ^ 0x6c7967656e657261u;
    v[3] = k1 ^ 0x7465646279746573u;
}

static inline void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

static inline uint64_t sip_end(uint64_t v[4])
{
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t siphash(const uint8_t secret[16], const void *bytes, uint32_t length)
{
    const uint8_t *at = bytes;
    uint64_t v[4];
    uint32_t left = length;
    sip_start(v, secret);
    for (; left >= 8; left -= 8, at += 8)
        sip_word(v, load64(at));
    uint64_t last = (uint64_t)(length & 0xff) << 56;
    for (uint32_t i = 0; i < left; i++)
        last |= (uint64_t)at[i] << (8 * i);
    sip_word(v, last);
    return sip_end(v);
}

bool flow_key_ordered(const struct flow_key *key)
{
    int order = memcmp(key->src, key->dst, sizeof key->src);
    return order != 0 ? order < 0 : key->sport <= key->dport;
}

/* SipHash of 37 bytes, word by word: the lower end's address, the higher's, their ports, the
 * protocol. */
uint32_t flow_key_hash(const struct flow_key *key, const uint8_t secret[16])
{
    bool ordered = flow_key_ordered(key);
    const uint8_t *low = ordered ? key->src : key->dst, *high = ordered ? key->dst : key->src;
    uint64_t low_port = ordered ? key->sport : key->dport;
    uint64_t high_port = ordered ? key->dport : key->sport;
    uint64_t v[4];
    sip_start(v, secret);
    sip_word(v, load64(low));
    sip_word(v, load64(low + 8));
    sip_word(v, load64(high));
    sip_word(v, load64(high + 8));
    sip_word(v, low_port | high_port << 16 | (uint64_t)key->proto << 32 | UINT64_C(37) << 56);
    return (uint32_t)sip_end(v);
}
