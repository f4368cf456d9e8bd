/* A ring of records in shared memory: one producer, one consumer, crash-safe.
 *
 * The memory is a header page and a power of two of data. A record is a
 * struct ring_record followed by its bytes, padded to 8 (and to the end of the data where less
 * than a record header would be left); it exists once the release store of `head` has published
 * it. A record that does not fit before the end of the data is preceded by one of kind 0 that
 * fills the rest and bears the same number.
 *
 * Behind the newest record always lies a stub: a record header of which only the number counts,
 * that of the next record. The next record is written over it without touching the number, and
 * its own stub lies in place before it is published; so a producer that attaches again goes on
 * with the right number wherever its predecessor was killed.
 *
 * Indices are 32-bit and free-running; nothing needs a 64-bit atomic. The consumer treats all it
 * reads as hostile; the producer trusts nothing but its own copy of its state, once attached.
 * Memory belongs to the caller and must be aligned to 64.
 */
#ifndef HDR_LITE_RING_H
#define HDR_LITE_RING_H

#include <stdatomic.h>

#include "record.h"

#define RING_MAGIC 0x48445252u /* "HDRR" */
#define RING_VERSION 1u
#define RING_HEADER 4096u /* bytes before the data */
#define RING_LEAST_CAPACITY 4096u
#define RING_MOST_CAPACITY (1u << 30)

_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "32-bit atomics are instructions");

struct ring_record {         /* as it lies in the ring */
    _Atomic uint32_t length; /* of the bytes that follow */
    _Atomic uint32_t kind;   /* enum record_kind; 0: skip to the start of the data */
    _Atomic uint32_t number_low, number_high;
    _Atomic uint32_t time_low, time_high; /* ns of traffic time */
};
_Static_assert(sizeof(struct ring_record) == 24, "shared layout");

struct ring_memory { /* the header page; each side writes cache lines of its own */
    _Atomic uint32_t magic, version, capacity, reserved[13];
    _Atomic uint32_t head, head_line[15];   /* written by the producer */
    _Atomic uint32_t dropped[RECORD_KINDS]; /* by the producer; wraps */
    _Atomic uint32_t tail, tail_line[15];   /* by the consumer */
    _Atomic uint32_t producer_sleeps,
        consumer_sleeps; /* set by the sleeper, cleared by the waker */
    _Atomic uint32_t sleep_line[14];
};
_Static_assert(sizeof(struct ring_memory) == 384, "shared layout");

/* One process' end of a ring: private, so that nothing here changes under its feet. */
struct ring {
    struct ring_memory *shared;
    _Atomic uint32_t *words; /* the data */
    uint32_t capacity;       /* bytes of data */
    /* As producer: where the next record goes, its number, the tail as last looked at. */
    uint32_t head, seen_tail;
    uint64_t next_number;
    /* As consumer: what is committed, what is read next and the number it must bear, the head as
     * last looked at. */
    uint32_t committed, cursor, seen_head;
    uint64_t expected_number;
};

struct ring_view { /* a record as the consumer sees it; bytes are its own copy */
    uint64_t number, time;
    uint32_t kind, length;
};

/* TOO_SMALL: the ring can never hold such a record, or the buffer does not. */
enum ring_result { RING_OK = 0, RING_EMPTY, RING_FULL, RING_CORRUPT, RING_TOO_SMALL };

/* Bytes of shared memory for `capacity` bytes of data (rounded up to a power of two within the
 * limits above). */
uint32_t ring_bytes(uint32_t capacity);
/* Make the memory an empty ring. Nobody may be attached. */
enum ring_result ring_format(void *memory, uint32_t bytes);
/* Check magic, version, size and every record that lies there, and become an end of the ring: its
 * producer or its consumer (both, in a test). RING_CORRUPT if a check fails. The consumer
 * starts with the oldest record that was not committed. */
enum ring_result ring_attach(void *memory, uint32_t bytes, struct ring *out);

/* Producer. A record that returns RING_FULL may be put again or counted as dropped. */
enum ring_result ring_put(struct ring *r, enum record_kind kind, uint64_t time,
                          const uint8_t *bytes, uint32_t length);
uint32_t ring_free(const struct ring *r);
/* Whether RECORD_BURST bytes of records fit, with their headers and padding. */
bool ring_ready(const struct ring *r);
void ring_count_drop(struct ring *r, enum record_kind kind);

/* Consumer: pass the next record, whatever its kind; its bytes are copied into buffer if the kind
 * is in `mask` (bit per kind). RING_CORRUPT stays: such a ring must be formatted anew.
 * ring_commit() gives the space of all that was passed back to the producer. */
enum ring_result ring_next(struct ring *r, uint32_t mask, struct ring_view *view, uint8_t *buffer,
                           uint32_t size);
void ring_commit(struct ring *r);
/* Bytes passed and not committed; whether more lies ahead (or the ring is corrupt). */
uint32_t ring_held(const struct ring *r);
bool ring_pending(const struct ring *r);

/* Either side; clamped to the capacity whatever the memory says. */
uint32_t ring_used(const struct ring *r);
uint32_t ring_dropped(const struct ring *r, enum record_kind kind);

/* Sleeping. The side that would wait announces it, looks once more, and only then
 * blocks on its eventfd; the other side calls ring_wants_wake() after each put or commit and
 * writes the eventfd when it is told true (which clears the announcement). `producer` says whose
 * sleep it is. */
void ring_announce_sleep(struct ring *r, bool producer);
bool ring_wants_wake(struct ring *r, bool producer);

#endif
