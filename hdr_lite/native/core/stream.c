/* Putting segments in order (RFC 9293, 3.10.7.4), in bounded memory.
 *
 * Offsets are relative to bytes[0], whose sequence number is base. Up to tail all
 * is there; behind it lie ranges with holes before them. Every byte is copied
 * once when it comes and moved at most once per segment (compaction).
 */
#include "stream.h"

void stream_begin(struct stream *s, uint32_t seq)
{
    s->skip = s->position = 0;
    s->base = seq;
    s->head = s->tail = s->searched = s->intact = 0;
    s->ranges = s->missed = 0;
    s->ended = false;
}

struct cursor stream_view(const struct stream *s)
{
    return cursor_over(s->bytes + s->head, (uint32_t)(s->tail - s->head));
}

uint32_t stream_next(const struct stream *s)
{
    return s->base + s->head + (uint32_t)s->skip;
}

uint64_t stream_position(const struct stream *s)
{
    return s->position - s->skip;
}

static void drop_first_range(struct stream *s)
{
    s->ranges--;
    memmove(&s->range[0], &s->range[1], s->ranges * sizeof s->range[0]);
}

/* Ranges that the front has reached become part of it. */
static void absorb(struct stream *s)
{
    while (s->ranges > 0 && s->range[0].begin <= s->tail) {
        if (s->range[0].end > s->tail)
            s->tail = s->range[0].end;
        drop_first_range(s);
    }
}

static void compact(struct stream *s)
{
    if (s->head == 0)
        return;
    uint16_t end = s->ranges > 0 ? s->range[s->ranges - 1].end : s->tail;
    memmove(s->bytes, s->bytes + s->head, (size_t)(end - s->head));
    for (unsigned i = 0; i < s->ranges; i++) {
        s->range[i].begin = (uint16_t)(s->range[i].begin - s->head);
        s->range[i].end = (uint16_t)(s->range[i].end - s->head);
    }
    s->base += s->head;
    s->tail = (uint16_t)(s->tail - s->head);
    s->intact = (uint16_t)(s->intact > s->head ? s->intact - s->head : 0);
    s->head = 0;
}

void stream_skip(struct stream *s, uint64_t n)
{
    s->position += n;
    s->searched = 0;
    if (n <= (uint64_t)(STREAM_SIZE - s->head)) {
        s->head = (uint16_t)(s->head + n);
        if (s->head > s->tail) {
            s->tail = s->head;
            absorb(s);
        }
        return;
    }
    s->skip = n - (uint64_t)(s->tail - s->head);
    s->base += s->tail;
    s->head = s->tail = s->intact = 0;
    s->ranges = 0; /* all of them lay within what is skipped */
}

void stream_cut(struct stream *s, uint32_t offset, uint32_t n)
{
    uint32_t left = (uint32_t)(s->tail - s->head);
    if (offset > left || n > left - offset)
        return;
    /* The front is moved up to what follows, so that base and the ranges stay true. */
    memmove(s->bytes + s->head + n, s->bytes + s->head, offset);
    s->head = (uint16_t)(s->head + n);
    s->intact = (uint16_t)(s->head + offset);
    s->position += n;
}

static void note_difference(const struct stream *s, uint32_t begin, uint32_t end,
                            const struct segment *segment, uint32_t at, struct events *events)
{
    struct cursor copy = segment->payload;
    if (begin < end && cursor_skip(&copy, at) && copy.left >= end - begin &&
        !cursor_starts(&copy, s->bytes + begin, end - begin))
        event_note(events, EVENT_STREAM_OVERLAP_DIFFERS);
}

/* Copy bytes [begin, end) of the window from the segment, whose first byte lies at `origin`. */
static void copy_in(struct stream *s, uint32_t begin, uint32_t end, const struct segment *segment,
                    uint32_t origin)
{
    struct cursor from = segment->payload;
    if (begin < end && cursor_skip(&from, begin - origin))
        cursor_bytes(&from, s->bytes + begin, end - begin);
}

/* Make [begin, end) one range together with those it meets. False: there are too many. */
static bool add_range(struct stream *s, uint32_t begin, uint32_t end)
{
    unsigned first = 0, last;
    while (first < s->ranges && s->range[first].end < begin)
        first++;
    for (last = first; last < s->ranges && s->range[last].begin <= end; last++) {
        if (s->range[last].begin < begin)
            begin = s->range[last].begin;
        if (s->range[last].end > end)
            end = s->range[last].end;
    }
    if (first == last && s->ranges == STREAM_RANGES)
        return false;
    memmove(&s->range[first + 1], &s->range[last], (s->ranges - last) * sizeof s->range[0]);
    s->range[first].begin = (uint16_t)begin;
    s->range[first].end = (uint16_t)end;
    s->ranges = (uint8_t)(s->ranges + 1 + first - last);
    return true;
}

