/* The biflow table (flow_table.h). Chains and lists hold slot index + 1, so that zeroed memory
 * is an empty table. Slots given back are chained through next_in_bucket; the others are taken
 * in order, so that pages that were never needed are never touched.
 */
#include "flow_table.h"

static uint32_t bucket_count(uint32_t slots)
{
    uint32_t n = 64;
    while (n < slots && n < 1u << 30)
        n *= 2;
    return n;
}

static uint64_t slots_bytes(uint32_t slots)
{
    return ((uint64_t)slots * sizeof(struct flow) + 63) & ~UINT64_C(63);
}

uint64_t flow_table_bytes(uint32_t slots)
{
    return slots_bytes(slots) + (uint64_t)bucket_count(slots) * sizeof(uint32_t);
}

void flow_table_init(struct flow_table *t, void *memory, uint32_t slots,
                     const uint64_t timeouts[FLOW_LISTS])
{
    memset(t, 0, sizeof *t);
    t->slots = memory;
    t->buckets = (void *)((uint8_t *)memory + slots_bytes(slots));
    t->bucket_mask = bucket_count(slots) - 1;
    t->size = slots;
    t->due_at = UINT64_MAX;
    for (unsigned i = 0; i < FLOW_LISTS; i++) {
        t->timeouts[i] = timeouts[i];
        t->slack[i] = i == LIST_ATTEMPT ? 0 : timeouts[i] / 16;
    }
}

static struct flow *flow_at(const struct flow_table *t, uint32_t index)
{
    return index == 0 ? NULL : &t->slots[index - 1];
}

static uint32_t index_of(const struct flow_table *t, const struct flow *flow)
{
    return (uint32_t)(flow - t->slots) + 1;
}

uint32_t flow_table_slot(const struct flow_table *t, const struct flow *flow)
{
    return (uint32_t)(flow - t->slots);
}

static bool equal(const uint8_t a[16], const uint8_t b[16])
{
    uint64_t x[2], y[2];
    memcpy(x, a, 16);
    memcpy(y, b, 16);
    return x[0] == y[0] && x[1] == y[1];
}

static bool same(const struct flow_key *a, const struct flow_key *b)
{
    return a->sport == b->sport && a->dport == b->dport && a->proto == b->proto &&
           equal(a->src, b->src) && equal(a->dst, b->dst);
}

static bool opposite(const struct flow_key *a, const struct flow_key *b)
{
    return a->sport == b->dport && a->dport == b->sport && a->proto == b->proto &&
           equal(a->src, b->dst) && equal(a->dst, b->src);
}

/* A packet will need all of its flow: five lines that come at once or one after the other. */
static void prefetch(const struct flow *flow)
{
    const char *at = (const char *)flow;
    for (unsigned i = 0; i < sizeof *flow; i += 64)
        __builtin_prefetch(at + i, 1);
}

struct flow *flow_table_find(const struct flow_table *t, const struct flow_key *key, uint32_t hash,
                             enum direction *direction)
{
    struct flow *flow = flow_at(t, t->buckets[hash & t->bucket_mask]);
    for (; flow != NULL; flow = flow_at(t, flow->next_in_bucket)) {
        prefetch(flow);
        if (flow->hash != hash)
            continue;
        if (same(&flow->key, key))
            *direction = ORIG;
        else if (opposite(&flow->key, key))
            *direction = RESP;
        else
            continue;
        return flow;
    }
    return NULL;
}

static void list_append(struct flow_table *t, struct flow *flow, enum flow_list list, uint64_t now)
{
    struct flow_list_ends *ends = &t->lists[list];
    uint32_t index = index_of(t, flow);
    flow->list = (uint8_t)list;
    flow->touched = now;
    if (now + t->timeouts[list] + t->slack[list] < t->due_at)
        t->due_at = now + t->timeouts[list] + t->slack[list];
    flow->older = ends->newest;
    flow->newer = 0;
    if (ends->newest != 0)
        t->slots[ends->newest - 1].newer = index;
    else
        ends->oldest = index;
    ends->newest = index;
    ends->count++;
}

static void list_unlink(struct flow_table *t, struct flow *flow)
{
    struct flow_list_ends *ends = &t->lists[flow->list];
    if (flow->older != 0)
        t->slots[flow->older - 1].newer = flow->newer;
    else
        ends->oldest = flow->newer;
    if (flow->newer != 0)
        t->slots[flow->newer - 1].older = flow->older;
    else
        ends->newest = flow->older;
    ends->count--;
}

