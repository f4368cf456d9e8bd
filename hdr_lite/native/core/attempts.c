/* Sums of failed attempts (attempts.h).
 *
 * Two tables of one shape, for sources and for targets, each a chained hash over
 * preallocated entries with a list by the begin of their intervals, so that the list's
 * head is the next to be over. Indices are entry + 1, 0 is none.
 */
#include "attempts.h"

#include <string.h>

#include "flow_key.h"

#define LEVELS 6
#define LEVEL_SHIFT 2 /* each level samples one in 2^2 of the one before */
#define LEVEL_BITS 128
#define OVERALL_FAILURES 16 /* times fold_after */
#define KEY_STARTS 16
#define OVERALL_STARTS 256
#define RETIRE_AT_ONCE 64

struct distinct {
    uint32_t bits[LEVELS][LEVEL_BITS / 32];
};

struct entry {
    uint8_t address[16];
    uint16_t port;
    uint8_t proto;
    uint32_t hash, next, older, newer;
    uint64_t begin;
    uint32_t starts, failures;
    struct attempts_sum sum;
    struct distinct addresses, ports;
};

struct table {
    struct entry *entries;
    uint32_t *buckets;
    uint32_t mask, size, oldest, newest;
    uint32_t free, fresh; /* chain of entries given back; entries that were ever used */
};

/* A source's burst, and the begin of the interval that it is of. */
struct source_probes {
    uint64_t interval;
    struct probes probes;
};

struct attempts {
    struct table tables[2];
    struct source_probes *probes; /* by index of the sources' table */
    struct entry rest;            /* the sum without a key */
    uint64_t overall_begin;
    uint32_t overall_failures, overall_starts, overall_strays;
    struct attempts_sum displaced[4]; /* told at once, by attempts_take() */
    unsigned displaced_count;
    uint32_t fold_after;
    uint64_t interval;
    uint64_t due_at; /* no interval is over before */
    uint64_t evicted;
    uint8_t secret[16], hash_secret[16];
};

static uint32_t bucket_count(uint32_t entries)
{
    uint32_t n = 8;
    while (n < entries && n < 1u << 30)
        n *= 2;
    return n;
}

static uint32_t half(uint32_t entries)
{
    return entries < 2 ? 1 : entries / 2;
}

static uint64_t entries_bytes(uint32_t entries)
{
    return (uint64_t)half(entries) * sizeof(struct entry);
}

static size_t header_bytes(void)
{
    return (sizeof(struct attempts) + 63) & ~(size_t)63;
}

uint64_t attempts_bytes(uint32_t entries)
{
    uint64_t buckets = bucket_count(half(entries));
    return header_bytes() + half(entries) * sizeof(struct source_probes) +
           2 * (entries_bytes(entries) + buckets * sizeof(uint32_t));
}

struct attempts *attempts_init(void *memory, uint32_t entries, uint32_t fold_after,
                               uint64_t fold_interval, const uint8_t secret[16],
                               const uint8_t hash_secret[16])
{
    struct attempts *a = memory;
    uint8_t *at = (uint8_t *)memory + header_bytes();
    uint32_t buckets = bucket_count(half(entries));
    a->fold_after = fold_after;
    a->interval = fold_interval;
    memcpy(a->secret, secret, sizeof a->secret);
    memcpy(a->hash_secret, hash_secret, sizeof a->hash_secret);
    a->probes = (void *)at;
    at += half(entries) * sizeof(struct source_probes);
    for (unsigned i = 0; i < 2; i++) {
        struct table *t = &a->tables[i];
        t->entries = (void *)at;
        at += entries_bytes(entries);
        t->size = half(entries);
    }
    for (unsigned i = 0; i < 2; i++) {
        a->tables[i].buckets = (void *)at;
        a->tables[i].mask = buckets - 1;
        at += buckets * sizeof(uint32_t);
    }
    return a;
}

/* Distinct values */

/* Level i takes the values whose hash begins with 2 i zero bits. */
static void distinct_add(struct distinct *d, uint64_t hash)
{
    uint32_t bit = (uint32_t)hash & (LEVEL_BITS - 1);
    for (unsigned level = 0; level < LEVELS; level++) {
        if (level > 0 && hash >> (64 - LEVEL_SHIFT * level) != 0)
            return;
        d->bits[level][bit / 32] |= 1u << (bit % 32);
    }
}

static unsigned ones(const uint32_t bits[LEVEL_BITS / 32])
{
    unsigned n = 0;
    for (unsigned i = 0; i < LEVEL_BITS / 32; i++) {
        for (uint32_t word = bits[i]; word != 0; word &= word - 1)
            n++;
    }
    return n;
}

