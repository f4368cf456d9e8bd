/* ring.c in two processes, a producer and a consumer, that are killed in turn at random moments
 * and started again on the same memory: no record is torn, none is lost but what was counted as
 * dropped, numbers have no gap, and only the first record after a consumer's start may be a
 * repeat, of the last one before it.
 *
 * How often is the first argument, the seed of the moments the second.
 */
#include "ring.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#define CAPACITY 8192u
#define BYTES (RING_HEADER + CAPACITY)
#define BODY_MAX 300u

/* What must outlive both: what the producer is at, what the consumer has received last. */
struct witness {
    _Atomic uint32_t stop;
    _Atomic uint32_t attempting; /* the item that is put or dropped now */
    _Atomic uint32_t received;   /* records; the newest is seen[received % 2] */
    _Atomic uint32_t seen_number[2], seen_item[2];
    _Atomic uint32_t repeats, published, dropped; /* for the report */
};

static void *memory;
static struct witness *witness;
static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

static void fail(int line)
{
    printf("line %d: item %u, received %u\n", line, witness->attempting, witness->received);
    fflush(stdout);
    _exit(1);
}

#define MUST(condition) ((condition) ? (void)0 : fail(__LINE__))

/* Length and bytes of an item's record follow from its number. */
static uint32_t body_of(uint32_t item, uint8_t *body)
{
    uint32_t length = 4 + (item * 2654435761u >> 8) % (BODY_MAX - 4);
    for (uint32_t i = 0; i < length; i++)
        body[i] = i < 4 ? (uint8_t)(item >> 8 * i) : (uint8_t)(item * 7 + i);
    return length;
}

/* Each item is put, or else dropped and counted; the next one follows from the ring alone. */
static void produce(void)
{
    struct ring r;
    uint8_t body[BODY_MAX];
    MUST(ring_attach(memory, BYTES, &r) == RING_OK);
    uint32_t item = (uint32_t)r.next_number - 1 + ring_dropped(&r, RECORD_FLOW);
    MUST(item == witness->attempting || item == witness->attempting + 1);
    for (; !witness->stop; item++) {
        uint32_t length = body_of(item, body);
        enum ring_result result;
        witness->attempting = item;
        while ((result = ring_put(&r, RECORD_FLOW, item, body, length)) == RING_FULL) {
            if (item % 8 == 0 || witness->stop) {
                ring_count_drop(&r, RECORD_FLOW);
                break;
            }
            sched_yield();
        }
        MUST(result == RING_OK || result == RING_FULL);
    }
    MUST(item == (uint32_t)r.next_number - 1 + ring_dropped(&r, RECORD_FLOW));
    witness->published = (uint32_t)r.next_number - 1;
    witness->dropped = ring_dropped(&r, RECORD_FLOW);
    _exit(0);
}

static void receive(const struct ring_view *view, const uint8_t *body, bool first)
{
    uint8_t expected[BODY_MAX];
    uint32_t item = 0, received = witness->received, last = received % 2;
    MUST(view->length >= 4 && view->kind == RECORD_FLOW);
    for (uint32_t i = 0; i < 4; i++)
        item |= (uint32_t)body[i] << 8 * i;
    MUST(view->time == item && body_of(item, expected) == view->length);
    MUST(memcmp(body, expected, view->length) == 0);
    if (first && received && view->number == witness->seen_number[last]) {
        MUST(item == witness->seen_item[last]);
        witness->repeats++;
        return;
    }
    MUST(view->number == witness->seen_number[last] + (uint64_t)1);
    MUST(received == 0 || item > witness->seen_item[last]);
    witness->seen_number[1 - last] = (uint32_t)view->number;
    witness->seen_item[1 - last] = item;
    witness->received = received + 1;
}

static void consume(void)
{
    struct ring r;
    struct ring_view view;
    uint8_t body[BODY_MAX];
    bool first = true;
    MUST(ring_attach(memory, BYTES, &r) == RING_OK);
    for (;;) {
        bool stopped = witness->stop == 2; /* looked at before the ring: nothing comes after */
        enum ring_result result = ring_next(&r, UINT32_MAX, &view, body, sizeof body);
        if (result == RING_EMPTY && stopped)
            _exit(0);
        if (result == RING_EMPTY) {
            sched_yield();
            continue;
        }
        MUST(result == RING_OK);
        receive(&view, body, first);
        first = false;
        ring_commit(&r);
    }
}

static pid_t start(void (*side)(void))
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* whatever ends the test ends both */
        side();
    }
    CHECK(child > 0);
    return child;
}

static int end_of(pid_t child)
{
    int status = -1;
    CHECK_EQ(waitpid(child, &status, 0), child);
    return status;
}

static void *shared(size_t bytes)
{
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        abort();
    return at;
}

static void kill_in_turn(unsigned kills, pid_t children[2])
{
    void (*const sides[2])(void) = {produce, consume};
    for (unsigned i = 0; i < kills && !check_failures; i++) {
        struct timespec pause = {0, 1000 * (long)random_below(600)};
        nanosleep(&pause, NULL);
        CHECK_EQ(kill(children[i % 2], SIGKILL), 0);
        int status = end_of(children[i % 2]);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        children[i % 2] = start(sides[i % 2]);
    }
}

int main(int count, char **arguments)
{
    unsigned kills = count > 1 ? (unsigned)strtoul(arguments[1], NULL, 10) : 1000;
    random_state = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 1;
    memory = shared(BYTES);
    witness = shared(sizeof *witness);
    CHECK_EQ(ring_format(memory, BYTES), RING_OK);
    pid_t children[2] = {start(produce), start(consume)};
    kill_in_turn(kills, children);
    witness->stop = 1;
    CHECK_EQ(end_of(children[0]), 0);
    witness->stop = 2;
    CHECK_EQ(end_of(children[1]), 0);
    CHECK_EQ(witness->received, witness->published);
    CHECK_EQ(witness->seen_number[witness->received % 2], witness->published);
    CHECK(witness->repeats <= (kills + 1) / 2);
    CHECK(witness->published > kills);
    printf("%u kills, %u records, %u dropped, %u repeats\n", kills, witness->published,
           witness->dropped, witness->repeats);
    return check_done();
}