struct flow *flow_table_add(struct flow_table *t, const struct flow_key *key, uint32_t hash,
                            enum flow_list list, uint64_t now)
{
    struct flow *flow = flow_at(t, t->free);
    if (flow != NULL)
        t->free = flow->next_in_bucket;
    else if (t->fresh < t->size)
        flow = &t->slots[t->fresh++];
    else
        return NULL;
    memset(flow, 0, sizeof *flow);
    flow->key = *key;
    flow->hash = hash;
    flow->serial = ++t->serial;
    uint32_t *bucket = &t->buckets[hash & t->bucket_mask];
    flow->next_in_bucket = *bucket;
    *bucket = index_of(t, flow);
    list_append(t, flow, list, now);
    t->used++;
    return flow;
}

void flow_table_remove(struct flow_table *t, struct flow *flow)
{
    uint32_t index = index_of(t, flow);
    uint32_t *link = &t->buckets[flow->hash & t->bucket_mask];
    while (*link != index)
        link = &t->slots[*link - 1].next_in_bucket;
    *link = flow->next_in_bucket;
    list_unlink(t, flow);
    flow->next_in_bucket = t->free;
    t->free = index;
    t->used--;
}

void flow_table_touch(struct flow_table *t, struct flow *flow, enum flow_list list, uint64_t now)
{
    if (flow->list == list && (list == LIST_ATTEMPT || now - flow->touched <= t->slack[list]))
        return;
    list_unlink(t, flow);
    list_append(t, flow, list, now);
}

bool flow_table_is_due(const struct flow_table *t, const struct flow *flow, uint64_t now)
{
    return now - flow->touched >= t->timeouts[flow->list] + t->slack[flow->list];
}

struct flow *flow_table_due(struct flow_table *t, uint64_t now)
{
    if (now < t->due_at)
        return NULL;
    uint64_t next = UINT64_MAX;
    for (unsigned i = 0; i < FLOW_LISTS; i++) {
        struct flow *flow = flow_at(t, t->lists[i].oldest);
        if (flow == NULL)
            continue;
        uint64_t due = flow->touched + t->timeouts[i] + t->slack[i];
        if (due <= now)
            return flow;
        next = due < next ? due : next;
    }
    t->due_at = next;
    return NULL;
}

struct flow *flow_table_first(const struct flow_table *t)
{
    for (unsigned i = 0; i < FLOW_LISTS; i++) {
        if (t->lists[i].oldest != 0)
            return flow_at(t, t->lists[i].oldest);
    }
    return NULL;
}

struct flow *flow_table_stalest(const struct flow_table *t)
{
    const struct flow_list_ends *most = &t->lists[LIST_CLOSED];
    if (most->count == 0) {
        for (unsigned i = 0; i < FLOW_LISTS; i++) {
            if (t->lists[i].count > most->count)
                most = &t->lists[i];
        }
    }
    return flow_at(t, most->oldest);
}

void flow_history_add(struct flow *flow, char letter)
{
    if (flow->history_length + 1u < sizeof flow->history)
        flow->history[flow->history_length++] = letter;
}

/* Five letters from 32 bits: each step's whole part is the next digit. */
static char *base62(char *out, uint32_t bits, unsigned letters)
{
    static const char LETTERS[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (; letters > 0; letters--) {
        uint64_t product = (uint64_t)bits * 62;
        *out++ = LETTERS[product >> 32];
        bits = (uint32_t)product;
    }
    return out;
}

static void put_big_endian(uint8_t *out, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
}

void flow_uid(const struct flow *flow, const uint8_t secret[16], char *out)
{
    uint8_t text[54];
    memcpy(text, flow->key.src, 16);
    memcpy(text + 16, flow->key.dst, 16);
    put_big_endian(text + 32, flow->key.sport, 2);
    put_big_endian(text + 34, flow->key.dport, 2);
    text[36] = flow->key.proto;
    put_big_endian(text + 37, flow->start, 8);
    put_big_endian(text + 45, flow->serial, 8);
    text[53] = 'a';
    uint64_t one = siphash(secret, text, sizeof text);
    text[53] = 'b';
    uint64_t two = siphash(secret, text, sizeof text);
    *out++ = 'C';
    out = base62(out, (uint32_t)(one >> 32), 5);
    out = base62(out, (uint32_t)one, 5);
    out = base62(out, (uint32_t)(two >> 32), 5);
    out = base62(out, (uint32_t)two, 2);
    *out = '\0';
}
