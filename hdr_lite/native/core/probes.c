/* Bursts of attempts without an answer (probes.h). */
#include "probes.h"

#include <string.h>

#define FIRST_TOLD 10
#define AT_ONCE 25
#define PORTS_WAIT UINT64_C(4000000)   /* ns since the first */
#define HOSTS_WAIT UINT64_C(100000000) /* ns, ten of them */

static uint32_t find(const struct probes *b, uint32_t hash)
{
    uint32_t at = 0;
    while (at < b->count && b->targets[at] != hash)
        at++;
    return at;
}

static bool is_answered(const struct probes *b, uint32_t at)
{
    return (b->answered >> at) & 1u;
}

static void make_room(struct probes *b)
{
    uint32_t kept = 0;
    for (uint32_t at = 0; at < b->count; at++) {
        if (!is_answered(b, at))
            b->targets[kept++] = b->targets[at];
    }
    b->left += b->count - kept;
    b->count = kept;
    b->answered = 0;
}

static void add(struct probes *b, uint32_t hash)
{
    if (find(b, hash) < b->count)
        return;
    if (b->count == PROBES_MOST)
        make_room(b);
    if (b->count < PROBES_MOST)
        b->targets[b->count++] = hash;
}

static bool same_host(const struct probes *b, const struct probes_target *target)
{
    return memcmp(b->dst, target->dst, 16) == 0;
}

/* Whether the burst is of one host or one port, and stays so with this target. */
static bool continues(const struct probes *b, const struct probes_target *target)
{
    bool hosts_differ = b->hosts_differ || !same_host(b, target);
    bool ports_differ = b->ports_differ || b->port != target->port;
    return b->next > 0 && b->proto == target->proto && !(hosts_differ && ports_differ);
}

static void begin(struct probes *b, const struct probes_target *target, uint64_t now)
{
    memset(b, 0, sizeof *b);
    memcpy(b->dst, target->dst, 16);
    b->port = target->port;
    b->proto = target->proto;
    b->begin = now;
    b->next = FIRST_TOLD;
}

uint32_t probes_tried(const struct probes *b)
{
    return b->count + b->left;
}

uint32_t probes_answered(const struct probes *b)
{
    uint32_t answered = b->left;
    for (uint64_t bits = b->answered; bits != 0; bits &= bits - 1)
        answered++;
    return answered;
}

static uint32_t silent(const struct probes *b)
{
    return probes_tried(b) - probes_answered(b);
}

static void wait_from(struct probes *b, uint64_t now)
{
    b->waiting_from = now;
    b->tried_then = probes_tried(b);
}

/* Ten hosts that were tried by some moment are silent since. Answers come in the order of
 * questions, more or less: who keeps asking many, and is answered, is not taken for silent. */
static bool hosts_had_time(struct probes *b, uint64_t now)
{
    if (now - b->waiting_from < HOSTS_WAIT)
        return false;
    if (b->tried_then >= probes_answered(b) + FIRST_TOLD)
        return true;
    wait_from(b, now);
    return false;
}

static bool had_time(struct probes *b, uint64_t now)
{
    if (b->hosts_differ)
        return hosts_had_time(b, now);
    return now - b->begin >= PORTS_WAIT || silent(b) >= AT_ONCE;
}

bool probes_try(struct probes *b, const struct probes_target *target, uint64_t now)
{
    if (!continues(b, target))
        begin(b, target, now);
    b->hosts_differ |= !same_host(b, target);
    b->ports_differ |= b->port != target->port;
    add(b, (uint32_t)target->hash);
    if (silent(b) < FIRST_TOLD)
        b->waiting_from = 0;
    else if (b->waiting_from == 0)
        wait_from(b, now);
    if (silent(b) < b->next || !had_time(b, now))
        return false;
    while (b->next <= silent(b))
        b->next = b->next < PROBES_MOST ? 2 * b->next : UINT32_MAX;
    return true;
}

void probes_answer(struct probes *b, const struct probes_target *target)
{
    uint32_t at = find(b, (uint32_t)target->hash);
    if (at < b->count && continues(b, target))
        b->answered |= UINT64_C(1) << at;
}
