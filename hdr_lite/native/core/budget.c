/* The heap of one module; see budget.h.
 *
 * Blocks up to 2 kB come from pages of their size class: a page has a list of freed blocks
 * (the first four bytes of each name the next) and a mark behind which none was ever given
 * out. Pages of a class with room are linked. Larger blocks are runs of pages, first fit.
 * An index plus one stands for a page or a block in every link, so that zero is none.
 */
#include "budget.h"

#include <string.h>

#define CLASSES 38u
#define SMALL_MOST 2048u
#define STEP 16u          /* classes go up by 16 bytes... */
#define STEPPED_MOST 512u /* ...to this; then come parts of a page */

enum page_state { PAGE_FREE = 0, PAGE_BLOCKS, PAGE_RUN, PAGE_REST };

struct page {
    uint8_t state; /* enum page_state */
    uint8_t class;
    uint16_t used;   /* blocks in use */
    uint16_t carved; /* blocks that were ever given out */
    uint16_t freed;  /* first freed block */
    uint32_t run;    /* PAGE_RUN: its pages */
    uint32_t next, previous;
};

struct budget {
    uint8_t *start; /* of the pages */
    size_t limit, used, peak;
    uint32_t pages;
    uint32_t lowest; /* no page below is free */
    uint32_t refused;
    uint32_t with_room[CLASSES]; /* pages of the class that have a block to give */
    struct page page[];
};

static const uint16_t wide_classes[CLASSES - STEPPED_MOST / STEP] = {576,  672,  816,
                                                                     1024, 1360, 2048};

static unsigned class_of(size_t size)
{
    if (size <= STEPPED_MOST)
        return size == 0 ? 0 : (unsigned)((size - 1) / STEP);
    unsigned class = STEPPED_MOST / STEP;
    while (wide_classes[class - STEPPED_MOST / STEP] < size)
        class++;
    return class;
}

static uint32_t size_of(unsigned class)
{
    if (class < STEPPED_MOST / STEP)
        return (class + 1) * STEP;
    return wide_classes[class - STEPPED_MOST / STEP];
}

static size_t tables_bytes(uint32_t pages)
{
    size_t bytes = sizeof(struct budget) + (size_t)pages * sizeof(struct page);
    return (bytes + BUDGET_PAGE - 1) / BUDGET_PAGE * BUDGET_PAGE;
}

size_t budget_bytes(uint32_t pages)
{
    return tables_bytes(pages) + (size_t)pages * BUDGET_PAGE;
}

struct budget *budget_init(void *memory, uint32_t pages, size_t limit)
{
    struct budget *b = memory;

    b->start = (uint8_t *)memory + tables_bytes(pages);
    b->pages = pages;
    b->limit = limit;
    return b;
}

static uint8_t *page_at(const struct budget *b, uint32_t index)
{
    return b->start + (size_t)index * BUDGET_PAGE;
}

static uint32_t page_of(const struct budget *b, const void *block)
{
    return (uint32_t)((size_t)((const uint8_t *)block - b->start) / BUDGET_PAGE);
}

static bool charge(struct budget *b, size_t size)
{
    if (size > b->limit - b->used) {
        b->refused++;
        return false;
    }
    b->used += size;
    if (b->used > b->peak)
        b->peak = b->used;
    return true;
}

/* Pages in a row, the first fit; b->pages when there are none. */
static uint32_t find_run(struct budget *b, uint32_t count)
{
    uint32_t length = 0;

    while (b->lowest < b->pages && b->page[b->lowest].state != PAGE_FREE)
        b->lowest++;
    for (uint32_t i = b->lowest; i < b->pages; i++) {
        length = b->page[i].state == PAGE_FREE ? length + 1 : 0;
        if (length == count)
            return i + 1 - count;
    }
    return b->pages;
}

static void release(struct budget *b, uint32_t index, uint32_t count)
{
    for (uint32_t i = index; i < index + count; i++)
        b->page[i].state = PAGE_FREE;
    if (index < b->lowest)
        b->lowest = index;
}

static void link_page(struct budget *b, uint32_t index)
{
    struct page *page = &b->page[index];
    uint32_t first = b->with_room[page->class];

    page->previous = 0;
    page->next = first;
    if (first != 0)
        b->page[first - 1].previous = index + 1;
    b->with_room[page->class] = index + 1;
}

static void unlink_page(struct budget *b, uint32_t index)
{
    const struct page *page = &b->page[index];

    if (page->previous != 0)
        b->page[page->previous - 1].next = page->next;
    else
        b->with_room[page->class] = page->next;
    if (page->next != 0)
        b->page[page->next - 1].previous = page->previous;
}

/* A page of the class that has a block to give; b->pages when there is none. */
static uint32_t page_with_room(struct budget *b, unsigned class)
{
    if (b->with_room[class] != 0)
        return b->with_room[class] - 1;
    uint32_t index = find_run(b, 1);
    if (index == b->pages)
        return index;
    b->page[index] = (struct page){.state = PAGE_BLOCKS, .class = (uint8_t)class};
    link_page(b, index);
    return index;
}

