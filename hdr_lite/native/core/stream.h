/* The first bytes of one direction of a TCP connection, in order.
 *
 * A stream is a window of STREAM_SIZE bytes over the sequence space. The parser
 * reads what lies in order at its front, and consumes or skips it; a skip may be
 * longer than anything that is ever buffered (bodies). Segments may come late,
 * twice or overlapping: the first copy of a byte wins (RFC 9293 leaves it open;
 * hosts differ, so a difference is an event). What was lost stays a hole, and a
 * stream that waits behind a hole for too long ends. The memory is the caller's,
 * part of the struct.
 */
#ifndef HDR_LITE_STREAM_H
#define HDR_LITE_STREAM_H

#include "cursor.h"
#include "event.h"

#define STREAM_SIZE 1792u
#define STREAM_RANGES 4u
/* Segments beyond the window that are let go before the hole counts as a loss. */
#define STREAM_PATIENCE 64u
/* How far a skip may jump over lost bytes at once. */
#define STREAM_JUMP (16u << 20)

struct stream_range {
    uint16_t begin, end; /* offsets into bytes, behind a hole */
};

struct stream {
    uint64_t skip;       /* bytes yet to pass over; the window is empty meanwhile */
    uint64_t position;   /* bytes consumed and to be skipped, all in all */
    uint32_t base;       /* sequence number of bytes[0] */
    uint16_t head, tail; /* in order and not yet consumed */
    uint16_t searched;   /* how far behind head a line end was looked for in vain */
    uint16_t intact;     /* from here on the bytes are those of the wire (see stream_cut) */
    uint8_t ranges;      /* in use */
    uint8_t missed;      /* segments beyond the window */
    bool ended;          /* lost its place: nothing more comes */
    struct stream_range range[STREAM_RANGES]; /* ascending, apart from each other */
    uint8_t bytes[STREAM_SIZE];
};

struct segment {
    uint32_t seq;
    uint32_t length;       /* by the headers */
    struct cursor payload; /* what was captured of it */
};

/* Start at a sequence number. */
void stream_begin(struct stream *s, uint32_t seq);
/* Take in a segment. True when its end did not fit: consume, then call again with the same one. */
bool stream_add(struct stream *s, const struct segment *segment, struct events *events);
/* What lies in order and is not yet consumed. */
struct cursor stream_view(const struct stream *s);
/* Move on by n bytes, whether they are here yet or not. Moves none in memory: a view taken before
 * stays readable until the next stream_add(). */
void stream_skip(struct stream *s, uint64_t n);
/* Take n bytes out of the view, at an offset within it (record headers between fragments). */
void stream_cut(struct stream *s, uint32_t offset, uint32_t n);
/* Bytes that have been passed so far. */
uint64_t stream_position(const struct stream *s);
/* Sequence number of the next byte that the parser will see. */
uint32_t stream_next(const struct stream *s);

enum stream_line { LINE_FOUND, LINE_MORE, LINE_TOO_LONG };
/* Set line to the next line without its end (LF or CRLF) and taken to its length with it. Each
 * byte is searched once. LINE_TOO_LONG: the window is full and holds no line end. */
enum stream_line stream_find_line(struct stream *s, struct cursor *line, uint32_t *taken);

#endif
