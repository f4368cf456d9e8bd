/* What sizes tell.
 *
 * After the key exchange the client asks for the user authentication service and
 * the server accepts: a message of 17 bytes. The reply that lets a user in,
 * SSH_MSG_USERAUTH_SUCCESS, is one byte long. With padding to blocks of 8 or 16
 * bytes of at least 4, with or without the length field inside, that is always 16
 * bytes less than the acceptance under the same cipher (Zeek's analyzer rests on
 * the same); 8 less where a server, dropbear, sends no packet of less than 16 bytes
 * and the cipher (ChaCha20) keeps the length outside. Every other reply to a request
 * is a failure if it is as small as the smallest so far; larger ones are banners, keys
 * that the server would accept, and questions of keyboard-interactive.
 *
 * Many clients begin with the method "none" to learn what there is. That is the
 * first and smallest request, refused at once; passwords are refused after a
 * delay, or are longer. Requests that look like it are not attempts, unless nothing
 * else comes.
 *
 * That is the account at the end. A word on a login is told as it is said, too, and
 * then more strictly: whom it stops did no harm if it is wrong (is_refused). No refusal
 * is told of what is refused at once, as "none" is, or is long enough for a key and is
 * answered as quickly as keys are; nor a reply that is not of the size of a refusal.
 * That size is told by the refusal of "none", unless extensions came with it (OpenSSH
 * since 9.6).
 */
#include "parse_ssh.h"

#define PACKET_LONGEST 65536u /* of the key exchange; RFC 4253, 6.1 asks for 35000 */
#define LINES_MAX 16u         /* what a server may say before its identification */
#define SUCCESS_LESS 16u      /* acceptance less success */
#define FILLED_LESS 8u        /* the same with dropbear's shortest packet: no refusal is so short */
#define PROBE_MORE 48u        /* the longest "none" request above the service request */
#define SLOW 500000000u       /* ns: a failure that took so long was checked by somebody */
#define SESSION_BYTES 4290u   /* Slips': more encrypted bytes than this are a session */
#define LIST_MORE 72u       /* the longest refusal, with a list of methods, above the acceptance */
#define KEY_MORE 88u        /* the shortest question for a key above the service request */
#define AT_ONCE 100000000u  /* ns: "none" is refused within that and a round trip */
#define CHECKED 1000000000u /* ns: no server thinks about a key for so long */
#define FOREVER (UINT64_MAX / 2)

enum phase { PHASE_IDENTIFICATION, PHASE_PACKETS, PHASE_ENCRYPTED, PHASE_LOST };
enum dialogue_phase { WAIT_SERVICE, WAIT_ACCEPT, WAIT_REQUEST, WAIT_REPLY };
enum { MESSAGE_NEWKEYS = 21 };

void ssh_begin(struct ssh_state *s)
{
    memset(s, 0, sizeof *s);
}

static struct ssh_side *side_of(struct ssh_state *s, const struct exchange *x)
{
    return &s->side[x->direction == x->client ? 0 : 1];
}

bool ssh_encrypted(const struct ssh_state *s, const struct exchange *x)
{
    return s->side[x->direction == x->client ? 0 : 1].phase == PHASE_ENCRYPTED;
}

/* "SSH-1.99-" means that both versions are spoken. */
static void take_version(struct ssh_state *s, struct cursor line)
{
    if (cursor_starts(&line, "SSH-2.", 6) || cursor_starts(&line, "SSH-1.99", 8))
        s->version = s->version == 1 ? 1 : 2;
    else
        s->version = 1;
}

static void identification(struct ssh_state *s, const struct exchange *x, struct ssh_side *side,
                           struct cursor line)
{
    if (!cursor_starts(&line, "SSH-", 4) && side == &s->side[1] && ++side->lines < LINES_MAX)
        return;
    if (!cursor_starts(&line, "SSH-", 4) || line.left > SSH_IDENTIFICATION) {
        exchange_note(x, EVENT_SSH_BAD_IDENTIFICATION);
        side->phase = PHASE_LOST;
        return;
    }
    take_version(s, line);
    side->length = (uint8_t)line.left;
    cursor_bytes(&line, side->text, side->length);
    side->phase = s->version == 1 ? PHASE_LOST : PHASE_PACKETS;
}