static bool has_room(const struct page *page)
{
    return page->used < BUDGET_PAGE / size_of(page->class);
}

static void *alloc_small(struct budget *b, unsigned class)
{
    uint32_t index = page_with_room(b, class), next;

    if (index == b->pages) {
        b->refused++;
        return NULL;
    }
    if (!charge(b, size_of(class))) {
        if (b->page[index].used == 0) { /* made for nothing */
            unlink_page(b, index);
            release(b, index, 1);
        }
        return NULL;
    }
    struct page *page = &b->page[index];
    uint8_t *block;
    if (page->freed != 0) {
        block = page_at(b, index) + (page->freed - 1u) * size_of(class);
        memcpy(&next, block, sizeof next);
        page->freed = (uint16_t)next;
    } else {
        block = page_at(b, index) + page->carved * size_of(class);
        page->carved++;
    }
    page->used++;
    if (!has_room(page))
        unlink_page(b, index);
    return block;
}

static void *alloc_run(struct budget *b, size_t size)
{
    if (size > (size_t)b->pages * BUDGET_PAGE) {
        b->refused++;
        return NULL;
    }
    uint32_t count = (uint32_t)((size + BUDGET_PAGE - 1) / BUDGET_PAGE);
    uint32_t index = find_run(b, count);
    if (index == b->pages) {
        b->refused++;
        return NULL;
    }
    if (!charge(b, (size_t)count * BUDGET_PAGE))
        return NULL;
    b->page[index] = (struct page){.state = PAGE_RUN, .run = count};
    for (uint32_t i = index + 1; i < index + count; i++)
        b->page[i].state = PAGE_REST;
    return page_at(b, index);
}

void *budget_alloc(struct budget *b, size_t size)
{
    return size <= SMALL_MOST ? alloc_small(b, class_of(size)) : alloc_run(b, size);
}

size_t budget_size(const struct budget *b, const void *block)
{
    const struct page *page = &b->page[page_of(b, block)];

    return page->state == PAGE_RUN ? (size_t)page->run * BUDGET_PAGE : size_of(page->class);
}

static void free_small(struct budget *b, uint32_t index, uint8_t *block)
{
    struct page *page = &b->page[index];
    uint32_t next = page->freed;
    bool had_room = has_room(page);

    memcpy(block, &next, sizeof next);
    page->freed = (uint16_t)((size_t)(block - page_at(b, index)) / size_of(page->class) + 1);
    page->used--;
    if (!had_room)
        link_page(b, index);
    if (page->used == 0) {
        unlink_page(b, index);
        release(b, index, 1);
    }
}

void budget_free(struct budget *b, void *block)
{
    uint32_t index = page_of(b, block);

    b->used -= budget_size(b, block);
    if (b->page[index].state == PAGE_RUN)
        release(b, index, b->page[index].run);
    else
        free_small(b, index, block);
}

/* A run that becomes longer or shorter where it is; false when it must move. */
static bool resize_run(struct budget *b, uint32_t index, uint32_t count)
{
    struct page *page = &b->page[index];

    if (count <= page->run) {
        release(b, index + count, page->run - count);
        b->used -= (size_t)(page->run - count) * BUDGET_PAGE;
        page->run = count;
        return true;
    }
    if (index + count > b->pages)
        return false;
    for (uint32_t i = index + page->run; i < index + count; i++) {
        if (b->page[i].state != PAGE_FREE)
            return false;
    }
    if (!charge(b, (size_t)(count - page->run) * BUDGET_PAGE))
        return false;
    for (uint32_t i = index + page->run; i < index + count; i++)
        b->page[i].state = PAGE_REST;
    page->run = count;
    return true;
}

void *budget_resize(struct budget *b, void *block, size_t size)
{
    uint32_t index = page_of(b, block);
    size_t before = budget_size(b, block);

    if (b->page[index].state == PAGE_RUN) {
        if (size > SMALL_MOST && size <= (size_t)b->pages * BUDGET_PAGE &&
            resize_run(b, index, (uint32_t)((size + BUDGET_PAGE - 1) / BUDGET_PAGE)))
            return block;
    } else if (size <= SMALL_MOST && class_of(size) == b->page[index].class) {
        return block;
    }
    void *moved = budget_alloc(b, size);
    if (moved == NULL)
        return size <= before ? block : NULL; /* to become smaller never fails */
    memcpy(moved, block, before < size ? before : size);
    budget_free(b, block);
    return moved;
}

size_t budget_used(const struct budget *b)
{
    return b->used;
}

size_t budget_peak(const struct budget *b)
{
    return b->peak;
}

uint32_t budget_refused(const struct budget *b)
{
    return b->refused;
}
