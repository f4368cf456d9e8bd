/* Reading hellos without holding them whole.
 *
 * A handshake message may be spread over many records, and records over many
 * segments; a modern ClientHello is larger than the stream's window. So the reader
 * takes small steps: need(n) makes the next n handshake bytes lie in a row, cutting
 * out record headers that come between, or says that they are not there yet; what
 * nobody asks for is skipped without being held. Lists are bounded: a hello with
 * more gets no fingerprint and an event.
 */
#include "parse_tls.h"

#include "fingerprint.h"

#define RECORD_HEADER 5u
#define RECORD_LONGEST (16384u + 256u) /* RFC 8446, 5.2 */
#define FRAGMENTS_MAX 64u
#define EXTENSION_HELD 1024u /* the longest extension that is read */
#define FOREVER (UINT64_MAX / 2)

enum content { CONTENT_CHANGE_CIPHER = 20, CONTENT_ALERT = 21, CONTENT_HANDSHAKE = 22 };
enum message { MESSAGE_CLIENT_HELLO = 1, MESSAGE_SERVER_HELLO = 2 };
enum extension {
    EXT_SERVER_NAME = 0,
    EXT_GROUPS = 10,
    EXT_FORMATS = 11,
    EXT_SIGNATURES = 13,
    EXT_ALPN = 16,
    EXT_PRE_SHARED_KEY = 41,
    EXT_VERSIONS = 43,
};
enum phase {
    PHASE_HEADER,
    PHASE_FIXED,
    PHASE_SESSION,
    PHASE_CIPHERS,
    PHASE_COMPRESSION,
    PHASE_EXTENSIONS,
    PHASE_EXTENSION,
    PHASE_BODY,
};

/* Outcome of a step. */
enum step { STEP_OK, STEP_MORE, STEP_ALERT, STEP_BAD };

