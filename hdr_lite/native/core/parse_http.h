/* HTTP/1 (RFC 9112): a record per request and its response.
 *
 * Requests may be pipelined; their facts wait in a small arena for the responses.
 * Bodies are skipped by Content-Length and chunk sizes without being held, so a
 * connection of any length is followed.
 */
#ifndef HDR_LITE_PARSE_HTTP_H
#define HDR_LITE_PARSE_HTTP_H

#include "application_internal.h"

#define HTTP_PENDING 4u
#define HTTP_TEXT 1408u
#define HTTP_MIME 64u

enum http_field {
    FIELD_METHOD,
    FIELD_URI,
    FIELD_VERSION,
    FIELD_HOST,
    FIELD_AGENT,
    FIELD_REFERRER,
    FIELDS
};

struct http_text {
    uint16_t start, length; /* in the arena */
};

struct http_request {
    uint64_t ts, length;
    uint32_t depth;
    uint16_t begin; /* where its text starts in the arena */
    bool complete;  /* its headers ended */
    struct http_text field[FIELDS];
};

struct http_side {
    uint8_t phase, blanks;
    uint16_t headers; /* lines of this message so far */
    bool discarding;  /* the rest of a line that was too long */
    bool has_length, chunked;
    uint64_t length; /* Content-Length, or of the chunk under way */
    uint64_t body;   /* chunks so far; stream position where a body without length began */
};

struct http_state {
    struct http_side side[2];                  /* client, server */
    struct http_request request[HTTP_PENDING]; /* oldest first */
    uint32_t depth, forgotten;                 /* requests; those told before their response */
    uint8_t pending;
    bool responding;       /* headers were read, the body decides the length */
    uint16_t status, used; /* used: bytes of text */
    uint8_t mime_length;
    uint8_t mime[HTTP_MIME], text[HTTP_TEXT];
};

void http_begin(struct http_state *s);
enum parse_result http_parse(struct http_state *s, const struct exchange *x);
void http_end(struct http_state *s, const struct exchange *x);
/* Whether these bytes begin a request or a response. */
enum http_start { HTTP_NO, HTTP_PERHAPS, HTTP_REQUEST, HTTP_RESPONSE };
enum http_start http_detect(struct cursor c);

#endif
