/* attempts.c: what is told singly, what is summed, what makes room. */
#include "attempts.h"

#include <stdlib.h>

#include "check.h"

#define SECOND UINT64_C(1000000000)
#define INTERVAL (10 * SECOND)
#define ENTRIES 64
#define FOLD_AFTER 8

static const uint8_t SECRET[16] = "sixteen bytes!!";
static void *memory;
static struct attempts *a;

static void restart_with(uint32_t entries)
{
    free(memory);
    memory = aligned_alloc(64, (attempts_bytes(entries) + 63) & ~(size_t)63);
    memset(memory, 0, attempts_bytes(entries));
    a = attempts_init(memory, entries, FOLD_AFTER, INTERVAL, SECRET, SECRET);
}

static void restart(void)
{
    restart_with(ENTRIES);
}

static struct attempt attempt_of(uint32_t src, uint32_t dst, uint16_t port)
{
    struct attempt attempt = {.port = port, .proto = 6, .flags = 2, .mac = {2, 0, 0, 0, 0, 1}};
    attempt.src[10] = attempt.src[11] = attempt.dst[10] = attempt.dst[11] = 0xff;
    for (unsigned i = 0; i < 4; i++) {
        attempt.src[12 + i] = (uint8_t)(src >> (24 - 8 * i));
        attempt.dst[12 + i] = (uint8_t)(dst >> (24 - 8 * i));
    }
    return attempt;
}

static bool fail(uint32_t src, uint32_t dst, uint16_t port, bool refused, uint64_t now)
{
    struct attempt attempt = attempt_of(src, dst, port);
    return attempts_fail(a, &attempt, refused, now);
}

static bool near(uint32_t found, uint32_t expected)
{
    uint32_t quarter = expected / 4; /* two standard errors */
    return found >= expected - quarter && found <= expected + quarter;
}

static void test_the_first_are_told_and_the_rest_summed(void)
{
    struct attempts_sum sum;
    restart();
    for (unsigned i = 0; i < 100; i++)
        CHECK_EQ(fail(1, 1000 + i, 22, i % 4 == 0, 5 * SECOND + i), i >= FOLD_AFTER);
    CHECK(!attempts_take(a, 15 * SECOND - 1, &sum));
    CHECK(attempts_take(a, 15 * SECOND, &sum));
    CHECK_EQ(sum.role, ROLE_SOURCE);
    CHECK_EQ(sum.attempts, 92);
    CHECK_EQ(sum.refused, 23);
    CHECK_EQ(sum.unanswered, 69);
    CHECK_EQ(sum.differs, FIELD_DST);
    CHECK_EQ(sum.sample.port, 22);
    CHECK_EQ(sum.ports, 1);
    CHECK(near(sum.addresses, 92));
    CHECK_EQ(sum.first, 5 * SECOND + 8);
    CHECK_EQ(sum.last, 5 * SECOND + 99);
    CHECK(!attempts_take(a, UINT64_MAX, &sum));
}

static void test_an_interval_begins_anew(void)
{
    struct attempts_sum sum;
    restart();
    for (unsigned i = 0; i <= FOLD_AFTER; i++)
        (void)fail(1, i, 22, true, 0);
    CHECK(!fail(1, 99, 22, true, INTERVAL)); /* told singly again, and the sum is not lost */
    CHECK(attempts_take(a, INTERVAL, &sum));
    CHECK_EQ(sum.attempts, 1);
    CHECK(!attempts_take(a, INTERVAL, &sum));
}

static void test_many_sources_to_one_target(void)
{
    struct attempts_sum sum;
    restart();
    for (unsigned i = 0; i < 5000; i++)
        CHECK_EQ(fail(100 + i, 7, 443, false, i), i >= FOLD_AFTER);
    CHECK(attempts_take(a, INTERVAL, &sum));
    CHECK_EQ(sum.role, ROLE_TARGET);
    CHECK_EQ(sum.attempts, 5000 - FOLD_AFTER);
    CHECK_EQ(sum.differs, FIELD_SRC);
    CHECK_EQ(sum.sample.dst[15], 7);
    CHECK(near(sum.addresses, 5000));
    CHECK(!attempts_take(a, UINT64_MAX, &sum));
}