/* Put bytes [begin, end) in place, first copy winning, and see how far the front reaches now. */
static bool place(struct stream *s, uint32_t begin, uint32_t end, const struct segment *segment,
                  uint32_t origin, struct events *events)
{
    uint32_t at = begin;
    for (unsigned i = 0; i < s->ranges && s->range[i].begin < end; i++) {
        const struct stream_range *r = &s->range[i];
        if (r->end <= at)
            continue;
        uint32_t from = r->begin > at ? r->begin : at, to = r->end < end ? r->end : end;
        copy_in(s, at, from, segment, origin);
        note_difference(s, from, to, segment, from - origin, events);
        at = r->end;
    }
    copy_in(s, at, end, segment, origin);
    if (begin == s->tail && s->ranges == 0) {
        s->tail = (uint16_t)end;
        return true;
    }
    bool kept = add_range(s, begin, end);
    absorb(s);
    return kept;
}

static void end_stream(struct stream *s, enum event why, struct events *events)
{
    s->ended = true;
    event_note(events, why);
}

/* Pass over what is to be skipped. False: the segment lies within it wholly. */
static bool skip_over(struct stream *s, int64_t offset, uint32_t length, struct events *events)
{
    int64_t end = offset + length;
    if (end <= 0)
        return false;
    if (offset > (int64_t)STREAM_JUMP) {
        end_stream(s, EVENT_STREAM_GAP, events);
        return false;
    }
    if ((uint64_t)end <= s->skip) {
        s->base += (uint32_t)end;
        s->skip -= (uint64_t)end;
        return false;
    }
    s->base += (uint32_t)s->skip;
    s->skip = 0;
    return true;
}

bool stream_add(struct stream *s, const struct segment *segment, struct events *events)
{
    if (s->ended || segment->length == 0)
        return false;
    if (s->skip > 0 && !skip_over(s, (int32_t)(segment->seq - s->base), segment->length, events))
        return false;
    int64_t offset = (int32_t)(segment->seq - s->base);
    if (s->head == s->tail || offset + segment->length > (int64_t)STREAM_SIZE) {
        offset -= s->head;
        compact(s);
    }
    int64_t end = offset + segment->length, captured = offset + segment->payload.left;
    if (offset < s->tail) {
        int64_t from = offset > s->head ? offset : s->head;
        if (from < s->intact)
            from = s->intact;
        int64_t to = captured < s->tail ? captured : s->tail;
        if (from < to)
            note_difference(s, (uint32_t)from, (uint32_t)to, segment, (uint32_t)(from - offset),
                            events);
    }
    if (end <= s->tail)
        return false;
    if (offset >= (int64_t)STREAM_SIZE) {
        if (++s->missed >= STREAM_PATIENCE)
            end_stream(s, EVENT_STREAM_GAP, events);
        return false;
    }
    bool in_order = offset <= s->tail;
    if (in_order)
        s->missed = 0;
    uint32_t begin = in_order ? s->tail : (uint32_t)offset;
    uint32_t last = captured < (int64_t)STREAM_SIZE ? (uint32_t)captured : STREAM_SIZE;
    if (captured <= (int64_t)begin)
        return false;
    if (!place(s, begin, last, segment, (uint32_t)offset, events)) {
        end_stream(s, EVENT_STREAM_TOO_MANY_RANGES, events);
        return false;
    }
    return in_order && captured > (int64_t)STREAM_SIZE;
}

enum stream_line stream_find_line(struct stream *s, struct cursor *line, uint32_t *taken)
{
    const struct cursor view = stream_view(s);
    struct cursor rest = view;
    uint32_t offset;
    uint8_t before;
    cursor_skip(&rest, s->searched);
    if (!cursor_find(&rest, '\n', &offset)) {
        s->searched = (uint16_t)view.left;
        return view.left >= STREAM_SIZE ? LINE_TOO_LONG : LINE_MORE;
    }
    uint32_t length = s->searched + offset;
    *taken = length + 1;
    *line = view;
    if (length > 0 && cursor_peek_u8(&view, length - 1, &before) && before == '\r')
        length--;
    cursor_trim(line, length);
    return LINE_FOUND;
}
