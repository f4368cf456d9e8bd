/* ring.h says what a ring is and promises; the shared memory belongs to the caller.
 *
 * Why a kill at any instruction is harmless: a killed process has executed its stores up to some
 * point in program order, and memory keeps them. All stores of ring_put() before the last go to
 * space that no reader looks at, except those over the stub at `head`, of which a successor
 * needs the number alone, and that is never stored to. The last store publishes.
 * tests/native/test_ring_crash.c stops after each store and after any subset of them.
 */
#include "ring.h"

#include <string.h>

#ifndef RING_STEP /* a test's look at the memory after each store */
#define RING_STEP()
#define RING_COPY memcpy
#endif

#define RECORD_HEADER ((uint32_t)sizeof(struct ring_record))

static uint32_t load(const _Atomic uint32_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static void store(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_relaxed);
    RING_STEP();
}

static uint32_t rounded(uint32_t bytes)
{
    return (bytes + 7u) & ~7u;
}

/* Bytes from a position to the end of the data. */
static uint32_t rest_at(const struct ring *r, uint32_t position)
{
    return r->capacity - (position & (r->capacity - 1));
}

static struct ring_record *record_at(const struct ring *r, uint32_t position)
{
    return (struct ring_record *)&r->words[(position & (r->capacity - 1)) / 4];
}

/* Bytes that a record takes there. What would be too short for the header of the next one is
 * part of it, so that every position has room for a header before the end of the data. */
static uint32_t span_at(const struct ring *r, uint32_t position, uint32_t length)
{
    uint32_t span = rounded(RECORD_HEADER + length), rest = rest_at(r, position);

    return rest - span < RECORD_HEADER ? rest : span;
}

static uint64_t load_number(const struct ring_record *record)
{
    return (uint64_t)load(&record->number_high) << 32 | load(&record->number_low);
}

static void store_number(struct ring_record *record, uint64_t number)
{
    store(&record->number_low, (uint32_t)number);
    store(&record->number_high, (uint32_t)(number >> 32));
}

uint32_t ring_bytes(uint32_t capacity)
{
    uint32_t power = RING_LEAST_CAPACITY;

    while (power < capacity && power < RING_MOST_CAPACITY)
        power *= 2;
    return RING_HEADER + power;
}

/* The capacity that so much memory has, 0 when ring_bytes() gives no such number. */
static uint32_t capacity_of(uint32_t bytes)
{
    uint32_t capacity = bytes - RING_HEADER;

    return bytes > RING_HEADER && ring_bytes(capacity) == bytes ? capacity : 0;
}

static void lay_over(struct ring *r, void *memory, uint32_t capacity)
{
    memset(r, 0, sizeof *r);
    r->shared = memory;
    r->words = (_Atomic uint32_t *)memory + RING_HEADER / 4;
    r->capacity = capacity;
}

enum ring_result ring_format(void *memory, uint32_t bytes)
{
    struct ring r;
    uint32_t capacity = capacity_of(bytes);

    if (!capacity)
        return RING_TOO_SMALL;
    memset(memory, 0, RING_HEADER);
    lay_over(&r, memory, capacity);
    store_number(record_at(&r, 0), 1);
    store(&r.shared->version, RING_VERSION);
    store(&r.shared->capacity, capacity);
    atomic_store_explicit(&r.shared->magic, RING_MAGIC, memory_order_release);
    return RING_OK;
}

/* Whether the distance from a tail to a head is one that ring_put() can have made. */
static bool plausible(const struct ring *r, uint32_t used)
{
    return used % 8 == 0 && used <= r->capacity - RECORD_HEADER;
}

/* Look at what lies at a position with `used` bytes up to the head: each field is read once, and
 * `span` never leaves those bytes nor, for a record, the data. A view of kind 0 is padding. The
 * position is ours: ring_attach() and span_at() see to it that a header fits there. */