static void test_one_source_one_target_is_in_both_sums(void)
{
    struct attempts_sum sum;
    restart();
    for (unsigned i = 0; i < 20; i++)
        (void)fail(1, 2, 22, true, 0);
    CHECK(attempts_take(a, INTERVAL, &sum) && sum.role == ROLE_SOURCE && sum.attempts == 12);
    CHECK_EQ(sum.differs, 0);
    CHECK(attempts_take(a, INTERVAL, &sum) && sum.role == ROLE_TARGET && sum.attempts == 12);
}

/* Forged sources at random ports: no key ever folds, yet what is told stays bounded. */
static void test_without_a_key_that_folds_the_total_is_bounded(void)
{
    struct attempts_sum sum;
    unsigned told = 0, sums = 0, attempts = 0;
    restart();
    for (unsigned i = 0; i < 20000; i++)
        told += !fail(0x0a000000 + i, 7, (uint16_t)i, false, i * 1000);
    CHECK_EQ(told, 16 * FOLD_AFTER);
    while (attempts_take(a, UINT64_MAX, &sum)) {
        sums++;
        attempts += sum.attempts;
    }
    CHECK_EQ(sums, 1);
    CHECK_EQ(attempts, 20000 - told);
    CHECK_EQ(sum.differs, FIELD_SRC | FIELD_PORT);
    CHECK(near(sum.addresses, 20000));
    CHECK(near(sum.ports, 20000));
    CHECK(attempts_evicted(a) > 30000);
}

static void test_a_displaced_sum_is_told_or_goes_to_the_rest(void)
{
    struct attempts_sum sum;
    restart();
    for (unsigned i = 0; i < 3 * FOLD_AFTER; i++) /* enough to be told at once */
        (void)fail(1, i, 22, true, 0);
    for (unsigned i = 0; i < FOLD_AFTER + 2; i++) /* two only: to the rest */
        (void)fail(2, 100 + i, 23, true, 1);
    for (unsigned i = 0; i < ENTRIES; i++)
        (void)fail(1000 + i, 5000 + i, 80, true, 2);
    CHECK(attempts_take(a, 3, &sum));
    CHECK_EQ(sum.sample.src[15], 1);
    CHECK_EQ(sum.attempts, 2 * FOLD_AFTER);
    CHECK(!attempts_take(a, 3, &sum));
    CHECK(attempts_take(a, UINT64_MAX, &sum));
    CHECK_EQ(sum.role, ROLE_TARGET);
    CHECK_EQ(sum.sample.src[15], 2);
    CHECK_EQ(sum.attempts, 2);
}

static void test_rotating_ipv6_addresses_are_one_source(void)
{
    struct attempts_sum sum;
    restart();
    for (unsigned i = 0; i < 50; i++) {
        struct attempt attempt = attempt_of(1, i, 22);
        memset(attempt.src, 0, 16);
        attempt.src[0] = 0x20;
        attempt.src[7] = 1;
        attempt.src[15] = (uint8_t)i;
        CHECK_EQ(attempts_fail(a, &attempt, true, 0), i >= FOLD_AFTER);
    }
    CHECK(attempts_take(a, INTERVAL, &sum));
    CHECK_EQ(sum.attempts, 42);
}

static void test_estimates(void)
{
    static const uint32_t COUNTS[] = {1, 2, 10, 50, 100, 300, 1000, 3000, 10000, 60000};
    for (unsigned i = 0; i < sizeof COUNTS / sizeof COUNTS[0]; i++) {
        struct attempts_sum sum;
        restart();
        for (unsigned j = 0; j < FOLD_AFTER; j++)
            (void)fail(1, 0, 0, true, 0);
        for (unsigned j = 0; j < COUNTS[i]; j++)
            (void)fail(1, j, (uint16_t)j, true, 0);
        CHECK(attempts_take(a, INTERVAL, &sum));
        CHECK(near(sum.addresses, COUNTS[i]));
        CHECK(near(sum.ports, COUNTS[i]));
    }
}

