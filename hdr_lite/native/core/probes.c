/* Bursts of attempts without an answer (probes.h). */
#include "probes.h"

#include <string.h>

#define BITS 128
#define FIRST_TOLD 10
#define LAST_TOLD 40
#define AT_ONCE 25
#define PORTS_WAIT UINT64_C(4000000)   /* ns since the first */
#define HOSTS_WAIT UINT64_C(100000000) /* ns, ten of them */

/* Every new bit stands for as many values as it takes on average to set it. */
static void count_add(struct probes_count *c, uint64_t hash)
{
    uint32_t bit = (uint32_t)hash & (BITS - 1), mask = 1u << (bit % 32);
    if ((c->bits[bit / 32] & mask) || c->set + 1 == BITS)
        return;
    c->bits[bit / 32] |= mask;
    c->drawn += BITS * 256 / (BITS - c->set++);
}

static uint32_t count_of(const struct probes_count *c)
{
    return c->drawn / 256;
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
    return count_of(&b->tried);
}

uint32_t probes_answered(const struct probes *b)
{
    return count_of(&b->answered);
}

static uint32_t silent(const struct probes *b)
{
    uint32_t tried = probes_tried(b), answered = probes_answered(b);
    return tried > answered ? tried - answered : 0;
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
    count_add(&b->tried, target->hash);
    if (silent(b) < FIRST_TOLD)
        b->waiting_from = 0;
    else if (b->waiting_from == 0)
        wait_from(b, now);
    if (silent(b) < b->next || !had_time(b, now))
        return false;
    while (b->next <= silent(b))
        b->next = b->next < LAST_TOLD ? 2 * b->next : UINT32_MAX;
    return true;
}

void probes_answer(struct probes *b, const struct probes_target *target)
{
    if (continues(b, target))
        count_add(&b->answered, target->hash);
}
