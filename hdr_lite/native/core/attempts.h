/* Failed attempts, summed: what keeps a scan or flood of any size from flooding the engine.
 *
 * The rule. Every source (an IPv6 source is its /64) and every target (address, port,
 * protocol) that is named by a new connection has an interval of fold_interval, which
 * begins with its first mention and after which it is forgotten. Of the attempts that
 * fail in it, the first fold_after are told singly (Fate, Flow); from then on the key
 * *folds*: a failure is told no more by itself but enters the key's sum, which is told
 * as one Attempts record when the interval is over. A failure whose source and target
 * both fold enters both sums. Of all failures that no key folds, 16 x fold_after an
 * interval are told singly; the rest enter one sum without a source (forged sources
 * that aim at many ports). A key that must make room for another takes its sum along
 * into that one, unless it holds fold_after or more, in which case it is told at once.
 *
 * Starts (Conn) are suppressed, and counted, while source or target folds, and past
 * 16 x fold_after an interval per key and 256 x fold_after in all. Flows that are
 * nobody's attempt and never went both ways (backscatter, stray segments) are told up
 * to 16 x fold_after an interval. An attempt that succeeds is never folded.
 *
 * What a source tries without an answer is counted apart (probes.h), from each first mention anew.
 *
 * Distinct addresses and ports are estimated by linear counting (Whang et al. 1990) in
 * six bitmaps, each of which samples a quarter of the one before: mostly within an eighth,
 * up to about 200,000. All is integer arithmetic, so that every machine tells the same.
 */
#ifndef HDR_LITE_ATTEMPTS_H
#define HDR_LITE_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probes.h"

enum attempts_role { ROLE_SOURCE = 0, ROLE_TARGET };

/* One connection, as far as sums need it. */
struct attempt {
    uint8_t src[16], dst[16];
    uint8_t mac[6];     /* of the source; zeros: none */
    uint16_t port;      /* of the destination */
    uint16_t interface; /* index in the list of sources */
    uint8_t proto;
    uint8_t flags; /* TCP flags of the first packet; ICMP: its type, `port` being its code */
};

/* A sum as it is told; what `differs` names has more than one value. */
enum attempts_field {
    FIELD_SRC = 1,
    FIELD_DST = 2,
    FIELD_PORT = 4,
    FIELD_PROTO = 8,
    FIELD_FLAGS = 16,
    FIELD_MAC = 32,
};
struct attempts_sum {
    struct attempt sample; /* the first that was summed */
    uint64_t first, last;
    uint32_t attempts, refused, unanswered;
    uint32_t addresses, ports; /* estimates */
    uint8_t role;              /* enum attempts_role */
    uint8_t differs;           /* enum attempts_field */
};

struct attempts;

uint64_t attempts_bytes(uint32_t entries);
/* The first secret is the estimates', the second the hash tables': see struct meter_settings.
 * Half of the entries are for sources, half for targets. Memory, zeroed and aligned to 8, stays
 * the caller's. */
struct attempts *attempts_init(void *memory, uint32_t entries, uint32_t fold_after,
                               uint64_t fold_interval, const uint8_t secret[16],
                               const uint8_t hash_secret[16]);
/* A connection starts: is its start to be told? */
bool attempts_start(struct attempts *a, const struct attempt *attempt, uint64_t now);
/* Its source's burst, if it is to be told now; else NULL. */
const struct probes *attempts_try(struct attempts *a, const struct attempt *attempt, uint64_t now);
/* An attempt was answered, or its source goes on as if it had been. */
void attempts_answer(struct attempts *a, const struct attempt *attempt);
/* An attempt failed: true when it went into a sum, false when it is to be told singly. */
bool attempts_fail(struct attempts *a, const struct attempt *attempt, bool refused, uint64_t now);
/* A flow that is nobody's attempt ended without ever going both ways: is it to be told? */
bool attempts_stray(struct attempts *a, uint64_t now);
/* A message of a link-layer address (ARP): is it to be told? */
bool attempts_message(struct attempts *a, const uint8_t mac[6], uint64_t now);
/* A sum that is to be told now, if there is one; UINT64_MAX as `now` tells all of them. */
bool attempts_take(struct attempts *a, uint64_t now, struct attempts_sum *out);
/* Keys that had to make room for others. */
uint64_t attempts_evicted(const struct attempts *a);

#endif
