/* The heap of one module: allocations in an address range of its own, counted and limited.
 *
 * The range belongs to the caller and begins with the heap's own tables; behind them lie pages.
 * A page holds blocks of one size, or is part of a run of pages that is one block. As each heap
 * has its range, whose a block is can be told from its address, and what is held is exact. Every
 * block is aligned to 16 bytes. The memory must be zero at first and is touched only as far as
 * it is used. Not for several threads.
 */
#ifndef HDR_LITE_BUDGET_H
#define HDR_LITE_BUDGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_PAGE 4096u
/* The largest heap: 1 GB of pages. */
#define BUDGET_MOST_PAGES (1u << 18)

struct budget; /* at the start of the range */

/* Bytes of the range for so many pages of blocks. */
size_t budget_bytes(uint32_t pages);
/* An empty heap over memory of budget_bytes(pages) bytes, aligned to a page. It gives out blocks
 * of at most `limit` bytes together. */
struct budget *budget_init(void *memory, uint32_t pages, size_t limit);

/* NULL: past the limit, or no run of free pages is long enough; counted as refused. */
void *budget_alloc(struct budget *b, size_t size);
/* The block at its new size, moved if need be. NULL: the old one stays as it is; that happens only
 * when it was to become larger. */
void *budget_resize(struct budget *b, void *block, size_t size);
void budget_free(struct budget *b, void *block);
/* Bytes that the block may hold, at least what was asked for. */
size_t budget_size(const struct budget *b, const void *block);

/* Bytes held by blocks; the most that were; requests refused. */
size_t budget_used(const struct budget *b);
size_t budget_peak(const struct budget *b);
uint32_t budget_refused(const struct budget *b);

#endif
