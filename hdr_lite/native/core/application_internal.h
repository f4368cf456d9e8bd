/* What application.c and the parsers share, and nobody else.
 *
 * A parser is given an exchange: whose flow, which direction, when. TCP parsers
 * read from its streams and have three outcomes, as enum parse_result says. They
 * note malformed input by name and emit records through the fact_ functions.
 */
#ifndef HDR_LITE_APPLICATION_INTERNAL_H
#define HDR_LITE_APPLICATION_INTERNAL_H

#include "application.h"
#include "stream.h"

struct exchange {
    const struct application_context *context;
    struct flow *flow;
    struct stream *stream[2]; /* NULL for UDP */
    enum direction direction; /* of the bytes to be parsed */
    enum direction client;    /* who asks: ORIG unless the first packets were missed */
    uint64_t now;
};

enum parse_result {
    PARSE_MORE,  /* took what it could; call again when there is more */
    PARSE_DONE,  /* needs nothing more of this flow */
    PARSE_AGAIN, /* what follows is another protocol: detect again (a tunnel was opened) */
};

static inline void exchange_note(const struct exchange *x, enum event event)
{
    event_note(x->context->events, event);
}

/* Begin a record with the fields that all facts share, as seen from the asking side. */
void fact_begin(struct record_writer *w, const struct exchange *x, unsigned fields, uint64_t ts,
                enum direction asker);
void fact_put(const struct record_writer *w, const struct exchange *x, enum record_kind kind);
/* Decimal digits of a number into out (20 bytes suffice); returns how many. */
unsigned fact_number(char *out, uint64_t value);

#endif