/* Linear counting: of the first level that is not too full, the expected number of draws that
 * set so many of m bits, which is the sum of m / k over the k bits that were clear before. */
static uint32_t distinct_estimate(const struct distinct *d)
{
    unsigned level = 0, set = ones(d->bits[0]);
    while (level + 1 < LEVELS && set > LEVEL_BITS - LEVEL_BITS / 8)
        set = ones(d->bits[++level]);
    if (set == LEVEL_BITS)
        set--;
    uint32_t draws = 0; /* in 1/256 */
    for (unsigned clear = LEVEL_BITS - set + 1; clear <= LEVEL_BITS; clear++)
        draws += LEVEL_BITS * 256 / clear;
    return (uint32_t)(((uint64_t)draws << (LEVEL_SHIFT * level)) / 256);
}

/* Sums */

static void sum_add(const struct attempts *a, struct entry *e, const struct attempt *attempt,
                    enum attempts_role role, bool refused, uint64_t now)
{
    struct attempts_sum *sum = &e->sum;
    const struct attempt *sample = &sum->sample;
    const uint8_t *other = role == ROLE_SOURCE ? attempt->dst : attempt->src;
    uint8_t port[2] = {(uint8_t)(attempt->port >> 8), (uint8_t)attempt->port};
    if (sum->attempts == 0) {
        sum->sample = *attempt;
        sum->first = now;
        sum->role = (uint8_t)role;
    }
    if (memcmp(sample->src, attempt->src, 16) != 0)
        sum->differs |= FIELD_SRC;
    if (memcmp(sample->dst, attempt->dst, 16) != 0)
        sum->differs |= FIELD_DST;
    if (sample->port != attempt->port)
        sum->differs |= FIELD_PORT;
    if (sample->proto != attempt->proto)
        sum->differs |= FIELD_PROTO;
    if (sample->flags != attempt->flags)
        sum->differs |= FIELD_FLAGS;
    if (memcmp(sample->mac, attempt->mac, 6) != 0)
        sum->differs |= FIELD_MAC;
    sum->last = now;
    sum->attempts++;
    if (refused)
        sum->refused++;
    else
        sum->unanswered++;
    distinct_add(&e->addresses, siphash(a->secret, other, 16));
    distinct_add(&e->ports, siphash(a->secret, port, 2));
}

static void distinct_merge(struct distinct *into, const struct distinct *d)
{
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned i = 0; i < LEVEL_BITS / 32; i++)
            into->bits[level][i] |= d->bits[level][i];
    }
}

/* The rest counts sources on its other side; a displaced source's destinations are not added. */
static void sum_merge(const struct attempts *a, struct entry *rest, const struct entry *e)
{
    const struct attempts_sum *sum = &e->sum;
    uint64_t last = sum->last;
    sum_add(a, rest, &sum->sample, ROLE_TARGET, sum->refused > 0, sum->first);
    rest->sum.last = last > rest->sum.last ? last : rest->sum.last;
    rest->sum.differs |= sum->differs;
    rest->sum.attempts += sum->attempts - 1;
    rest->sum.refused += sum->refused - (sum->refused > 0);
    rest->sum.unanswered += sum->unanswered - (sum->refused == 0);
    distinct_merge(&rest->ports, &e->ports);
    if (sum->role == ROLE_TARGET)
        distinct_merge(&rest->addresses, &e->addresses);
}

static void finish(struct entry *e, struct attempts_sum *out)
{
    *out = e->sum;
    out->addresses = distinct_estimate(&e->addresses);
    out->ports = distinct_estimate(&e->ports);
}

/* Entries */

static void table_remove(struct table *t, struct entry *e)
{
    uint32_t index = (uint32_t)(e - t->entries) + 1;
    uint32_t *link = &t->buckets[e->hash & t->mask];
    while (*link != index)
        link = &t->entries[*link - 1].next;
    *link = e->next;
    if (e->older != 0)
        t->entries[e->older - 1].newer = e->newer;
    else
        t->oldest = e->newer;
    if (e->newer != 0)
        t->entries[e->newer - 1].older = e->older;
    else
        t->newest = e->older;
    e->next = t->free;
    t->free = index;
}

/* The entry leaves: its interval is over, or it makes room for another. */
static void displace(struct attempts *a, struct table *t, struct entry *e, bool over)
{
    unsigned room = sizeof a->displaced / sizeof a->displaced[0];
    bool worth_telling = e->sum.attempts >= (over ? 1 : a->fold_after);
    if (worth_telling && a->displaced_count < room)
        finish(e, &a->displaced[a->displaced_count++]);
    else if (e->sum.attempts > 0)
        sum_merge(a, &a->rest, e);
    table_remove(t, e);
}

