/* Counts of what the frames of a capture hold, in tshark's meaning (its protocol
 * names at any depth, its conversations), for `inspect`.
 *
 * Distinct conversations and address pairs are counted exactly, by keeping a keyed
 * 64-bit fingerprint of each in one open-addressed set. The set's memory comes from
 * the caller, who is asked for a larger piece when it fills up; when there is none,
 * what no longer fits is not counted as new and `uncounted` tells how often.
 */
#ifndef HDR_LITE_TALLY_H
#define HDR_LITE_TALLY_H

#include "decode.h"

/* Slots of the set: a power of two between these. */
#define TALLY_SLOTS_LEAST 1024u
#define TALLY_SLOTS_MOST (1u << 21)

#define TALLY_FACTS(X)                                                                             \
    X(frames)                                                                                      \
    X(bytes)                                                                                       \
    X(captured)                                                                                    \
    X(ip4)                                                                                         \
    X(ip6)                                                                                         \
    X(tcp)                                                                                         \
    X(udp)                                                                                         \
    X(icmp)                                                                                        \
    X(icmp6)                                                                                       \
    X(arp)                                                                                         \
    X(other)                                                                                       \
    X(frag)                                                                                        \
    X(malformed)                                                                                   \
    X(tcp4)                                                                                        \
    X(tcp6)                                                                                        \
    X(udp4)                                                                                        \
    X(udp6)                                                                                        \
    X(tcp_tuples)                                                                                  \
    X(udp_tuples)                                                                                  \
    X(ip_pairs)                                                                                    \
    X(uncounted)

struct tally_facts {
#define X(name) uint64_t name;
    TALLY_FACTS(X)
#undef X
};

/* Where the set's memory comes from: take() gives that many zeroed words, or NULL. */
struct tally_memory {
    uint64_t *(*take)(uint32_t words);
    void (*give_back)(uint64_t *words);
};

struct tally {
    int linktype;
    struct tally_memory memory;
    uint64_t key[2];
    uint64_t *slots; /* 0: free */
    uint32_t capacity, used, most;
    struct tally_facts facts;
    struct events events;
    struct packet packet; /* the one under way */
    uint64_t last_pair;   /* fingerprint of the last packet's addresses: bursts repeat it */
    uint64_t last_tuple;
};

/* False when there is no memory. */
bool tally_init(struct tally *t, int linktype, const uint64_t key[2], struct tally_memory memory);
void tally_end(struct tally *t); /* gives the memory back */
void tally_packet(struct tally *t, uint32_t wire_length, const uint8_t *bytes, uint32_t captured);

#endif
