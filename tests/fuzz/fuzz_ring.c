/* A ring whose memory is changed at will between the calls of both ends: the input is a script of
 * steps, each an operation and its arguments. Nothing may be read or written outside the memory,
 * no call may fail to end, and the consumer's numbers go up by one whatever lies there. */
#include "ring.h"

#include <stdlib.h>
#include <string.h>

#define CAPACITY RING_LEAST_CAPACITY
#define BYTES (RING_HEADER + CAPACITY)

struct script {
    const uint8_t *at;
    size_t left;
};

/* The next bytes as a number, 0 once they have run out. */
static uint32_t take(struct script *s, unsigned bytes)
{
    uint32_t value = 0;
    while (bytes-- && s->left) {
        value = value << 8 | *s->at++;
        s->left--;
    }
    return value;
}

static void change(struct script *s, void *memory)
{
    _Atomic uint32_t *words = memory;
    uint32_t at = take(s, 2) % (BYTES / 4);
    words[at] = take(s, 1) & 1 ? take(s, 4) : words[at] + (uint32_t)(int8_t)take(s, 1);
}

static void read_one(struct ring *r)
{
    uint8_t buffer[RECORD_MAX];
    struct ring_view view;
    uint64_t expected = r->expected_number;
    if (ring_next(r, 0x0000ffff, &view, buffer, sizeof buffer) != RING_OK)
        return;
    if (view.number != expected || r->expected_number != expected + 1 || view.length > RECORD_MAX)
        abort();
}

static void put_one(struct script *s, struct ring *r)
{
    static const uint8_t body[RECORD_MAX + 1];
    uint32_t length = take(s, 2) % (RECORD_MAX + 2);
    ring_put(r, (enum record_kind)(take(s, 1) % (RECORD_KINDS + 1)), 1, body, length);
}

static void run(struct script *s, void *memory)
{
    struct ring r, other;
    if (ring_format(memory, BYTES) != RING_OK || ring_attach(memory, BYTES, &r) != RING_OK)
        abort();
    while (s->left) {
        switch (take(s, 1) % 6) {
        case 0:
            change(s, memory);
            break;
        case 1:
            read_one(&r);
            break;
        case 2:
            ring_commit(&r);
            break;
        case 3:
            put_one(s, &r);
            break;
        case 4:
            if (ring_attach(memory, BYTES, &other) == RING_OK)
                r = other;
            break;
        default:
            if (ring_used(&r) > CAPACITY || ring_free(&r) > CAPACITY)
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script = {data, size};
    void *memory = aligned_alloc(64, BYTES);
    memset(memory, 0, BYTES);
    run(&script, memory);
    free(memory);
    return 0;
}