/* SHA-256 of "HelloRetryRequest": the random of a hello that is none yet (RFC 8446, 4.1.3). */
static const uint8_t RETRY_RANDOM[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

struct reader { /* the direction under way */
    struct tls_state *state;
    struct tls_side *side;
    struct stream *stream;
    const struct exchange *x;
    bool client;
};

void tls_begin(struct tls_state *s, uint64_t now, bool client_silent)
{
    memset(s, 0, sizeof *s);
    s->ts = now;
    s->side[0].finished = client_silent;
}

static enum step bad(const struct reader *r, enum event event)
{
    exchange_note(r->x, event);
    return STEP_BAD;
}

/* The header of the record that begins `offset` bytes into the view. */
static enum step open_record(struct reader *r, uint32_t offset)
{
    struct cursor c = stream_view(r->stream);
    uint8_t content, major, minor;
    uint16_t length;
    if (c.left < offset + RECORD_HEADER)
        return STEP_MORE;
    cursor_skip(&c, offset);
    if (!cursor_u8(&c, &content) || !cursor_u8(&c, &major) || !cursor_u8(&c, &minor) ||
        !cursor_u16(&c, &length))
        return STEP_MORE;
    if (major != 3 || length == 0 || length > RECORD_LONGEST)
        return bad(r, EVENT_TLS_BAD_RECORD);
    if (content == CONTENT_CHANGE_CIPHER && offset == 0 && length == 1) {
        stream_skip(r->stream, RECORD_HEADER + 1); /* middlebox compatibility, RFC 8446, D.4 */
        return STEP_OK;
    }
    if (content == CONTENT_ALERT && offset == 0)
        return STEP_ALERT;
    if (content != CONTENT_HANDSHAKE)
        return bad(r, EVENT_TLS_BAD_RECORD);
    if (++r->side->fragments > FRAGMENTS_MAX)
        return bad(r, EVENT_TLS_TOO_MANY_FRAGMENTS);
    stream_cut(r->stream, offset, RECORD_HEADER);
    r->side->record_left = (uint16_t)(r->side->record_left + length);
    return STEP_OK;
}

/* Make the next n handshake bytes lie in a row at the front of the stream. */
static enum step need(struct reader *r, uint32_t n)
{
    while (r->side->skip > 0 || r->side->record_left < n) {
        uint32_t over = r->side->skip < r->side->record_left ? r->side->skip : r->side->record_left;
        if (over > 0) {
            stream_skip(r->stream, over);
            r->side->skip -= over;
            r->side->record_left = (uint16_t)(r->side->record_left - over);
            continue;
        }
        enum step step = open_record(r, r->side->record_left);
        if (step != STEP_OK)
            return step;
    }
    return stream_view(r->stream).left < n ? STEP_MORE : STEP_OK;
}

/* need(n), and the bytes belong to the message that says how long it is. */
static enum step need_in_message(struct reader *r, uint32_t n)
{
    if (n > r->side->message_left)
        return bad(r, r->client ? EVENT_TLS_BAD_CLIENT_HELLO : EVENT_TLS_BAD_SERVER_HELLO);
    return need(r, n);
}

/* The n bytes that need() promised, taken off the stream. Valid until the stream is touched. */
static struct cursor take(struct reader *r, uint32_t n)
{
    struct cursor view = stream_view(r->stream), part = {view.at, 0};
    cursor_take(&view, n, &part);
    stream_skip(r->stream, n);
    r->side->record_left = (uint16_t)(r->side->record_left - n);
    r->side->message_left -= n;
    return part;
}

/* Pass over n bytes of the message. */
static enum step pass(struct reader *r, uint32_t n)
{
    if (n > r->side->message_left)
        return bad(r, r->client ? EVENT_TLS_BAD_CLIENT_HELLO : EVENT_TLS_BAD_SERVER_HELLO);
    r->side->message_left -= n;
    r->side->skip += n;
    return STEP_OK;
}

static void append(struct reader *r, uint16_t *list, uint8_t *count, unsigned most, uint16_t value)
{
    if (r->client && tls_grease(value))
        return;
    if (*count < most)
        list[(*count)++] = value;
    else
        r->state->too_long = true;
}

/* A list of 16-bit numbers behind its 16-bit length. */
static bool read_list(struct reader *r, struct cursor c, uint16_t *list, uint8_t *count,
                      unsigned most)
{
    uint16_t length, value;
    if (!cursor_u16(&c, &length) || length > c.left)
        return false;
    cursor_trim(&c, length);
    while (cursor_u16(&c, &value))
        append(r, list, count, most, value);
    return c.left == 0;
}

static bool read_name(struct tls_state *s, struct cursor c)
{
    uint16_t list, length;
    uint8_t kind;
    if (c.left == 0 || s->name_length > 0) /* a server's confirmation, a repetition */
        return true;
    if (!cursor_u16(&c, &list) || !cursor_u8(&c, &kind) || !cursor_u16(&c, &length) || kind != 0 ||
        length > TLS_NAME)
        return false;
    s->name_length = (uint8_t)length;
    if (cursor_bytes(&c, s->name, length))
        return true;
    s->name_length = 0;
    return false;
}

/* The first protocol of the list; longer ones than any that is registered are cut. */
static bool read_alpn(struct cursor c, uint8_t *out, uint8_t *length, uint8_t *last)
{
    uint16_t list;
    uint8_t n;
    struct cursor name;
    if (!cursor_u16(&c, &list))
        return false;
    if (list == 0)
        return true;
    if (!cursor_u8(&c, &n) || !cursor_take(&c, n, &name))
        return false;
    if (n > 0)
        cursor_peek_u8(&name, n - 1u, last);
    *length = n < TLS_ALPN ? n : TLS_ALPN;
    return cursor_bytes(&name, out, *length);
}

static bool read_formats(struct tls_state *s, struct cursor c)
{
    uint8_t n, format;
    if (!cursor_u8(&c, &n) || n > c.left)
        return false;
    for (unsigned i = 0; i < n && cursor_u8(&c, &format); i++) {
        if (s->format_count < TLS_FORMATS)
            s->formats[s->format_count++] = format;
        else
            s->too_long = true;
    }
    return true;
}

/* The highest version that the client offers. */
static bool read_versions(struct tls_state *s, struct cursor c)
{
    uint8_t n;
    uint16_t version;
    if (!cursor_u8(&c, &n) || n > c.left)
        return false;
    cursor_trim(&c, n);
    while (cursor_u16(&c, &version)) {
        if (tls_grease(version))
            continue;
        if (!s->has_versions || version > s->client_best)
            s->client_best = version;
        s->has_versions = true;
    }
    return true;
}

static bool read_client_extension(struct reader *r, uint16_t type, struct cursor c)
{
    struct tls_state *s = r->state;
    switch (type) {
    case EXT_SERVER_NAME:
        return read_name(s, c);
    case EXT_GROUPS:
        return read_list(r, c, s->groups, &s->group_count, TLS_GROUPS);
    case EXT_FORMATS:
        return read_formats(s, c);
    case EXT_SIGNATURES:
        return read_list(r, c, s->signatures, &s->signature_count, TLS_SIGNATURES);
    case EXT_ALPN:
        return s->alpn_length > 0 || read_alpn(c, s->alpn, &s->alpn_length, &s->alpn_last);
    default:
        return read_versions(s, c);
    }
}

static bool read_server_extension(struct reader *r, uint16_t type, struct cursor c)
{
    struct tls_state *s = r->state;
    uint8_t last = 0;
    if (type == EXT_ALPN)
        return read_alpn(c, s->server_alpn, &s->server_alpn_length, &last);
    return cursor_u16(&c, &s->server_version);
}

static bool is_read(const struct reader *r, uint16_t type)
{
    if (!r->client)
        return type == EXT_ALPN || type == EXT_VERSIONS;
    return type == EXT_SERVER_NAME || type == EXT_GROUPS || type == EXT_FORMATS ||
           type == EXT_SIGNATURES || type == EXT_ALPN || type == EXT_VERSIONS;
}

/* Steps, one a phase. Each moves to the next phase when it is through. */

static enum step step_header(struct reader *r)
{
    uint8_t kind;
    uint32_t length;
    r->side->message_left = 4;
    enum step step = need(r, 4);
    if (step != STEP_OK)
        return step;
    struct cursor c = take(r, 4);
    if (!cursor_u8(&c, &kind) || !cursor_u24(&c, &length) ||
        kind != (r->client ? MESSAGE_CLIENT_HELLO : MESSAGE_SERVER_HELLO))
        return bad(r, EVENT_TLS_BAD_HANDSHAKE);
    r->side->message_left = length;
    r->side->phase = PHASE_FIXED;
    return STEP_OK;
}

static enum step step_fixed(struct reader *r)
{
    struct tls_state *s = r->state;
    uint8_t random[32];
    uint16_t version;
    enum step step = need_in_message(r, 34);
    if (step != STEP_OK)
        return step;
    struct cursor c = take(r, 34);
    if (!cursor_u16(&c, &version) || !cursor_bytes(&c, random, sizeof random))
        return STEP_BAD;
    if (r->client) {
        s->client_version = s->client_best = version;
    } else {
        s->server_legacy = s->server_version = version;
        s->retry = memcmp(random, RETRY_RANDOM, sizeof random) == 0;
    }
    r->side->phase = PHASE_SESSION;
    return STEP_OK;
}

static enum step step_session(struct reader *r)
{
    struct tls_state *s = r->state;
    uint8_t length, session[32];
    enum step step = need_in_message(r, 1);
    if (step != STEP_OK)
        return step;
    struct cursor c = stream_view(r->stream);
    if (!cursor_u8(&c, &length) || length > sizeof session)
        return bad(r, r->client ? EVENT_TLS_BAD_CLIENT_HELLO : EVENT_TLS_BAD_SERVER_HELLO);
    step = need_in_message(r, 1u + length + 2);
    if (step != STEP_OK)
        return step;
    c = take(r, 1u + length + 2);
    uint16_t following;
    if (!cursor_skip(&c, 1) || !cursor_bytes(&c, session, length) || !cursor_u16(&c, &following))
        return STEP_BAD;
    if (r->client) {
        s->session_length = length;
        memcpy(s->session, session, length);
        r->side->list_left = following;
        r->side->phase = PHASE_CIPHERS;
        return STEP_OK;
    }
    s->cipher = following;
    s->resumed =
        length > 0 && length == s->session_length && memcmp(session, s->session, length) == 0;
    r->side->phase = PHASE_COMPRESSION;
    return STEP_OK;
}

static enum step step_ciphers(struct reader *r)
{
    struct tls_state *s = r->state;
    uint16_t cipher;
    if (r->side->list_left % 2 != 0)
        return bad(r, EVENT_TLS_BAD_CLIENT_HELLO);
    while (r->side->list_left > 0) {
        enum step step = need_in_message(r, 2);
        if (step != STEP_OK)
            return step;
        struct cursor c = take(r, 2);
        r->side->list_left -= 2;
        if (cursor_u16(&c, &cipher))
            append(r, s->ciphers, &s->cipher_count, TLS_CIPHERS, cipher);
    }
    r->side->phase = PHASE_COMPRESSION;
    return STEP_OK;
}

/* A list for the client, one byte for the server. */
static enum step step_compression(struct reader *r)
{
    uint8_t methods = 0;
    enum step step = need_in_message(r, 1);
    if (step != STEP_OK)
        return step;
    struct cursor c = take(r, 1);
    cursor_u8(&c, &methods);
    r->side->phase = PHASE_EXTENSIONS;
    return r->client ? pass(r, methods) : STEP_OK;
}

static enum step step_extensions(struct reader *r)
{
    uint16_t total = 0;
    if (r->side->message_left > 0) {
        enum step step = need_in_message(r, 2);
        if (step != STEP_OK)
            return step;
        struct cursor c = take(r, 2);
        cursor_u16(&c, &total);
    }
    if (total != r->side->message_left)
        return bad(r, EVENT_TLS_BAD_EXTENSION);
    r->side->phase = PHASE_EXTENSION;
    return STEP_OK;
}

static enum step step_extension(struct reader *r)
{
    struct tls_state *s = r->state;
    uint16_t type = 0, length = 0;
    enum step step = need_in_message(r, 4);
    if (step != STEP_OK)
        return step;
    struct cursor c = take(r, 4);
    cursor_u16(&c, &type);
    cursor_u16(&c, &length);
    if (length > r->side->message_left)
        return bad(r, EVENT_TLS_BAD_EXTENSION);
    if (r->client) {
        append(r, s->extensions, &s->extension_count, TLS_EXTENSIONS, type);
        s->has_name = s->has_name || type == EXT_SERVER_NAME;
    } else {
        append(r, s->server_extensions, &s->ja3s_count, TLS_EXTENSIONS / 2, type);
        s->psk = s->psk || type == EXT_PRE_SHARED_KEY;
    }
    if (!is_read(r, type) || length > EXTENSION_HELD) {
        s->too_long = s->too_long || is_read(r, type);
        return pass(r, length);
    }
    r->side->extension = type;
    r->side->extension_length = length;
    r->side->phase = PHASE_BODY;
    return STEP_OK;
}

static enum step step_body(struct reader *r)
{
    enum step step = need_in_message(r, r->side->extension_length);
    if (step != STEP_OK)
        return step;
    struct cursor c = take(r, r->side->extension_length);
    r->side->phase = PHASE_EXTENSION;
    bool good = r->client ? read_client_extension(r, r->side->extension, c)
                          : read_server_extension(r, r->side->extension, c);
    if (!good)
        exchange_note(r->x, EVENT_TLS_BAD_EXTENSION); /* the others may still be well */
    return STEP_OK;
}

static bool hello_complete(const struct tls_side *side)
{
    return side->phase == PHASE_EXTENSION && side->message_left == 0;
}

static enum step read_hello(struct reader *r)
{
    static enum step (*const steps[])(struct reader *) = {
        step_header,      step_fixed,      step_session,   step_ciphers,
        step_compression, step_extensions, step_extension, step_body,
    };
    while (!hello_complete(r->side)) {
        enum step step = steps[r->side->phase](r);
        if (step != STEP_OK)
            return step;
    }
    return STEP_OK;
}

static void client_complete(struct reader *r)
{
    struct tls_state *s = r->state;
    s->client_read = true;
    if (s->too_long) {
        exchange_note(r->x, EVENT_TLS_HELLO_TOO_LONG);
        return;
    }
    ja3(s, s->ja3);
    ja4(s, s->ja4);
}

/* A retry is followed by the hello proper, which is read in its stead. */
static bool server_complete(struct reader *r)
{
    struct tls_state *s = r->state;
    if (s->retry && !s->retried) {
        s->retried = true;
        s->ja3s_count = 0;
        r->side->phase = PHASE_HEADER;
        r->side->fragments = 0;
        return false;
    }
    s->server_read = true;
    if (s->server_version >= 0x0304)
        s->resumed = s->psk;
    return true;
}

enum parse_result tls_parse(struct tls_state *s, const struct exchange *x)
{
    bool client = x->direction == x->client;
    struct reader r = {s, &s->side[client ? 0 : 1], x->stream[x->direction], x, client};
    if (r.side->finished) {
        stream_skip(r.stream, FOREVER);
        return PARSE_MORE;
    }
    enum step step = read_hello(&r);
    while (step == STEP_OK && !client && !server_complete(&r))
        step = read_hello(&r);
    if (step == STEP_MORE)
        return PARSE_MORE;
    r.side->finished = true;
    if (client && step == STEP_OK)
        client_complete(&r);
    stream_skip(r.stream, FOREVER);
    return client ? PARSE_MORE : PARSE_DONE;
}

static void put_version(struct record_writer *w, uint16_t version)
{
    static const char *const known[] = {"SSLv3", "TLSv10", "TLSv11", "TLSv12", "TLSv13"};
    char text[28] = "unknown-";
    if (version >= 0x0300 && version <= 0x0304)
        record_cstring(w, known[version & 7]);
    else if (version >> 8 == 0x7f) /* drafts of 1.3 */
        record_cstring(w, known[4]);
    else
        record_text(w, text, 8 + fact_number(text + 8, version));
}

static void put_digest(struct record_writer *w, const uint8_t digest[16])
{
    char text[32];
    hex_text(text, digest, 16);
    record_text(w, text, sizeof text);
}

void tls_end(struct tls_state *s, const struct exchange *x)
{
    struct record_writer w;
    uint8_t digest[16];
    bool chosen = s->server_alpn_length > 0, printed = s->client_read && !s->too_long;
    fact_begin(&w, x, 15, s->ts, x->client);
    if (s->server_read)
        put_version(&w, s->server_version);
    else
        record_cstring(&w, "");
    record_uint(&w, s->server_read ? s->cipher : 0);
    record_wire_text(&w, s->name, s->name_length, 4 * TLS_NAME);
    record_wire_text(&w, chosen ? s->server_alpn : s->alpn,
                     chosen ? s->server_alpn_length : s->alpn_length, 4 * TLS_ALPN);
    record_bool(&w, s->server_read && s->resumed);
    if (printed)
        put_digest(&w, s->ja3);
    else
        record_cstring(&w, "");
    if (s->server_read) {
        ja3s(s, digest);
        put_digest(&w, digest);
    } else {
        record_cstring(&w, "");
    }
    record_cstring(&w, printed ? s->ja4 : "");
    fact_put(&w, x, RECORD_TLS);
}
