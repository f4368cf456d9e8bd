/* HTTP/1 by lines.
 *
 * Each direction is a small state machine: start line, header lines, then a body
 * of one of four kinds (none, counted, chunked, until the end). A line longer than
 * the stream's window is used as far as it goes and its rest is passed over.
 */
#include "parse_http.h"

#define METHOD_MAX 16u
#define HEADERS_MAX 256u
#define BLANKS_MAX 8u /* empty lines before a start line (RFC 9112, 2.2) */
#define FOREVER (UINT64_MAX / 2)

static const uint16_t FIELD_MAX[FIELDS] = {METHOD_MAX, 1024, 8, 255, 255, 255};

enum phase {
    PHASE_START,
    PHASE_HEADERS,
    PHASE_CHUNK_SIZE,
    PHASE_CHUNK_END,
    PHASE_TRAILERS,
    PHASE_UNTIL_END,
    PHASE_LOST,
};

/* Text. */

static bool is_token(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* Whether the cursor is over exactly this text, letters in any case. */
static bool says(struct cursor c, const char *text)
{
    uint8_t byte;
    for (; *text != '\0'; text++)
        if (!cursor_u8(&c, &byte) || lower(byte) != (uint8_t)*text)
            return false;
    return c.left == 0;
}

static bool starts(struct cursor c, const char *text)
{
    return cursor_starts(&c, text, (uint32_t)strlen(text));
}

/* Set part to what lies before the separator and move behind it. */
static bool split(struct cursor *c, uint8_t separator, struct cursor *part)
{
    uint32_t offset;
    return cursor_find(c, separator, &offset) && cursor_take(c, offset, part) && cursor_skip(c, 1);
}

static struct cursor trimmed(struct cursor c)
{
    uint8_t byte;
    while (cursor_peek_u8(&c, 0, &byte) && (byte == ' ' || byte == '\t'))
        cursor_skip(&c, 1);
    while (c.left > 0 && cursor_peek_u8(&c, c.left - 1, &byte) && (byte == ' ' || byte == '\t'))
        cursor_trim(&c, c.left - 1);
    return c;
}

/* Digits without leading zeros, which may be many; false when there are none, or too many. */
static bool significant(struct cursor *c, uint32_t most)
{
    while (c->left > 1 && cursor_starts(c, "0", 1))
        cursor_skip(c, 1);
    return c->left > 0 && c->left <= most;
}

static bool read_decimal(struct cursor c, uint64_t *out)
{
    uint8_t byte;
    uint64_t value = 0;
    if (!significant(&c, 18))
        return false;
    while (cursor_u8(&c, &byte)) {
        if (byte < '0' || byte > '9')
            return false;
        value = value * 10 + (uint64_t)(byte - '0');
    }
    *out = value;
    return true;
}

static bool read_hex(struct cursor c, uint64_t *out)
{
    uint8_t byte;
    uint64_t value = 0;
    if (!significant(&c, 15))
        return false;
    while (cursor_u8(&c, &byte)) {
        byte = lower(byte);
        if (byte >= '0' && byte <= '9')
            value = value * 16 + (uint64_t)(byte - '0');
        else if (byte >= 'a' && byte <= 'f')
            value = value * 16 + (uint64_t)(byte - 'a') + 10;
        else
            return false;
    }
    *out = value;
    return true;
}

/* Detection. */

static bool known_method(struct cursor method)
{
    static const char *const known[] = {
        "get",      "post",   "head",     "put",       "delete",      "options",      "connect",
        "patch",    "trace",  "propfind", "proppatch", "mkcol",       "copy",         "move",
        "lock",     "unlock", "report",   "search",    "subscribe",   "unsubscribe",  "notify",
        "m-search", "purge",  "link",     "unlink",    "rpc_in_data", "rpc_out_data",
    };
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (says(method, known[i]))
            return true;
    return false;
}

/* A target: a path, a URL of HTTP, "*", or for the commonest methods anything printable. Other
 * protocols have start lines of the same shape (RTSP, SIP). */
static enum http_start detect_target(struct cursor method, struct cursor target)
{
    uint8_t first;
    if (!cursor_peek_u8(&target, 0, &first))
        return HTTP_PERHAPS;
    if (first == '/')
        return HTTP_REQUEST;
    if (!known_method(method) || first <= ' ')
        return HTTP_NO;
    if (says(method, "get") || says(method, "post") || says(method, "head") ||
        says(method, "connect"))
        return HTTP_REQUEST;
    return first == '*' || first == 'h' || first == 'H' ? HTTP_REQUEST : HTTP_NO;
}

enum http_start http_detect(struct cursor c)
{
    static const char response[] = "HTTP/1.";
    struct cursor method = c;
    uint8_t byte;
    uint32_t n = c.left < sizeof response - 1 ? c.left : (uint32_t)sizeof response - 1;
    if (n > 0 && cursor_starts(&c, response, n))
        return n == sizeof response - 1 ? HTTP_RESPONSE : HTTP_PERHAPS;
    for (uint32_t i = 0; i <= METHOD_MAX; i++) {
        if (!cursor_u8(&c, &byte))
            return HTTP_PERHAPS;
        if (byte == ' ' && i > 0) {
            cursor_trim(&method, i);
            return detect_target(method, c);
        }
        if (!is_token(byte) || (byte >= 'a' && byte <= 'z'))
            return HTTP_NO;
    }
    return HTTP_NO;
}

/* Telling. */

static void put_field(struct record_writer *w, const struct http_state *s,
                      const struct http_request *q, enum http_field field)
{
    const struct http_text *t = &q->field[field];
    uint32_t most = field == FIELD_URI ? 3072 : 1024; /* all of them fit a record */
    record_wire_text(w, s->text + t->start, t->length, most);
}

static void tell(const struct http_state *s, const struct exchange *x, const struct http_request *q,
                 bool answered, uint64_t length)
{
    struct record_writer w;
    fact_begin(&w, x, 18, q->ts, x->client);
    record_uint(&w, q->depth);
    put_field(&w, s, q, FIELD_METHOD);
    put_field(&w, s, q, FIELD_HOST);
    put_field(&w, s, q, FIELD_URI);
    put_field(&w, s, q, FIELD_VERSION);
    put_field(&w, s, q, FIELD_AGENT);
    put_field(&w, s, q, FIELD_REFERRER);
    record_uint(&w, q->length);
    record_uint(&w, answered ? s->status : 0);
    record_uint(&w, answered ? length : 0);
    record_wire_text(&w, s->mime, answered ? s->mime_length : 0, 4 * HTTP_MIME);
    fact_put(&w, x, RECORD_HTTP);
}

/* The oldest request leaves, its text with it. */
static void pop(struct http_state *s)
{
    uint16_t end = s->pending > 1 ? s->request[1].begin : s->used;
    memmove(s->text, s->text + end, (size_t)(s->used - end));
    s->used = (uint16_t)(s->used - end);
    s->pending--;
    memmove(&s->request[0], &s->request[1], s->pending * sizeof s->request[0]);
    for (unsigned i = 0; i < s->pending; i++) {
        s->request[i].begin = (uint16_t)(s->request[i].begin - end);
        for (unsigned f = 0; f < FIELDS; f++)
            if (s->request[i].field[f].length > 0)
                s->request[i].field[f].start = (uint16_t)(s->request[i].field[f].start - end);
    }
}

static uint64_t body_length(const struct http_state *s, const struct exchange *x)
{
    const struct http_side *server = &s->side[1];
    if (server->phase == PHASE_UNTIL_END)
        return stream_position(x->stream[1 - x->client]) - server->body;
    return server->body;
}

/* The response under way is told with its request, or alone when that was not seen. */
static void tell_response(struct http_state *s, const struct exchange *x, uint64_t length)
{
    struct http_request alone;
    s->responding = false;
    if (s->pending > 0 && s->request[0].complete) {
        tell(s, x, &s->request[0], true, length);
        pop(s);
        return;
    }
    memset(&alone, 0, sizeof alone);
    alone.ts = x->now;
    alone.depth = ++s->depth;
    tell(s, x, &alone, true, length);
}

/* The oldest request makes room before its response is through. */
static void make_room(struct http_state *s, const struct exchange *x)
{
    if (s->responding) {
        tell_response(s, x, body_length(s, x));
        return;
    }
    tell(s, x, &s->request[0], false, 0);
    pop(s);
    s->forgotten++;
}

static struct http_request *current(struct http_state *s)
{
    return &s->request[s->pending - 1];
}

/* The first value of a field counts; it is cut to its limit, and to the room there is. */
static void keep(struct http_state *s, const struct exchange *x, enum http_field field,
                 struct cursor value)
{
    uint32_t n = value.left < FIELD_MAX[field] ? value.left : FIELD_MAX[field];
    if (current(s)->field[field].length > 0)
        return;
    while (n > HTTP_TEXT - s->used && s->pending > 1)
        make_room(s, x);
    if (n > HTTP_TEXT - s->used)
        n = HTTP_TEXT - s->used;
    struct http_text *t = &current(s)->field[field];
    cursor_bytes(&value, s->text + s->used, n);
    t->start = s->used;
    t->length = (uint16_t)n;
    s->used = (uint16_t)(s->used + n);
}

/* Lines of the client. */

static void lose(const struct exchange *x, struct http_side *side, enum event event)
{
    exchange_note(x, event);
    side->phase = PHASE_LOST;
}

/* Take " HTTP/x.y" off the end of a request line, leaving the target: those of attacks contain
 * spaces. */
static void split_version(struct cursor *target, struct cursor *version)
{
    for (uint32_t i = target->left; i-- > 0;) {
        struct cursor tail = *target;
        if (!cursor_skip(&tail, i) || !cursor_starts(&tail, " HTTP/", 6))
            continue;
        cursor_skip(&tail, 6);
        *version = tail;
        cursor_trim(target, i);
        return;
    }
}

static void request_line(struct http_state *s, const struct exchange *x, struct http_side *side,
                         struct cursor line, bool cut)
{
    struct cursor method, target, version = {line.at, 0};
    if (http_detect(line) != HTTP_REQUEST || !split(&line, ' ', &method)) {
        lose(x, side, EVENT_HTTP_BAD_REQUEST_LINE);
        return;
    }
    if (s->pending == HTTP_PENDING)
        make_room(s, x);
    s->pending++;
    memset(current(s), 0, sizeof *current(s));
    current(s)->ts = x->now;
    current(s)->depth = ++s->depth;
    current(s)->begin = s->used;
    target = line;
    if (!cut)
        split_version(&target, &version);
    keep(s, x, FIELD_METHOD, method);
    keep(s, x, FIELD_URI, target);
    keep(s, x, FIELD_VERSION, trimmed(version));
    side->phase = PHASE_HEADERS;
    side->headers = 0;
    side->has_length = side->chunked = false;
    side->length = 0;
}

static void request_header(struct http_state *s, const struct exchange *x, struct cursor name,
                           struct cursor value)
{
    if (says(name, "host"))
        keep(s, x, FIELD_HOST, value);
    else if (says(name, "user-agent"))
        keep(s, x, FIELD_AGENT, value);
    else if (says(name, "referer"))
        keep(s, x, FIELD_REFERRER, value);
}

static void start_chunks(struct http_side *side)
{
    side->phase = PHASE_CHUNK_SIZE;
    side->body = 0;
}

static void request_complete(struct http_state *s, const struct exchange *x, struct http_side *side)
{
    current(s)->complete = true;
    current(s)->length = side->has_length && !side->chunked ? side->length : 0;
    side->phase = PHASE_START;
    if (side->chunked)
        start_chunks(side);
    else if (side->has_length)
        stream_skip(x->stream[x->direction], side->length);
}

/* Lines of the server. */

static void status_line(struct http_state *s, const struct exchange *x, struct http_side *side,
                        struct cursor line)
{
    struct cursor version;
    uint64_t status = 0;
    if (!starts(line, "HTTP/") || !split(&line, ' ', &version)) {
        lose(x, side, EVENT_HTTP_BAD_STATUS_LINE);
        return;
    }
    cursor_trim(&line, 3);
    if (line.left < 3 || !read_decimal(line, &status) || status < 100) {
        lose(x, side, EVENT_HTTP_BAD_STATUS_LINE);
        return;
    }
    s->status = (uint16_t)status;
    s->mime_length = 0;
    side->phase = PHASE_HEADERS;
    side->headers = 0;
    side->has_length = side->chunked = false;
    side->length = 0;
}

static void response_header(struct http_state *s, struct cursor name, struct cursor value)
{
    struct cursor mime;
    if (!says(name, "content-type"))
        return;
    if (!split(&value, ';', &mime))
        mime = value;
    mime = trimmed(mime);
    cursor_trim(&mime, HTTP_MIME);
    s->mime_length = (uint8_t)mime.left;
    cursor_bytes(&mime, s->mime, mime.left);
}

/* Whether the request that this response answers is of that method. */
static bool answers(const struct http_state *s, const char *method)
{
    const struct http_text *t = &s->request[0].field[FIELD_METHOD];
    return s->forgotten == 0 && s->pending > 0 && s->request[0].complete &&
           says(cursor_over(s->text + t->start, t->length), method);
}

/* RFC 9112, 6.3: how long the body is. */
static enum parse_result response_complete(struct http_state *s, const struct exchange *x,
                                           struct http_side *side)
{
    struct stream *stream = x->stream[x->direction];
    bool known = s->forgotten == 0, tunnel = answers(s, "connect") && s->status / 100 == 2;
    bool bodiless = answers(s, "head") || s->status == 204 || s->status == 304;
    side->phase = PHASE_START;
    side->body = 0;
    if (s->status < 200 && s->status != 101)
        return PARSE_MORE;
    if (!known)
        s->forgotten--;
    if (tunnel || s->status == 101) {
        if (known)
            tell_response(s, x, 0);
        return tunnel ? PARSE_AGAIN : PARSE_DONE;
    }
    s->responding = known;
    if (!bodiless && side->chunked) {
        start_chunks(side);
    } else if (bodiless || side->has_length) {
        if (known)
            tell_response(s, x, side->length);
        stream_skip(stream, bodiless ? 0 : side->length);
    } else {
        side->phase = PHASE_UNTIL_END;
        side->body = stream_position(stream);
    }
    return PARSE_MORE;
}

/* Lines of both. */

static void length_header(const struct exchange *x, struct http_side *side, struct cursor value)
{
    uint64_t length;
    if (!read_decimal(value, &length)) {
        exchange_note(x, EVENT_HTTP_BAD_LENGTH);
        return;
    }
    if ((side->has_length && length != side->length) || side->chunked)
        exchange_note(x, EVENT_HTTP_CONFLICTING_LENGTH);
    side->length = side->has_length ? side->length : length;
    side->has_length = true;
}

static void header_line(struct http_state *s, const struct exchange *x, struct http_side *side,
                        struct cursor line)
{
    struct cursor name;
    uint8_t first = 0;
    bool client = side == &s->side[0];
    if (++side->headers > HEADERS_MAX) {
        lose(x, side, EVENT_HTTP_TOO_MANY_HEADERS);
        return;
    }
    cursor_peek_u8(&line, 0, &first);
    if (first == ' ' || first == '\t') /* a folded line */
        return;
    if (!split(&line, ':', &name)) {
        exchange_note(x, EVENT_HTTP_BAD_HEADER);
        return;
    }
    line = trimmed(line);
    name = trimmed(name);
    if (says(name, "content-length")) {
        length_header(x, side, line);
    } else if (says(name, "transfer-encoding")) {
        side->chunked =
            line.left >= 7 && cursor_skip(&line, line.left - 7) && says(line, "chunked");
        if (side->chunked && side->has_length)
            exchange_note(x, EVENT_HTTP_CONFLICTING_LENGTH);
    } else if (client) {
        request_header(s, x, name, line);
    } else {
        response_header(s, name, line);
    }
}

static void chunk_size(const struct exchange *x, struct http_side *side, struct cursor line)
{
    struct cursor digits;
    if (!split(&line, ';', &digits))
        digits = line;
    if (!read_hex(trimmed(digits), &side->length)) {
        lose(x, side, EVENT_HTTP_BAD_CHUNK);
        return;
    }
    side->body += side->length;
    side->phase = side->length > 0 ? PHASE_CHUNK_END : PHASE_TRAILERS;
    stream_skip(x->stream[x->direction], side->length);
}

static enum parse_result start_line(struct http_state *s, const struct exchange *x,
                                    struct http_side *side, struct cursor line, bool cut)
{
    if (line.left == 0) {
        if (++side->blanks > BLANKS_MAX)
            side->phase = PHASE_LOST;
        return PARSE_MORE;
    }
    side->blanks = 0;
    if (side == &s->side[0])
        request_line(s, x, side, line, cut);
    else
        status_line(s, x, side, line);
    return PARSE_MORE;
}

static enum parse_result headers_complete(struct http_state *s, const struct exchange *x,
                                          struct http_side *side)
{
    if (side != &s->side[0])
        return response_complete(s, x, side);
    request_complete(s, x, side);
    return PARSE_MORE;
}

static enum parse_result take_line(struct http_state *s, const struct exchange *x,
                                   struct http_side *side, struct cursor line, bool cut)
{
    switch (side->phase) {
    case PHASE_START:
        return start_line(s, x, side, line, cut);
    case PHASE_HEADERS:
        if (line.left == 0)
            return headers_complete(s, x, side);
        header_line(s, x, side, line);
        return PARSE_MORE;
    case PHASE_CHUNK_SIZE:
        chunk_size(x, side, line);
        return PARSE_MORE;
    case PHASE_CHUNK_END:
        side->phase = PHASE_CHUNK_SIZE;
        if (line.left > 0)
            lose(x, side, EVENT_HTTP_BAD_CHUNK);
        return PARSE_MORE;
    default: /* trailers */
        if (line.left > 0)
            return PARSE_MORE;
        side->phase = PHASE_START;
        if (side == &s->side[1] && s->responding)
            tell_response(s, x, side->body);
        return PARSE_MORE;
    }
}

void http_begin(struct http_state *s)
{
    memset(s, 0, sizeof *s);
}

enum parse_result http_parse(struct http_state *s, const struct exchange *x)
{
    struct http_side *side = &s->side[x->direction == x->client ? 0 : 1];
    struct stream *stream = x->stream[x->direction];
    while (stream_view(stream).left > 0) {
        struct cursor line = stream_view(stream);
        uint32_t taken = line.left;
        if (side->phase == PHASE_UNTIL_END || side->phase == PHASE_LOST) {
            stream_skip(stream, FOREVER);
            return s->side[0].phase == PHASE_LOST && s->side[1].phase == PHASE_LOST ? PARSE_DONE
                                                                                    : PARSE_MORE;
        }
        enum stream_line found = stream_find_line(stream, &line, &taken);
        if (found == LINE_MORE && !side->discarding)
            return PARSE_MORE;
        bool rest = side->discarding;
        side->discarding = found != LINE_FOUND;
        if (found == LINE_TOO_LONG && !rest)
            exchange_note(x, EVENT_HTTP_LINE_TOO_LONG);
        stream_skip(stream, taken); /* moves no bytes: the line stays readable */
        if (rest)
            continue;
        enum parse_result result = take_line(s, x, side, line, found == LINE_TOO_LONG);
        if (result != PARSE_MORE)
            return result;
    }
    return PARSE_MORE;
}

void http_end(struct http_state *s, const struct exchange *x)
{
    if (s->responding)
        tell_response(s, x, body_length(s, x));
    while (s->pending > 0) {
        tell(s, x, &s->request[0], false, 0);
        pop(s);
    }
}