static enum ring_result look(const struct ring *r, uint32_t position, uint32_t used,
                             uint64_t number, struct ring_view *view, uint32_t *span)
{
    const struct ring_record *record = record_at(r, position);
    uint32_t rest = rest_at(r, position);

    view->length = load(&record->length);
    view->kind = load(&record->kind);
    view->number = load_number(record);
    view->time = (uint64_t)load(&record->time_high) << 32 | load(&record->time_low);
    if (view->number != number || view->kind >= RECORD_KINDS || view->length > rest - RECORD_HEADER)
        return RING_CORRUPT;
    if (view->kind == 0) {
        if (view->length != rest - RECORD_HEADER)
            return RING_CORRUPT;
        *span = rest;
    } else {
        if (view->length > RECORD_MAX)
            return RING_CORRUPT;
        *span = span_at(r, position, view->length);
    }
    return *span <= used ? RING_OK : RING_CORRUPT;
}

/* Follow all records from the tail to the head; the stub behind them bears the next number.
 * The number of the first is believed: nobody else knows it. */
static enum ring_result survey(struct ring *r)
{
    struct ring_view view;
    uint32_t position = r->cursor, span;
    uint64_t number = load_number(record_at(r, position));

    r->expected_number = number;
    while (position != r->head) {
        if (look(r, position, r->head - position, number, &view, &span) != RING_OK)
            return RING_CORRUPT;
        position += span;
        number += view.kind != 0;
    }
    r->next_number = number;
    return load_number(record_at(r, position)) == number ? RING_OK : RING_CORRUPT;
}

enum ring_result ring_attach(void *memory, uint32_t bytes, struct ring *out)
{
    struct ring_memory *shared = memory;
    uint32_t capacity = capacity_of(bytes);

    if (!capacity || atomic_load_explicit(&shared->magic, memory_order_acquire) != RING_MAGIC ||
        load(&shared->version) != RING_VERSION || load(&shared->capacity) != capacity)
        return RING_CORRUPT;
    lay_over(out, memory, capacity);
    out->committed = out->seen_tail = atomic_load_explicit(&shared->tail, memory_order_acquire);
    out->cursor = out->committed;
    out->head = out->seen_head = atomic_load_explicit(&shared->head, memory_order_acquire);
    if (!plausible(out, out->head - out->cursor) || rest_at(out, out->cursor) < RECORD_HEADER ||
        rest_at(out, out->head) < RECORD_HEADER || out->cursor % 8 != 0)
        return RING_CORRUPT;
    return survey(out);
}

/* Free bytes between a tail and our head; none when the consumer's tail makes no sense. */
static uint32_t free_behind(const struct ring *r, uint32_t tail)
{
    uint32_t used = r->head - tail;

    return used <= r->capacity ? r->capacity - used : 0;
}

/* The tail is looked at only when the one seen last leaves too little: its cache line is the
 * consumer's. Acquire: what was freed has been read. */
static bool has_room(struct ring *r, uint32_t need)
{
    if (need <= free_behind(r, r->seen_tail))
        return true;
    r->seen_tail = atomic_load_explicit(&r->shared->tail, memory_order_acquire);
    return need <= free_behind(r, r->seen_tail);
}

static void write_record(struct ring *r, uint32_t position, enum record_kind kind, uint64_t time,
                         const uint8_t *bytes, uint32_t length)
{
    struct ring_record *record = record_at(r, position);

    store(&record->length, length);
    store(&record->kind, (uint32_t)kind);
    store(&record->time_low, (uint32_t)time);
    store(&record->time_high, (uint32_t)(time >> 32));
    if (bytes && length)
        RING_COPY((uint8_t *)(record + 1), bytes, length);
}

enum ring_result ring_put(struct ring *r, enum record_kind kind, uint64_t time,
                          const uint8_t *bytes, uint32_t length)
{
    uint32_t start = r->head, rest = rest_at(r, start), skip, total;

    if (kind < 1 || kind >= RECORD_KINDS || length > RECORD_MAX ||
        2 * rounded(RECORD_HEADER + length) + 2 * RECORD_HEADER > r->capacity)
        return RING_TOO_SMALL;
    skip = RECORD_HEADER + length > rest ? rest : 0;
    total = skip + span_at(r, start + skip, length);
    if (!has_room(r, total + RECORD_HEADER))
        return RING_FULL;
    store_number(record_at(r, start + total), r->next_number + 1);
    if (skip) {
        write_record(r, start, 0, time, NULL, rest - RECORD_HEADER);
        store_number(record_at(r, start + skip), r->next_number);
    }
    write_record(r, start + skip, kind, time, bytes, length);
    r->head = start + total;
    r->next_number++;
    atomic_store_explicit(&r->shared->head, r->head, memory_order_release);
    RING_STEP();
    return RING_OK;
}