static struct entry *table_add(struct attempts *a, struct table *t, const struct entry *key,
                               uint64_t now)
{
    if (t->free == 0 && t->fresh == t->size) {
        a->evicted++;
        displace(a, t, &t->entries[t->oldest - 1], false);
    }
    uint32_t index = t->free != 0 ? t->free : ++t->fresh;
    struct entry *e = &t->entries[index - 1];
    if (index == t->free)
        t->free = e->next;
    memset(e, 0, sizeof *e);
    memcpy(e->address, key->address, 16);
    e->port = key->port;
    e->proto = key->proto;
    e->hash = key->hash;
    e->begin = now;
    e->next = t->buckets[e->hash & t->mask];
    t->buckets[e->hash & t->mask] = index;
    e->older = t->newest;
    if (t->newest != 0)
        t->entries[t->newest - 1].newer = index;
    else
        t->oldest = index;
    t->newest = index;
    return e;
}

static bool interval_over(const struct attempts *a, uint64_t begin, uint64_t now)
{
    return now - begin >= a->interval;
}

/* The entry of a key, whose hash is noted in it; NULL when there is none. */
static struct entry *table_find(struct attempts *a, struct table *t, struct entry *key)
{
    uint8_t text[19];
    memcpy(text, key->address, 16);
    text[16] = (uint8_t)(key->port >> 8);
    text[17] = (uint8_t)key->port;
    text[18] = key->proto;
    key->hash = (uint32_t)siphash(a->hash_secret, text, sizeof text);
    for (uint32_t i = t->buckets[key->hash & t->mask]; i != 0;) {
        struct entry *e = &t->entries[i - 1];
        i = e->next;
        if (e->hash != key->hash || e->port != key->port || e->proto != key->proto ||
            memcmp(e->address, key->address, 16) != 0)
            continue;
        return e;
    }
    return NULL;
}

static struct entry *table_get(struct attempts *a, struct table *t, struct entry *key, uint64_t now)
{
    struct entry *e = table_find(a, t, key);
    if (e != NULL && !interval_over(a, e->begin, now))
        return e;
    if (e != NULL)
        displace(a, t, e, true);
    return table_add(a, t, key, now);
}

static bool is_ipv6(const uint8_t address[16])
{
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(address, MAPPED, sizeof MAPPED) != 0;
}

static void source_key(struct entry *key, const struct attempt *attempt)
{
    memset(key, 0, offsetof(struct entry, begin));
    memcpy(key->address, attempt->src, is_ipv6(attempt->src) ? 8 : 16);
}

static struct entry *source_of(struct attempts *a, const struct attempt *attempt, uint64_t now)
{
    struct entry key;
    source_key(&key, attempt);
    return table_get(a, &a->tables[ROLE_SOURCE], &key, now);
}

static struct entry *target_of(struct attempts *a, const struct attempt *attempt, uint64_t now)
{
    struct entry key;
    memset(&key, 0, offsetof(struct entry, begin));
    memcpy(key.address, attempt->dst, 16);
    key.port = attempt->port;
    key.proto = attempt->proto;
    return table_get(a, &a->tables[ROLE_TARGET], &key, now);
}

static void renew_overall(struct attempts *a, uint64_t now)
{
    if (!interval_over(a, a->overall_begin, now))
        return;
    a->overall_begin = now;
    a->overall_failures = a->overall_starts = a->overall_strays = 0;
}

/* The public face */

bool attempts_start(struct attempts *a, const struct attempt *attempt, uint64_t now)
{
    renew_overall(a, now);
    uint32_t most = a->fold_after * KEY_STARTS;
    struct entry *source = source_of(a, attempt, now), *target = target_of(a, attempt, now);
    if (++source->starts > most || ++target->starts > most || source->failures > a->fold_after ||
        target->failures > a->fold_after)
        return false;
    return ++a->overall_starts <= a->fold_after * OVERALL_STARTS;
}

static struct probes_target probes_target_of(const struct attempts *a,
                                             const struct attempt *attempt)
{
    uint8_t text[18];
    memcpy(text, attempt->dst, 16);
    text[16] = (uint8_t)(attempt->port >> 8);
    text[17] = (uint8_t)attempt->port;
    struct probes_target target = {attempt->dst, attempt->port, attempt->proto,
                                   siphash(a->secret, text, sizeof text)};
    return target;
}

