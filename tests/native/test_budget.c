/* The heap of a module, against a model: what was given is whole, apart and counted. */
#include "budget.h"
#include "check.h"

#include <stdint.h>
#include <stdlib.h>

#define PAGES 64u
#define LIMIT (48u * BUDGET_PAGE)
#define MOST 2048u

static uint8_t *range;

static struct budget *fresh(uint32_t pages, size_t limit)
{
    size_t bytes = budget_bytes(pages);

    free(range);
    range = aligned_alloc(BUDGET_PAGE, bytes);
    if (range == NULL)
        abort();
    memset(range, 0, bytes);
    return budget_init(range, pages, limit);
}

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

struct held {
    uint8_t *block;
    uint32_t size;
    uint8_t mark;
};

static size_t draw_size(void)
{
    switch (draw(4)) {
    case 0:
        return draw(64);
    case 1:
        return draw(2100);
    case 2:
        return draw(520);
    default:
        return draw(5 * BUDGET_PAGE);
    }
}

static void check_whole(const struct held *h)
{
    for (uint32_t i = 0; i < h->size; i++) {
        if (h->block[i] != h->mark) {
            CHECK_EQ(h->block[i], h->mark);
            return;
        }
    }
}

static void fill(struct held *h)
{
    CHECK_EQ((uintptr_t)h->block % 16, 0);
    h->mark = (uint8_t)draw(256);
    memset(h->block, h->mark, h->size);
}

/* Random requests; each block keeps what was written to it while others come and go. */
static void test_against_model(uint32_t seed)
{
    static struct held held[MOST];
    struct budget *b = fresh(PAGES, LIMIT);
    const uint8_t *end = range + budget_bytes(PAGES);
    uint32_t count = 0;
    size_t used = 0;

    random_state = seed;
    for (uint32_t step = 0; step < 30000; step++) {
        uint32_t what = draw(10);
        if (what < 5 && count < MOST) {
            uint32_t size = (uint32_t)draw_size();
            uint8_t *block = budget_alloc(b, size);
            if (block == NULL)
                continue;
            CHECK(block > range && block + size <= end);
            CHECK(budget_size(b, block) >= size);
            held[count] = (struct held){.block = block, .size = size};
            fill(&held[count++]);
            used += budget_size(b, block);
        } else if (what < 7 && count > 0) {
            struct held *h = &held[draw(count)];
            uint32_t size = (uint32_t)draw_size();
            size_t before = budget_size(b, h->block);
            uint8_t *block = budget_resize(b, h->block, size);
            if (block == NULL) {
                CHECK_EQ(budget_size(b, h->block), before);
                check_whole(h);
                continue;
            }
            h->block = block;
            h->size = h->size < size ? h->size : size;
            check_whole(h);
            h->size = size;
            fill(h);
            used += budget_size(b, block) - before;
        } else if (count > 0) {
            struct held *h = &held[draw(count)];
            check_whole(h);
            used -= budget_size(b, h->block);
            budget_free(b, h->block);
            *h = held[--count];
        }
        CHECK_EQ(budget_used(b), used);
        CHECK(used <= LIMIT);
    }
    CHECK(budget_peak(b) <= LIMIT && budget_peak(b) >= used);
    while (count > 0) {
        check_whole(&held[--count]);
        budget_free(b, held[count].block);
    }
    CHECK_EQ(budget_used(b), 0);
    /* Nothing was lost: all that the limit allows can be had in one piece. */
    void *all = budget_alloc(b, LIMIT);
    CHECK(all != NULL);
}

static void test_limit_is_exact(void)
{
    struct budget *b = fresh(PAGES, 1600);

    for (unsigned i = 0; i < 100; i++)
        CHECK(budget_alloc(b, 16) != NULL);
    CHECK_EQ(budget_used(b), 1600);
    CHECK(budget_alloc(b, 1) == NULL);
    CHECK_EQ(budget_refused(b), 1);
    CHECK_EQ(budget_peak(b), 1600);
}

static void test_refusal_costs_nothing(void)
{
    struct budget *b = fresh(PAGES, 16);
    void *only = budget_alloc(b, 16);

    CHECK(only != NULL);
    for (size_t size = 0; size < 3 * BUDGET_PAGE; size += 7)
        CHECK(budget_alloc(b, size) == NULL);
    CHECK_EQ(budget_used(b), 16);
    budget_free(b, only);
    CHECK(budget_alloc(b, 10) != NULL);
}

static void test_pages_run_out_before_the_limit(void)
{
    struct budget *b = fresh(4, 1u << 20);

    CHECK(budget_alloc(b, 3 * BUDGET_PAGE) != NULL);
    CHECK(budget_alloc(b, 2 * BUDGET_PAGE) == NULL);
    CHECK(budget_alloc(b, 100) != NULL);
    CHECK(budget_alloc(b, 1000) == NULL); /* another class, and no page for it */
    CHECK(budget_alloc(b, 112) != NULL);
    CHECK(budget_alloc(b, SIZE_MAX) == NULL);
    CHECK(budget_alloc(b, SIZE_MAX - BUDGET_PAGE) == NULL);
}

static void test_run_grows_and_shrinks_in_place(void)
{
    struct budget *b = fresh(PAGES, LIMIT);
    uint8_t *run = budget_alloc(b, 2 * BUDGET_PAGE);

    CHECK(budget_resize(b, run, 5 * BUDGET_PAGE) == run);
    CHECK_EQ(budget_used(b), 5 * BUDGET_PAGE);
    CHECK(budget_resize(b, run, 3 * BUDGET_PAGE + 1) == run);
    CHECK_EQ(budget_used(b), 4 * BUDGET_PAGE);
    uint8_t *behind = budget_alloc(b, BUDGET_PAGE);
    CHECK(behind == run + (size_t)4 * BUDGET_PAGE);
    CHECK(budget_resize(b, run, 6 * BUDGET_PAGE) != run);
    CHECK(budget_resize(b, behind, LIMIT + 1) == NULL);
    CHECK(budget_resize(b, behind, SIZE_MAX) == NULL);
    CHECK_EQ(budget_used(b), 7 * BUDGET_PAGE);
}

static void test_large_to_small_moves(void)
{
    struct budget *b = fresh(PAGES, LIMIT);
    uint8_t *block = budget_alloc(b, 3 * BUDGET_PAGE);

    memset(block, 7, 100);
    block = budget_resize(b, block, 100);
    CHECK_EQ(budget_used(b), 112);
    CHECK_EQ(block[99], 7);
    CHECK(budget_resize(b, block, 105) == block);
}

static void test_smaller_never_fails(void)
{
    struct budget *b = fresh(2, 2 * BUDGET_PAGE);
    uint8_t *block = budget_alloc(b, 2 * BUDGET_PAGE);

    CHECK(budget_resize(b, block, 100) == block); /* no room to move to */
    CHECK(budget_resize(b, block, 2 * BUDGET_PAGE) == block);
}

int main(void)
{
    for (uint32_t seed = 1; seed <= 5; seed++)
        test_against_model(seed);
    test_limit_is_exact();
    test_refusal_costs_nothing();
    test_pages_run_out_before_the_limit();
    test_run_grows_and_shrinks_in_place();
    test_large_to_small_moves();
    test_smaller_never_fails();
    free(range);
    return check_done();
}
