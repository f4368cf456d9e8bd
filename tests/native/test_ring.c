/* ring.h: what the two ends promise, and that no image of the memory leads a reader astray. */
#include "ring.h"

#include <stddef.h>
#include <stdlib.h>

#include "check.h"

#define CAPACITY 4096u
#define SIZE (RING_HEADER + CAPACITY)
#define ALL 0xffffffffu

struct fixture {
    void *memory; /* of exactly its size, so that ASan sees one byte too many */
    uint32_t bytes;
    struct ring ring;
};

static struct fixture with_capacity(uint32_t capacity)
{
    struct fixture f = {.bytes = ring_bytes(capacity)};
    f.memory = aligned_alloc(64, f.bytes);
    if (!f.memory)
        abort();
    memset(f.memory, 0xa5, f.bytes);
    CHECK_EQ(ring_format(f.memory, f.bytes), RING_OK);
    CHECK_EQ(ring_attach(f.memory, f.bytes, &f.ring), RING_OK);
    return f;
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

static uint8_t pattern[RECORD_MAX + 1];

/* Bytes that depend on the number and the place, so that a mixed-up record shows. */
static const uint8_t *body_of(uint64_t number, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        pattern[i] = (uint8_t)(number * 31 + i);
    return pattern;
}

static enum ring_result put(struct ring *r, uint32_t length)
{
    return ring_put(r, RECORD_FLOW, r->next_number << 33 | 5, body_of(r->next_number, length),
                    length);
}

/* The next record must be number `number` with `length` bytes of its pattern. */
static void expect(struct ring *r, uint64_t number, uint32_t length)
{
    uint8_t buffer[256];
    struct ring_view view = {0};
    CHECK_EQ(ring_next(r, ALL, &view, buffer, sizeof buffer), RING_OK);
    CHECK_EQ(view.number, number);
    CHECK_EQ(view.time, number << 33 | 5);
    CHECK_EQ(view.kind, RECORD_FLOW);
    CHECK_EQ(view.length, length);
    CHECK(memcmp(buffer, body_of(number, length), length) == 0);
}

static enum ring_result next(struct ring *r)
{
    uint8_t buffer[RECORD_MAX];
    struct ring_view view;
    return ring_next(r, ALL, &view, buffer, sizeof buffer);
}

static void sizes_are_powers_of_two_within_limits(void)
{
    CHECK_EQ(ring_bytes(0), RING_HEADER + RING_LEAST_CAPACITY);
    CHECK_EQ(ring_bytes(4097), RING_HEADER + 8192);
    CHECK_EQ(ring_bytes(1 << 20), RING_HEADER + (1 << 20));
    CHECK_EQ(ring_bytes(UINT32_MAX), RING_HEADER + RING_MOST_CAPACITY);
    CHECK_EQ(ring_format(NULL, 0), RING_TOO_SMALL);
    CHECK_EQ(ring_format(NULL, RING_HEADER), RING_TOO_SMALL);
    CHECK_EQ(ring_format(NULL, RING_HEADER + 4104), RING_TOO_SMALL);
}

static void records_come_out_as_they_went_in(void)
{
    struct fixture f = with_capacity(CAPACITY);
    uint32_t lengths[] = {0, 1, 7, 8, 9, 100, 255};
    CHECK_EQ(next(&f.ring), RING_EMPTY);
    for (unsigned i = 0; i < 7; i++)
        CHECK_EQ(put(&f.ring, lengths[i]), RING_OK);
    for (unsigned i = 0; i < 7; i++)
        expect(&f.ring, i + 1, lengths[i]);
    CHECK_EQ(next(&f.ring), RING_EMPTY);
    CHECK(ring_used(&f.ring) > 0);
    ring_commit(&f.ring);
    CHECK_EQ(ring_used(&f.ring), 0);
    CHECK_EQ(ring_free(&f.ring), CAPACITY);
    free(f.memory);
}

/* Thousands of laps with every length, so that the end of the data is met at every distance;
 * the indices wrap past 2^32 on the way. */
static void laps_at_every_distance_from_the_end(void)
{
    struct fixture f = with_capacity(CAPACITY);
    f.ring.shared->head = f.ring.shared->tail = 0u - 64 * CAPACITY;
    CHECK_EQ(ring_attach(f.memory, f.bytes, &f.ring), RING_OK);
    for (uint64_t number = 1; number < 20000;) {
        uint32_t lengths[40], count = 0, length = random_below(250);
        while (count < 40 && put(&f.ring, length) == RING_OK) {
            lengths[count++] = length;
            length = random_below(250);
        }
        CHECK(count > 0);
        for (uint32_t i = 0; i < count; i++)
            expect(&f.ring, number++, lengths[i]);
        ring_commit(&f.ring);
        if (check_failures)
            break;
    }
    CHECK(f.ring.head < 0x80000000u); /* it did wrap */
    free(f.memory);
}

static void a_full_ring_refuses_until_commit(void)
{
    struct fixture f = with_capacity(CAPACITY);
    uint32_t count = 0;
    while (put(&f.ring, 100) == RING_OK)
        count++;
    CHECK_EQ(count, (CAPACITY - 24) / 128);
    CHECK_EQ(put(&f.ring, 100), RING_FULL);
    expect(&f.ring, 1, 100);
    CHECK_EQ(put(&f.ring, 100), RING_FULL); /* read is not committed */
    ring_commit(&f.ring);
    CHECK_EQ(put(&f.ring, 100), RING_OK);
    for (uint32_t i = 2; i < count + 2; i++)
        expect(&f.ring, i, 100);
    CHECK_EQ(next(&f.ring), RING_EMPTY);
    free(f.memory);
}

/* What ring_put() does not refuse for ever fits into an empty ring wherever its head stands. */
static void the_largest_record_fits_at_every_position(void)
{
    uint32_t largest = CAPACITY / 2 - 48, bytes = RING_HEADER + CAPACITY;
    struct fixture f = with_capacity(CAPACITY);
    CHECK_EQ(put(&f.ring, largest + 1), RING_TOO_SMALL);
    for (uint32_t start = 0; start <= CAPACITY - 24; start += 8) {
        CHECK_EQ(ring_format(f.memory, bytes), RING_OK);
        struct ring_record *stub = (void *)((uint8_t *)f.memory + RING_HEADER + start);
        f.ring.shared->head = f.ring.shared->tail = start;
        stub->number_low = 77;
        stub->number_high = 0;
        CHECK_EQ(ring_attach(f.memory, bytes, &f.ring), RING_OK);
        CHECK_EQ(put(&f.ring, largest), RING_OK);
        CHECK_EQ(next(&f.ring), RING_OK);
    }
    free(f.memory);
    f = with_capacity(4 * RECORD_MAX);
    CHECK_EQ(put(&f.ring, RECORD_MAX), RING_OK);
    CHECK_EQ(ring_put(&f.ring, RECORD_FLOW, 0, pattern, RECORD_MAX + 1), RING_TOO_SMALL);
    CHECK_EQ(ring_put(&f.ring, (enum record_kind)0, 0, pattern, 1), RING_TOO_SMALL);
    CHECK_EQ(ring_put(&f.ring, RECORD_KINDS, 0, pattern, 1), RING_TOO_SMALL);
    free(f.memory);
}

/* ready() is an offer for a whole burst, of the longest records and of short ones. */
static void ready_keeps_its_word(void)
{
    uint32_t lengths[] = {RECORD_MAX, RECORD_MAX - 1, 4097, 1000, 64};
    for (unsigned i = 0; i < 5; i++) {
        struct fixture f = with_capacity(1u << 18);
        for (uint32_t shift = 0; shift < 100; shift++) {
            uint32_t sum = 0;
            while (next(&f.ring) == RING_OK)
                continue;
            ring_commit(&f.ring);
            while (ring_ready(&f.ring) && sum < 8 * RECORD_BURST) {
                for (uint32_t burst = 0; burst + lengths[i] <= RECORD_BURST; burst += lengths[i])
                    CHECK_EQ(put(&f.ring, lengths[i]), RING_OK);
                sum += RECORD_BURST;
            }
            CHECK(sum >= RECORD_BURST);
            put(&f.ring, shift);
        }
        free(f.memory);
    }
}

static void unwanted_kinds_are_passed_uncopied(void)
{
    struct fixture f = with_capacity(CAPACITY);
    uint8_t buffer[8];
    struct ring_view view;
    for (uint32_t lap = 0; lap < 1000; lap++) {
        const enum record_kind kinds[] = {RECORD_DNS, RECORD_ARP, RECORD_TLS};
        for (unsigned i = 0; i < 3; i++)
            ring_put(&f.ring, kinds[i], 0, body_of(3, 3 + 20 * (i != 1)), 3 + 20 * (i != 1));
        for (unsigned i = 0; i < 3; i++) {
            memset(buffer, 0, sizeof buffer);
            CHECK(ring_pending(&f.ring));
            CHECK_EQ(ring_next(&f.ring, 1u << RECORD_ARP, &view, buffer, sizeof buffer), RING_OK);
            CHECK_EQ(view.number, 3 * lap + i + 1);
            CHECK_EQ(view.kind, kinds[i]);
            CHECK_EQ(buffer[1], i == 1 ? body_of(3, 3)[1] : 0);
        }
        CHECK(!ring_pending(&f.ring));
        CHECK_EQ(ring_held(&f.ring), ring_used(&f.ring));
        ring_commit(&f.ring);
        CHECK_EQ(ring_held(&f.ring) + ring_used(&f.ring), 0);
    }
    free(f.memory);
}

static void a_small_buffer_takes_nothing(void)
{
    struct fixture f = with_capacity(CAPACITY);
    uint8_t buffer[4] = {0};
    struct ring_view view;
    put(&f.ring, 5);
    CHECK_EQ(ring_next(&f.ring, ALL, &view, buffer, sizeof buffer), RING_TOO_SMALL);
    CHECK_EQ(view.length, 5);
    expect(&f.ring, 1, 5);
    free(f.memory);
}

static void drops_are_counted_by_kind_and_wrap(void)
{
    struct fixture f = with_capacity(CAPACITY);
    f.ring.shared->dropped[RECORD_DNS] = UINT32_MAX;
    ring_count_drop(&f.ring, RECORD_DNS);
    ring_count_drop(&f.ring, RECORD_DNS);
    ring_count_drop(&f.ring, RECORD_FLOW);
    CHECK_EQ(ring_dropped(&f.ring, RECORD_DNS), 1);
    CHECK_EQ(ring_dropped(&f.ring, RECORD_FLOW), 1);
    CHECK_EQ(ring_dropped(&f.ring, RECORD_ARP), 0);
    free(f.memory);
}

static void a_sleep_is_announced_and_woken_once(void)
{
    struct fixture f = with_capacity(CAPACITY);
    for (int producer = 0; producer < 2; producer++) {
        CHECK(!ring_wants_wake(&f.ring, producer));
        ring_announce_sleep(&f.ring, producer);
        CHECK(!ring_wants_wake(&f.ring, !producer));
        CHECK(ring_wants_wake(&f.ring, producer));
        CHECK(!ring_wants_wake(&f.ring, producer));
    }
    free(f.memory);
}

/* Both ends go on where their predecessors stopped: nothing lost, the uncommitted repeated. */
static void ends_that_attach_again_go_on(void)
{
    struct fixture f = with_capacity(CAPACITY);
    for (uint64_t number = 1; number < 500; number++) {
        CHECK_EQ(ring_attach(f.memory, f.bytes, &f.ring), RING_OK);
        CHECK_EQ(f.ring.next_number, number);
        CHECK_EQ(put(&f.ring, (uint32_t)number % 60), RING_OK);
        expect(&f.ring, number, (uint32_t)number % 60);
        CHECK_EQ(ring_attach(f.memory, f.bytes, &f.ring), RING_OK);
        expect(&f.ring, number, (uint32_t)number % 60);
        ring_commit(&f.ring);
    }
    free(f.memory);
}

static void strangers_are_refused(void)
{
    struct fixture f = with_capacity(CAPACITY);
    struct ring_memory *shared = f.memory;
    struct ring ring;
    _Atomic uint32_t *words[] = {&shared->magic, &shared->version, &shared->capacity};
    for (unsigned i = 0; i < 3; i++) {
        uint32_t kept = *words[i];
        for (uint32_t bit = 0; bit < 32; bit++) {
            *words[i] = kept ^ 1u << bit;
            CHECK_EQ(ring_attach(f.memory, f.bytes, &ring), RING_CORRUPT);
        }
        *words[i] = kept;
    }
    CHECK_EQ(ring_attach(f.memory, f.bytes, &ring), RING_OK);
    CHECK_EQ(ring_attach(f.memory, f.bytes - 8, &ring), RING_CORRUPT);
    CHECK_EQ(ring_attach(f.memory, RING_HEADER, &ring), RING_CORRUPT);
    CHECK_EQ(ring_attach(f.memory, 0, &ring), RING_CORRUPT);
    free(f.memory);
}

/* Three records, the second of which starts at `second` behind the data's start. */
static struct fixture with_three_records(struct ring_record **second)
{
    struct fixture f = with_capacity(CAPACITY);
    put(&f.ring, 40);
    put(&f.ring, 50);
    put(&f.ring, 60);
    *second = (void *)((uint8_t *)f.memory + RING_HEADER + 64);
    CHECK_EQ((*second)->number_low, 2);
    return f;
}

/* Every value of a record's fields that is not the right one is found by the reader that meets
 * it and by the end that attaches. */
static void corrupt_records_are_found(void)
{
    const struct {
        size_t field;
        uint32_t value;
    } cases[] = {
        {offsetof(struct ring_record, length), 0},
        {offsetof(struct ring_record, length), 145}, /* a byte past the head, with its header */
        {offsetof(struct ring_record, length), 200},
        {offsetof(struct ring_record, length), CAPACITY},
        {offsetof(struct ring_record, length), RECORD_MAX + 1},
        {offsetof(struct ring_record, length), UINT32_MAX - 23},
        {offsetof(struct ring_record, length), UINT32_MAX},
        {offsetof(struct ring_record, kind), 0},
        {offsetof(struct ring_record, kind), RECORD_KINDS},
        {offsetof(struct ring_record, kind), UINT32_MAX},
        {offsetof(struct ring_record, number_low), 1},
        {offsetof(struct ring_record, number_low), 3},
        {offsetof(struct ring_record, number_high), 1},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ring_record *second;
        struct fixture f = with_three_records(&second);
        struct ring other;
        ((_Atomic uint32_t *)second)[cases[i].field / 4] = cases[i].value;
        CHECK_EQ(ring_attach(f.memory, f.bytes, &other), RING_CORRUPT);
        expect(&f.ring, 1, 40);
        if (i == 0) /* a length that is too short shows one record later */
            CHECK_EQ(next(&f.ring), RING_OK);
        CHECK_EQ(next(&f.ring), RING_CORRUPT);
        CHECK_EQ(next(&f.ring), RING_CORRUPT);
        free(f.memory);
    }
}

/* An empty ring whose head stands less than 256 bytes before the end of the data; `last` is what
 * will lie there. */
static struct fixture near_the_end(struct ring_record **last)
{
    struct fixture f = with_capacity(CAPACITY);
    while (ring_used(&f.ring) + 256 < CAPACITY)
        put(&f.ring, 104);
    while (next(&f.ring) == RING_OK)
        ring_commit(&f.ring);
    *last = (void *)((uint8_t *)f.memory + RING_HEADER + f.ring.head);
    return f;
}

/* Where the start of the data is in use too, only the rest bounds a record. */
static void records_end_with_the_data(void)
{
    struct ring_record *last;
    struct fixture f = near_the_end(&last);
    struct ring other;
    uint32_t rest = CAPACITY - f.ring.head - 24;
    put(&f.ring, 60);
    put(&f.ring, 200);
    put(&f.ring, 200);
    CHECK(f.ring.head > CAPACITY);
    last->length = rest + 1;
    CHECK_EQ(ring_attach(f.memory, f.bytes, &other), RING_CORRUPT);
    CHECK_EQ(next(&f.ring), RING_CORRUPT);
    free(f.memory);
}

static void padding_fills_the_rest_or_is_corrupt(void)
{
    struct ring_record *last;
    struct fixture f = near_the_end(&last);
    uint32_t rest = CAPACITY - f.ring.head - 24;
    put(&f.ring, rest + 1);
    CHECK_EQ(last->kind, 0);
    CHECK_EQ(last->length, rest);
    last->length = rest - 8;
    CHECK_EQ(next(&f.ring), RING_CORRUPT);
    last->length = rest;
    CHECK_EQ(next(&f.ring), RING_OK);
    free(f.memory);
}

static void records_longer_than_the_longest_are_corrupt(void)
{
    struct fixture f = with_capacity(8 * RECORD_MAX);
    struct ring_record *first = (void *)((uint8_t *)f.memory + RING_HEADER);
    put(&f.ring, RECORD_MAX);
    put(&f.ring, RECORD_MAX);
    first->length = RECORD_MAX + 1;
    CHECK_EQ(next(&f.ring), RING_CORRUPT);
    free(f.memory);
}

static void corrupt_indices_are_found(void)
{
    const uint32_t wrong[] = {
        1,        4,    8,    16,       CAPACITY - 256, CAPACITY - 248, CAPACITY - 16,
        CAPACITY, 4104, 8192, 1u << 31, UINT32_MAX,     0u - 8,         0u - CAPACITY};
    struct ring other;
    struct ring_record *second;
    for (unsigned i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct fixture f = with_three_records(&second);
        f.ring.shared->head += wrong[i];
        CHECK_EQ(ring_attach(f.memory, f.bytes, &other), RING_CORRUPT);
        uint32_t used = f.ring.head + wrong[i], whole = wrong[i] > INT32_MAX ? 2 : 3;
        unsigned reads = 0; /* a head in free space shows as a wrong record behind the right */
        while (next(&f.ring) == RING_OK && reads < 5)
            reads++;
        CHECK_EQ(reads, used % 8 == 0 && used <= CAPACITY - 24 ? whole : 0);
        CHECK_EQ(next(&f.ring), RING_CORRUPT);
        free(f.memory);

        f = with_three_records(&second);
        f.ring.shared->tail -= wrong[i];
        CHECK_EQ(ring_attach(f.memory, f.bytes, &other), RING_CORRUPT);
        while (put(&f.ring, 200) == RING_OK) /* a wrong tail stops the producer in bounds */
            CHECK(f.ring.next_number < 40);
        CHECK(ring_used(&f.ring) <= CAPACITY);
        CHECK(ring_free(&f.ring) <= CAPACITY);
        free(f.memory);
    }
}

static void unaligned_indices_are_refused(void)
{
    struct fixture f = with_capacity(CAPACITY);
    struct ring other;
    for (uint32_t shift = 1; shift < 8; shift++) {
        f.ring.shared->head = f.ring.shared->tail = shift;
        CHECK_EQ(ring_attach(f.memory, f.bytes, &other), RING_CORRUPT);
    }
    free(f.memory);
}

/* Random words anywhere, before an attach and between reads and puts: nothing but a result, and
 * under ASan no access outside the memory. */
static void random_images_do_no_harm(void)
{
    unsigned refused = 0, survived = 0;
    for (unsigned round = 0; round < 20000; round++) {
        struct ring_record *second;
        struct fixture f = with_three_records(&second);
        _Atomic uint32_t *words = f.memory;
        for (unsigned step = 0; step < 8; step++) {
            uint32_t at = step % 2 ? RING_HEADER / 4 + random_below(64)
                                   : random_below(sizeof *f.ring.shared / 4);
            uint32_t small = random_below(4) * 8;
            words[at] = random_below(2) ? small : random_state ^ random_state << 16;
            struct ring other;
            if (ring_attach(f.memory, f.bytes, &other) == RING_OK) {
                survived++;
                f.ring = other;
            } else { /* the end that was there before goes on */
                refused++;
            }
            for (unsigned reads = 0; reads < 4; reads++)
                next(&f.ring);
            put(&f.ring, random_below(300));
            ring_commit(&f.ring);
        }
        free(f.memory);
    }
    CHECK(refused > 1000 && survived > 1000);
}

int main(void)
{
    sizes_are_powers_of_two_within_limits();
    records_come_out_as_they_went_in();
    laps_at_every_distance_from_the_end();
    a_full_ring_refuses_until_commit();
    the_largest_record_fits_at_every_position();
    ready_keeps_its_word();
    unwanted_kinds_are_passed_uncopied();
    a_small_buffer_takes_nothing();
    drops_are_counted_by_kind_and_wrap();
    a_sleep_is_announced_and_woken_once();
    ends_that_attach_again_go_on();
    strangers_are_refused();
    corrupt_records_are_found();
    records_end_with_the_data();
    padding_fills_the_rest_or_is_corrupt();
    records_longer_than_the_longest_are_corrupt();
    corrupt_indices_are_found();
    unaligned_indices_are_refused();
    random_images_do_no_harm();
    return check_done();
}