static struct source_probes *probes_of(const struct attempts *a, const struct entry *source)
{
    return &a->probes[source - a->tables[ROLE_SOURCE].entries];
}

const struct probes *attempts_try(struct attempts *a, const struct attempt *attempt, uint64_t now)
{
    const struct entry *source = source_of(a, attempt, now);
    struct source_probes *of = probes_of(a, source);
    if (of->interval != source->begin) {
        memset(of, 0, sizeof *of);
        of->interval = source->begin;
    }
    struct probes_target target = probes_target_of(a, attempt);
    return probes_try(&of->probes, &target, now) ? &of->probes : NULL;
}

void attempts_answer(struct attempts *a, const struct attempt *attempt)
{
    struct entry key;
    source_key(&key, attempt);
    const struct entry *source = table_find(a, &a->tables[ROLE_SOURCE], &key);
    if (source == NULL || probes_of(a, source)->interval != source->begin)
        return;
    struct probes_target target = probes_target_of(a, attempt);
    probes_answer(&probes_of(a, source)->probes, &target);
}

bool attempts_fail(struct attempts *a, const struct attempt *attempt, bool refused, uint64_t now)
{
    renew_overall(a, now);
    struct entry *source = source_of(a, attempt, now), *target = target_of(a, attempt, now);
    bool fold_source = ++source->failures > a->fold_after;
    bool fold_target = ++target->failures > a->fold_after;
    if (fold_source)
        sum_add(a, source, attempt, ROLE_SOURCE, refused, now);
    if (fold_target)
        sum_add(a, target, attempt, ROLE_TARGET, refused, now);
    if (fold_source || fold_target)
        return true;
    if (++a->overall_failures <= a->fold_after * OVERALL_FAILURES)
        return false;
    sum_add(a, &a->rest, attempt, ROLE_TARGET, refused, now);
    return true;
}

bool attempts_stray(struct attempts *a, uint64_t now)
{
    renew_overall(a, now);
    return ++a->overall_strays <= a->fold_after * OVERALL_FAILURES;
}

bool attempts_message(struct attempts *a, const uint8_t mac[6], uint64_t now)
{
    struct entry key;
    renew_overall(a, now);
    memset(&key, 0, offsetof(struct entry, begin));
    memcpy(key.address, mac, 6);
    key.port = 1; /* no address of a host: those have port 0 as sources */
    struct entry *source = table_get(a, &a->tables[ROLE_SOURCE], &key, now);
    if (++source->starts > a->fold_after * KEY_STARTS)
        return false;
    return ++a->overall_starts <= a->fold_after * OVERALL_STARTS;
}

/* Forget keys whose interval is over, up to one that leaves a sum (then true), but not so many
 * that a packet would wait for it; at the end of the input all. */
static bool retire_due(struct attempts *a, struct table *t, uint64_t now, struct attempts_sum *out)
{
    uint32_t left = now == UINT64_MAX ? UINT32_MAX : RETIRE_AT_ONCE;
    for (; left > 0 && t->oldest != 0; left--) {
        if (!interval_over(a, t->entries[t->oldest - 1].begin, now))
            return false;
        struct entry *e = &t->entries[t->oldest - 1];
        bool told = e->sum.attempts > 0;
        if (told)
            finish(e, out);
        table_remove(t, e);
        if (told)
            return true;
    }
    return false;
}

/* When the next interval is over; one that begins from now on is not over before that. */
static uint64_t next_due(const struct attempts *a, uint64_t now)
{
    uint64_t first = a->rest.sum.attempts > 0 && a->rest.sum.first < now ? a->rest.sum.first : now;
    for (unsigned i = 0; i < 2; i++) {
        const struct table *t = &a->tables[i];
        if (t->oldest != 0 && t->entries[t->oldest - 1].begin < first)
            first = t->entries[t->oldest - 1].begin;
    }
    return first + a->interval;
}

bool attempts_take(struct attempts *a, uint64_t now, struct attempts_sum *out)
{
    if (a->displaced_count > 0) {
        *out = a->displaced[--a->displaced_count];
        return true;
    }
    if (now < a->due_at)
        return false;
    for (unsigned i = 0; i < 2; i++) {
        if (retire_due(a, &a->tables[i], now, out))
            return true;
    }
    if (a->rest.sum.attempts == 0 || !interval_over(a, a->rest.sum.first, now)) {
        a->due_at = next_due(a, now);
        return false;
    }
    finish(&a->rest, out);
    memset(&a->rest, 0, sizeof a->rest);
    return true;
}

uint64_t attempts_evicted(const struct attempts *a)
{
    return a->evicted;
}
