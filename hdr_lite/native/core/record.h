/* Records: what the meter reports, as msgpack arrays, and where they go.
 *
 * A record is one msgpack array whose elements are the fields of the Python
 * class of its kind, in order (hdr_lite/records); kind, number and time travel
 * beside it in the ring's record header. The writer below appends msgpack to a
 * caller's buffer; past the end it writes nothing more and remembers that it
 * failed, so that only record_finish() needs a check.
 */
#ifndef HDR_LITE_RECORD_H
#define HDR_LITE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

/* Keep in step with hdr_lite/records/kind.py (a test compares them). */
enum record_kind {
    RECORD_CONN = 1,        /* a connection at its start */
    RECORD_FATE = 2,        /* answered, refused, unanswered */
    RECORD_FLOW = 3,        /* a finished flow, or the checkpoint of a long one */
    RECORD_FOLDED_FLOW = 4, /* a flow whose attempt was reported as part of a sum */
    RECORD_ATTEMPTS = 5,    /* failed attempts of one source or to one target, summed */
    RECORD_DNS = 6,
    RECORD_HTTP = 7,
    RECORD_TLS = 8,
    RECORD_SSH = 9,
    RECORD_SSH_LOGIN = 10, /* a server's word on a login, as it is said */
    RECORD_ARP = 11,
    RECORD_CLOCK = 12,  /* traffic time moved on though nothing else was to be told */
    RECORD_PROBES = 13, /* much that a source tried and nothing has answered yet */
    RECORD_STATS = 14,  /* counters of the sensor; the last one ends the input */
    RECORD_KINDS = 32,  /* kinds fit a 32-bit mask */
};

/* The longest record, in bytes of msgpack; facts are cut to fit. */
#define RECORD_MAX 8192

/* Where records go. put() returns false when the record was dropped (and counted by the sink);
 * ready() tells whether RECORD_BURST bytes of records would fit, for callers that rather wait. */
#define RECORD_BURST (16 * RECORD_MAX)
struct record_sink {
    void *owner;
    bool (*put)(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                uint32_t length);
    bool (*ready)(void *owner);
    uint32_t wanted; /* bit per kind: a record that nobody reads is not made */
};

static inline bool record_wanted(const struct record_sink *sink, enum record_kind kind)
{
    return (sink->wanted >> kind) & 1u;
}

struct record_writer {
    uint8_t *at, *start, *end;
    bool failed;
};

void record_begin(struct record_writer *w, uint8_t *buffer, uint32_t size, unsigned fields);
/* Length of the record, or 0 when it did not fit. */
uint32_t record_finish(const struct record_writer *w);

void record_nil(struct record_writer *w);
void record_bool(struct record_writer *w, bool value);
void record_uint(struct record_writer *w, uint64_t value);
void record_array(struct record_writer *w, unsigned elements);
/* Text that is already valid UTF-8 (constants, formatted addresses). */
void record_text(struct record_writer *w, const char *text, uint32_t length);
void record_cstring(struct record_writer *w, const char *text);
/* Bytes from the network as text: printable ASCII stays, the rest and the
 * backslash become \xNN; cut to `most` bytes of output. */
void record_wire_text(struct record_writer *w, const uint8_t *bytes, uint32_t length,
                      uint32_t most);
/* "192.0.2.1" or RFC 5952 text of a 16-byte address. */
void record_address(struct record_writer *w, const uint8_t address[16]);
/* "02:00:00:00:00:01" */
void record_mac(struct record_writer *w, const uint8_t mac[6]);
/* "" when it is not known, or is all zeros. */
void record_mac_if(struct record_writer *w, const uint8_t mac[6], bool known);

/* Text of an address into out (at least 46 bytes); returns its length. */
unsigned address_text(char *out, const uint8_t address[16]);

#endif