uint32_t ring_free(const struct ring *r)
{
    return r->capacity - ring_used(r);
}

/* Half as much again pays for headers and padding of records of 64 bytes or more on average, and
 * for what is lost at the end of the data. */
bool ring_ready(const struct ring *r)
{
    return ring_free(r) >= RECORD_BURST + RECORD_BURST / 2;
}

void ring_count_drop(struct ring *r, enum record_kind kind)
{
    store(&r->shared->dropped[kind], load(&r->shared->dropped[kind]) + 1);
}

/* Bytes ready to be read; the head is looked at only when all that was seen is read. */
static enum ring_result look_ahead(struct ring *r, uint32_t *used)
{
    if (r->cursor == r->seen_head)
        r->seen_head = atomic_load_explicit(&r->shared->head, memory_order_acquire);
    *used = r->seen_head - r->cursor;
    if (!*used)
        return RING_EMPTY;
    return plausible(r, *used) ? RING_OK : RING_CORRUPT;
}

enum ring_result ring_next(struct ring *r, uint32_t mask, struct ring_view *view, uint8_t *buffer,
                           uint32_t size)
{
    uint32_t used, span;
    enum ring_result result;

    for (;;) {
        result = look_ahead(r, &used);
        if (result == RING_OK)
            result = look(r, r->cursor, used, r->expected_number, view, &span);
        if (result != RING_OK)
            return result;
        if (view->kind)
            break;
        r->cursor += span;
    }
    if ((mask >> view->kind) & 1u) {
        if (view->length > size)
            return RING_TOO_SMALL;
        memcpy(buffer, (const uint8_t *)(record_at(r, r->cursor) + 1), view->length);
    }
    r->cursor += span;
    r->expected_number++;
    return RING_OK;
}

/* Release: the records were copied before their space is given back. */
void ring_commit(struct ring *r)
{
    r->committed = r->cursor;
    atomic_store_explicit(&r->shared->tail, r->cursor, memory_order_release);
}

uint32_t ring_held(const struct ring *r)
{
    return r->cursor - r->committed;
}

bool ring_pending(const struct ring *r)
{
    return atomic_load_explicit(&r->shared->head, memory_order_acquire) != r->cursor;
}

uint32_t ring_used(const struct ring *r)
{
    uint32_t tail = atomic_load_explicit(&r->shared->tail, memory_order_acquire);
    uint32_t used = atomic_load_explicit(&r->shared->head, memory_order_acquire) - tail;

    return used < r->capacity ? used : r->capacity;
}

uint32_t ring_dropped(const struct ring *r, enum record_kind kind)
{
    return load(&r->shared->dropped[kind]);
}

static _Atomic uint32_t *sleep_word(struct ring *r, bool producer)
{
    return producer ? &r->shared->producer_sleeps : &r->shared->consumer_sleeps;
}

/* The fences: each side stores one word (its announcement, its index) and then loads the other's.
 * Release and acquire let a load overtake an earlier store to another place, so both sides could
 * see the old state: one sleeps, the other wakes nobody. A sequentially consistent fence between
 * store and load on both sides leaves at least one that sees the other's store. */
void ring_announce_sleep(struct ring *r, bool producer)
{
    store(sleep_word(r, producer), 1);
    atomic_thread_fence(memory_order_seq_cst);
}

/* Clearing may wipe out an announcement made meanwhile by a sleeper that had woken by itself;
 * it is woken for this call's true all the same, and announces anew before it sleeps. */
bool ring_wants_wake(struct ring *r, bool producer)
{
    atomic_thread_fence(memory_order_seq_cst);
    if (!load(sleep_word(r, producer)))
        return false;
    store(sleep_word(r, producer), 0);
    return true;
}
