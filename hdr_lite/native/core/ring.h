/* A ring of records in shared memory: one producer, one consumer, crash-safe.
 *
 * The memory is a header page and a power of two of data. A record is a
 * struct ring_record followed by its bytes, padded to 8; it exists once the
 * release store of `head` has published it. Behind the newest record lies always
 * a stub that bears the number of the next one, so that a producer that attaches
 * again goes on with the right number wherever its predecessor was killed.
 * Indices are 32-bit and free-running; nothing needs a 64-bit atomic.
 * The consumer treats all it reads as hostile.
 */
#ifndef HDR_LITE_RING_H
#define HDR_LITE_RING_H

#include "record.h"

#define RING_MAGIC 0x48445252u /* "HDRR" */
#define RING_VERSION 1u

struct ring_record { /* as it lies in the ring */
    uint32_t length; /* of the bytes that follow */
    uint32_t kind;   /* enum record_kind; 0: skip to the start of the data */
    uint32_t number_low, number_high;
    uint32_t time_low, time_high; /* ns of traffic time */
};
_Static_assert(sizeof(struct ring_record) == 24, "shared layout");

struct ring_view { /* a record as the consumer sees it; bytes are its own copy */
    uint64_t number, time;
    uint32_t kind, length;
};

enum ring_result { RING_OK = 0, RING_EMPTY, RING_FULL, RING_CORRUPT, RING_TOO_SMALL };

struct ring; /* the header, in shared memory */

/* Bytes of shared memory for `capacity` bytes of data (rounded up to a power of two). */
uint32_t ring_bytes(uint32_t capacity);
enum ring_result ring_format(void *memory, uint32_t bytes);
/* Check magic, version and size of what lies there. */
enum ring_result ring_attach(void *memory, uint32_t bytes, struct ring **out);

/* Producer. */
enum ring_result ring_put(struct ring *r, enum record_kind kind, uint64_t time,
                          const uint8_t *bytes, uint32_t length);
uint32_t ring_free(const struct ring *r);
void ring_count_drop(struct ring *r, enum record_kind kind);

/* Consumer: copy the record at *cursor (start with ring_tail()) into buffer and move the cursor;
 * ring_commit() then gives the space back up to the cursor. */
uint32_t ring_tail(const struct ring *r);
enum ring_result ring_next(struct ring *r, uint32_t *cursor, struct ring_view *view,
                           uint8_t *buffer, uint32_t size);
void ring_commit(struct ring *r, uint32_t cursor);
uint32_t ring_used(const struct ring *r);
uint32_t ring_capacity(const struct ring *r);
uint32_t ring_dropped(const struct ring *r, enum record_kind kind);

/* Sleeping. The side that would wait announces it, looks once more, and only then
 * blocks on its eventfd; the other side calls *_wants_wake() after each commit and
 * writes the eventfd when it is told true (which clears the announcement). */
void ring_announce_sleep(struct ring *r, bool producer);
bool ring_wants_wake(struct ring *r, bool producer);

#endif
