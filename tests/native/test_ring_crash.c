/* ring.c stopped after every store of its producer: from each image of the memory a successor
 * finds all published records whole, at most the new one besides, and goes on with the right
 * number. Also from images in which any subset of a put's stores was made but the last, so that
 * nothing hangs on the order in which a compiler emits them.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static void step(void);
static void copy_in_steps(uint8_t *to, const uint8_t *from, uint32_t length);

#define RING_STEP step
#define RING_COPY copy_in_steps
#include "ring.c"

#include "check.h"

#define CAPACITY 4096u
#define BYTES (RING_HEADER + CAPACITY)
#define ALL 0xffffffffu

static _Alignas(64) uint8_t live[BYTES], before[BYTES], after[BYTES], image[BYTES];
static uint32_t random_state = 7;
static unsigned steps, recoveries;
static bool watching;

/* The model: lengths of the records by number, the oldest uncommitted one, the next one. */
static uint32_t lengths[4096];
static uint64_t oldest = 1, upcoming = 1;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

static uint8_t byte_of(uint64_t number, uint32_t i)
{
    return (uint8_t)(number * 31 + i * 7);
}

static enum ring_result put(struct ring *r, uint32_t length)
{
    uint8_t body[512];
    for (uint32_t i = 0; i < length; i++)
        body[i] = byte_of(r->next_number, i);
    return ring_put(r, RECORD_FLOW, r->next_number, body, length);
}

/* Read to the end; the number behind the last one. Every record must be whole. */
static uint64_t read_all(struct ring *r, uint64_t number)
{
    uint8_t buffer[512];
    struct ring_view view;
    enum ring_result result;
    while ((result = ring_next(r, ALL, &view, buffer, sizeof buffer)) == RING_OK) {
        CHECK_EQ(view.number, number);
        CHECK_EQ(view.time, number);
        CHECK_EQ(view.length, lengths[number % 4096]);
        for (uint32_t i = 0; i < view.length; i++) {
            if (buffer[i] != byte_of(number, i)) {
                CHECK(!"a torn record");
                break;
            }
        }
        number++;
    }
    CHECK_EQ(result, RING_EMPTY);
    return number;
}

/* A producer and a consumer attach to `image`, as left by a kill during the put of `upcoming`. */
static void recover(bool published)
{
    struct ring r;
    watching = false;
    recoveries++;
    CHECK_EQ(ring_attach(image, BYTES, &r), RING_OK);
    CHECK_EQ(r.next_number, upcoming + published);
    CHECK_EQ(read_all(&r, oldest), upcoming + published);
    ring_commit(&r);
    uint32_t kept = lengths[r.next_number % 4096];
    lengths[r.next_number % 4096] = 100;
    CHECK_EQ(put(&r, 100), RING_OK);
    CHECK_EQ(read_all(&r, upcoming + published), upcoming + published + 1);
    lengths[(r.next_number - 1) % 4096] = kept;
    watching = true;
}

static uint32_t head_of(const uint8_t *memory)
{
    uint32_t head;
    memcpy(&head, memory + offsetof(struct ring_memory, head), sizeof head);
    return head;
}

static void step(void)
{
    if (!watching)
        return;
    steps++;
    memcpy(image, live, BYTES);
    recover(head_of(live) != head_of(before));
}

static void copy_in_steps(uint8_t *to, const uint8_t *from, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++) {
        to[i] = from[i];
        if (i % 16 == 0)
            step();
    }
}

/* The put's stores in any order: a random subset of the bytes it changed, but not the head. */
static void recover_from_subsets(void)
{
    uint32_t head = offsetof(struct ring_memory, head);
    memcpy(after, live, BYTES);
    for (unsigned round = 0; round < 20; round++) {
        memcpy(image, before, BYTES);
        for (uint32_t i = 0; i < BYTES; i++) {
            if (after[i] != before[i] && (i < head || i >= head + 4) && random_below(2))
                image[i] = after[i];
        }
        recover(false);
    }
}

static void put_and_stop_everywhere(struct ring *r, uint32_t length)
{
    enum ring_result result;
    memcpy(before, live, BYTES);
    lengths[upcoming % 4096] = length;
    watching = true;
    result = put(r, length);
    if (result == RING_OK) {
        recover_from_subsets();
        upcoming++;
    } else {
        CHECK_EQ(result, RING_FULL);
        CHECK(memcmp(before, live, BYTES) == 0);
    }
    watching = false;
}

static void consume(struct ring *r)
{
    CHECK_EQ(read_all(r, oldest), upcoming);
    ring_commit(r);
    oldest = upcoming;
}

int main(void)
{
    struct ring r;
    CHECK_EQ(ring_format(live, BYTES), RING_OK);
    CHECK_EQ(ring_attach(live, BYTES, &r), RING_OK);
    r.shared->head = r.shared->tail = 0u - 8 * CAPACITY; /* the indices wrap on the way */
    CHECK_EQ(ring_attach(live, BYTES, &r), RING_OK);
    while (upcoming < 1500 && !check_failures) {
        put_and_stop_everywhere(&r, random_below(400));
        if (random_below(4) == 0)
            consume(&r);
        if (random_below(8) == 0)
            CHECK_EQ(ring_attach(live, BYTES, &r), RING_OK);
    }
    CHECK(steps > 15000);
    CHECK(recoveries > steps + 20000);
    printf("%u stores, %u recoveries\n", steps, recoveries);
    return check_done();
}