static void test_starts_are_suppressed_while_a_key_folds(void)
{
    struct attempt one = attempt_of(1, 2, 22), other = attempt_of(3, 4, 22);
    restart();
    for (unsigned i = 0; i < FOLD_AFTER; i++)
        (void)fail(1, 50 + i, 22, true, 0);
    CHECK(attempts_start(a, &one, 0));
    (void)fail(1, 99, 22, true, 0);
    CHECK(!attempts_start(a, &one, 0));
    CHECK(attempts_start(a, &other, 0));
    CHECK(attempts_start(a, &one, INTERVAL));
}

static void test_starts_strays_and_messages_are_bounded(void)
{
    unsigned starts = 0, strays = 0, messages = 0;
    restart();
    for (unsigned i = 0; i < 10000; i++) {
        struct attempt attempt = attempt_of(i, 7, (uint16_t)i);
        starts += attempts_start(a, &attempt, 0);
        strays += attempts_stray(a, 0);
    }
    CHECK_EQ(starts, 256 * FOLD_AFTER);
    CHECK_EQ(strays, 16 * FOLD_AFTER);
    CHECK(attempts_stray(a, INTERVAL));
    restart();
    for (unsigned i = 0; i < 1000; i++)
        messages += attempts_message(a, (const uint8_t *)"\x02\0\0\0\0\1", 0);
    CHECK_EQ(messages, 16 * FOLD_AFTER);
    CHECK(attempts_message(a, (const uint8_t *)"\x02\0\0\0\0\2", 0));
}

/* The sum lies behind 400 keys that leave none: no single call looks at all of them. */
static void test_keys_are_forgotten_in_small_steps(void)
{
    struct attempts_sum sum;
    unsigned calls = 0;
    restart_with(1024);
    for (unsigned i = 0; i < 400; i++) {
        struct attempt attempt = attempt_of(100 + i, 1, 80);
        (void)attempts_start(a, &attempt, 0);
    }
    for (unsigned i = 0; i <= FOLD_AFTER; i++)
        (void)fail(1, 300 + i, 22, true, 1);
    while (calls < 100 && !attempts_take(a, 2 * INTERVAL, &sum))
        calls++;
    CHECK(calls >= 400 / 64 && calls < 20);
    CHECK_EQ(sum.attempts, 1);
    CHECK(!attempts_take(a, UINT64_MAX, &sum));
}

/* Ten ports of a host, each from another address of a /64: one burst an interval. */
static void test_probes_are_of_a_source_and_an_interval(void)
{
    restart();
    for (unsigned interval = 0; interval < 2; interval++) {
        unsigned told = 0;
        for (uint16_t i = 0; i < 15; i++) {
            struct attempt attempt = attempt_of(1, 2, (uint16_t)(100 + i));
            uint64_t now = interval * INTERVAL + (i + 1u) * SECOND / 100;
            attempt.src[0] = 0x20;
            attempt.src[15] = (uint8_t)i;
            (void)attempts_start(a, &attempt, now);
            told += attempts_try(a, &attempt, now) != NULL;
            attempt.dst[15]++; /* nobody asked for that */
            attempts_answer(a, &attempt);
        }
        CHECK_EQ(told, 1);
    }
}

static void test_answers_are_their_sources(void)
{
    restart();
    for (uint16_t i = 0; i < 15; i++) {
        struct attempt attempt = attempt_of(1, 2, (uint16_t)(100 + i));
        CHECK(attempts_try(a, &attempt, SECOND + i * SECOND / 100) == NULL);
        attempts_answer(a, &attempt);
        attempt.src[15]++;
        attempts_answer(a, &attempt); /* of nobody */
    }
}

int main(void)
{
    test_probes_are_of_a_source_and_an_interval();
    test_answers_are_their_sources();
    test_the_first_are_told_and_the_rest_summed();
    test_an_interval_begins_anew();
    test_many_sources_to_one_target();
    test_one_source_one_target_is_in_both_sums();
    test_without_a_key_that_folds_the_total_is_bounded();
    test_a_displaced_sum_is_told_or_goes_to_the_rest();
    test_rotating_ipv6_addresses_are_one_source();
    test_estimates();
    test_starts_are_suppressed_while_a_key_folds();
    test_starts_strays_and_messages_are_bounded();
    test_keys_are_forgotten_in_small_steps();
    free(memory);
    return check_done();
}