static bool parse_line(struct ssh_state *s, const struct exchange *x, struct ssh_side *side)
{
    struct stream *stream = x->stream[x->direction];
    struct cursor line = stream_view(stream);
    uint32_t taken = line.left;
    enum stream_line found = stream_find_line(stream, &line, &taken);
    if (found == LINE_MORE && line.left <= SSH_IDENTIFICATION)
        return false;
    stream_skip(stream, taken);
    if (found == LINE_FOUND) {
        identification(s, x, side, line);
        return true;
    }
    exchange_note(x, EVENT_SSH_BAD_IDENTIFICATION);
    side->phase = PHASE_LOST;
    return true;
}

/* A packet of the key exchange: only its length and its number are looked at. */
static bool parse_packet(const struct exchange *x, struct ssh_side *side)
{
    struct stream *stream = x->stream[x->direction];
    struct cursor c = stream_view(stream);
    uint32_t length;
    uint8_t padding, message;
    if (!cursor_u32(&c, &length) || !cursor_u8(&c, &padding) || !cursor_u8(&c, &message))
        return false;
    if (length < 2u + padding || length > PACKET_LONGEST) {
        exchange_note(x, EVENT_SSH_BAD_PACKET);
        side->phase = PHASE_LOST;
        return true;
    }
    stream_skip(stream, 4 + (uint64_t)length);
    if (message == MESSAGE_NEWKEYS) {
        side->phase = PHASE_ENCRYPTED;
        side->next = stream_next(stream);
    }
    return true;
}

/* A client has new keys once the server had sent its own, perhaps in what was not captured: those
 * of servers stand behind their key and its signature, in one segment. */
static void follow_client(struct ssh_state *s, const struct exchange *x)
{
    struct ssh_side *server = &s->side[1];
    if (s->side[0].phase != PHASE_ENCRYPTED || server->phase != PHASE_PACKETS)
        return;
    server->phase = PHASE_ENCRYPTED;
    server->next = x->flow->side[1 - x->client].next_seq;
}

void ssh_cut(struct ssh_state *s, const struct exchange *x, const struct segment *segment)
{
    struct stream *stream = x->stream[x->direction];
    int32_t unseen = (int32_t)(segment->seq + segment->length - stream_next(stream));
    if (side_of(s, x)->phase == PHASE_PACKETS && unseen > 0 && (uint32_t)unseen <= segment->length)
        stream_skip(stream, (uint32_t)unseen);
}

enum parse_result ssh_parse(struct ssh_state *s, const struct exchange *x)
{
    struct ssh_side *side = side_of(s, x);
    bool moved = true;
    while (moved && side->phase <= PHASE_PACKETS)
        moved = side->phase == PHASE_PACKETS ? parse_packet(x, side) : parse_line(s, x, side);
    if (side->phase >= PHASE_ENCRYPTED)
        stream_skip(x->stream[x->direction], FOREVER);
    follow_client(s, x);
    return PARSE_MORE;
}

/* The request under way was answered, and not by letting in. */
static void settle(struct ssh_dialogue *d, bool last)
{
    if (d->first == 0)
        d->first = d->request;
    d->smaller = d->smaller || d->request < d->first;
    if (!last && d->failure != 0 && d->reply > d->failure)
        return;
    if (d->failure == 0 || d->reply < d->failure)
        d->failure = d->reply;
    if (d->request == d->first && d->delay < SLOW)
        d->alike++;
    else
        d->others++;
}

static uint64_t since(uint64_t then, uint64_t now)
{
    return now > then ? now - then : 0;
}

static void from_client(struct ssh_dialogue *d, uint32_t size, uint64_t now)
{
    switch (d->phase) {
    case WAIT_SERVICE:
    case WAIT_ACCEPT:
        d->service = size;
        d->asked = now;
        d->phase = WAIT_ACCEPT;
        return;
    case WAIT_REPLY:
        if (d->reply == 0) { /* goes on in another segment */
            d->request += size;
            return;
        }
        settle(d, false);
        break;
    default:
        break;
    }
    d->request = size;
    d->reply = 0;
    d->asked = now;
    d->pause = since(d->answered, now);
    d->refused = false;
    d->phase = WAIT_REPLY;
}

/* Was what the client asked refused, and was it a password? */
static bool is_refused(struct ssh_dialogue *d)
{
    bool plain = d->reply <= d->accept + LIST_MORE;
    uint64_t thought = since(d->round, d->delay);
    if (d->first == 0 && d->request <= d->service + PROBE_MORE && thought < AT_ONCE) {
        d->refusal = plain ? d->reply : 0;
        return false;
    }
    if (d->refusal == 0 && plain)
        d->refusal = d->reply;
    bool key = d->request >= d->service + KEY_MORE && thought < CHECKED;
    return d->reply == d->refusal && !key;
}

static void tell_login(const struct ssh_state *s, const struct exchange *x)
{
    struct record_writer w;
    if (!record_wanted(x->context->sink, RECORD_SSH_LOGIN))
        return;
    fact_begin(&w, x, 12, x->now, x->client);
    record_wire_text(&w, s->side[0].text, s->side[0].length, 4 * SSH_IDENTIFICATION);
    record_bool(&w, s->dialogue.success);
    record_uint(&w, s->dialogue.pause);
    record_bool(&w, x->flow->handshake);
    record_mac_if(&w, x->flow->side[x->client].mac, x->flow->has_mac);
    fact_put(&w, x, RECORD_SSH_LOGIN);
}

/* A reply has come: tell what it says of the login, once for each request. */
static void take_word(struct ssh_state *s, const struct exchange *x)
{
    struct ssh_dialogue *d = &s->dialogue;
    if (d->refused || d->told + (d->success ? 0u : 1u) >= LOGINS_TOLD)
        return;
    d->refused = !d->success && is_refused(d);
    if (!d->refused && !d->success)
        return;
    d->told++;
    tell_login(s, x);
}

/* True when it replies to a request. */
static bool from_server(struct ssh_dialogue *d, uint32_t size, uint64_t now)
{
    d->answered = now;
    switch (d->phase) {
    case WAIT_ACCEPT:
        d->accept = size;
        d->round = since(d->asked, now);
        d->phase = WAIT_REQUEST;
        return false;
    case WAIT_REPLY:
        d->success = size + SUCCESS_LESS == d->accept || size + FILLED_LESS == d->accept;
        if (d->reply == 0)
            d->delay = since(d->asked, now);
        d->reply = size;
        return true;
    default: /* extensions told before the client has asked for anything (RFC 8308) */
        return false;
    }
}

void ssh_segment(struct ssh_state *s, const struct exchange *x, const struct segment *segment)
{
    struct ssh_side *side = side_of(s, x);
    int32_t fresh = (int32_t)(segment->seq + segment->length - side->next);
    if (fresh <= 0)
        return;
    uint32_t size = (uint32_t)fresh < segment->length ? (uint32_t)fresh : segment->length;
    side->next = segment->seq + segment->length;
    side->bytes += size;
    if (s->dialogue.success)
        return;
    if (side == &s->side[0])
        from_client(&s->dialogue, size, x->now);
    else if (from_server(&s->dialogue, size, x->now))
        take_word(s, x);
}

static uint32_t attempts(const struct ssh_dialogue *d)
{
    uint32_t let_in = d->success ? 1 : 0;
    if (d->others > 0 && !d->smaller)
        return d->others + let_in;
    if (d->others == 0 && d->alike == 1 && (d->first <= d->service + PROBE_MORE || d->success))
        return let_in;
    return d->others + d->alike + let_in;
}

static void put_success(struct record_writer *w, const struct ssh_state *s, uint32_t tried)
{
    bool session = s->dialogue.accept == 0 && s->side[0].bytes + s->side[1].bytes > SESSION_BYTES;
    if (s->dialogue.success || session)
        record_bool(w, true);
    else if (tried > 0)
        record_bool(w, false);
    else
        record_nil(w);
}

void ssh_end(struct ssh_state *s, const struct exchange *x)
{
    struct record_writer w;
    const struct flow *flow = x->flow;
    const struct flow_side *client = &flow->side[x->client], *server = &flow->side[1 - x->client];
    struct ssh_dialogue *d = &s->dialogue;
    if (!record_wanted(x->context->sink, RECORD_SSH))
        return;
    if (d->phase == WAIT_REPLY && d->reply != 0 && !d->success)
        settle(d, true);
    uint32_t tried = attempts(d);
    fact_begin(&w, x, 19, flow->start, x->client);
    record_uint(&w, s->version);
    record_wire_text(&w, s->side[0].text, s->side[0].length, 4 * SSH_IDENTIFICATION);
    record_wire_text(&w, s->side[1].text, s->side[1].length, 4 * SSH_IDENTIFICATION);
    put_success(&w, s, tried);
    record_uint(&w, tried);
    record_uint(&w, flow->last - flow->start);
    record_uint(&w, client->payload_bytes);
    record_uint(&w, server->payload_bytes);
    record_uint(&w, client->packets);
    record_uint(&w, server->packets);
    record_bool(&w, flow->handshake);
    record_mac_if(&w, client->mac, flow->has_mac);
    fact_put(&w, x, RECORD_SSH);
}
