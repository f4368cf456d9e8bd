/* Which protocol a flow speaks, and the pool of slots for those that are read.
 *
 * A flow costs nothing until its first payload, and nothing after it when no parser
 * wants it. UDP flows need no slot: flow->application heads their list of pending
 * DNS questions. TCP flows have a slot while a parser reads them; slots are kept in
 * the order of use, so that the one longest silent is taken when none is free.
 */
#include "application_internal.h"

#include "parse_dns.h"
#include "parse_http.h"
#include "parse_ssh.h"
#include "parse_tls.h"

/* flow->application of a TCP flow that nobody reads any more. */
#define DONE UINT32_MAX
/* How far behind the first byte others may come while that is on its way. */
#define REORDERED 65536u

struct slot {
    struct flow *flow;
    uint32_t older, newer; /* by use; index + 1, 0 none; newer also links free slots */
    uint8_t service;       /* enum service; SERVICE_UNKNOWN: not yet detected */
    uint8_t client;        /* enum direction */
    bool open[2];          /* the direction's stream has begun */
    struct stream stream[2];
    union {
        uint32_t dns; /* head of its questions */
        struct http_state http;
        struct tls_state tls;
        struct ssh_state ssh;
    } state;
};

struct application_pool {
    struct application_context context;
    struct dns_table *dns;
    struct slot *slot;
    uint32_t slots, fresh, spare, oldest, newest;
    uint64_t evicted;
};

enum verdict { VERDICT_NO, VERDICT_PERHAPS, VERDICT_YES };

struct detection {
    enum verdict verdict;
    enum service service;
    bool from_server;   /* what was seen is an answer */
    bool client_silent; /* TLS: a hello in SSLv2's form, which is not read */
};

const char *service_name(enum service service)
{
    static const char *const names[] = {"", "dns", "http", "ssl", "ssh"};
    return names[service];
}

/* Memory. */

static uint64_t rounded(uint64_t bytes)
{
    return (bytes + 15) & ~UINT64_C(15);
}

uint64_t application_pool_bytes(uint32_t slots)
{
    return rounded(sizeof(struct application_pool)) + slots * rounded(sizeof(struct slot)) +
           rounded(dns_table_bytes(slots));
}

struct application_pool *application_pool_init(void *memory, uint32_t slots,
                                               struct application_context context)
{
    uint8_t *at = memory;
    struct application_pool *pool = memory;
    memset(pool, 0, sizeof *pool);
    pool->context = context;
    pool->slots = slots;
    at += rounded(sizeof *pool);
    pool->dns = dns_table_init(at, slots);
    at += rounded(dns_table_bytes(slots));
    pool->slot = (struct slot *)(void *)at;
    return pool;
}

uint64_t application_evicted(const struct application_pool *pool)
{
    return pool->evicted;
}

/* What parsers share. */

void fact_begin(struct record_writer *w, const struct exchange *x, unsigned fields, uint64_t ts,
                enum direction asker)
{
    const struct flow_key *key = &x->flow->key;
    char uid[24];
    bool straight = asker == ORIG;
    flow_uid(x->flow, x->context->secret, uid);
    record_begin(w, x->context->scratch, RECORD_MAX, fields);
    record_uint(w, ts);
    record_cstring(w, uid);
    record_address(w, straight ? key->src : key->dst);
    record_uint(w, straight ? key->sport : key->dport);
    record_address(w, straight ? key->dst : key->src);
    record_uint(w, straight ? key->dport : key->sport);
    record_cstring(w, key->proto == IP_PROTO_UDP ? "udp" : "tcp");
}

void fact_put(const struct record_writer *w, const struct exchange *x, enum record_kind kind)
{
    const struct record_sink *sink = x->context->sink;
    uint32_t length = record_finish(w);
    if (length > 0)
        sink->put(sink->owner, kind, x->now, x->context->scratch, length);
}

unsigned fact_number(char *out, uint64_t value)
{
    char reversed[20];
    unsigned n = 0;
    do {
        reversed[n++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (unsigned i = 0; i < n; i++)
        out[i] = reversed[n - 1 - i];
    return n;
}

/* Detection by first bytes. */

static struct detection no_protocol(enum verdict verdict)
{
    struct detection none = {verdict, SERVICE_UNKNOWN, false, false};
    return none;
}

/* A handshake record with a hello (RFC 8446, 5.1), or a hello in SSLv2's form (RFC 5246, E.2). */
static struct detection detect_tls(struct cursor c)
{
    struct detection found = {VERDICT_YES, SERVICE_TLS, false, false};
    uint8_t b[6] = {0};
    uint32_t n = c.left < sizeof b ? c.left : (uint32_t)sizeof b;
    cursor_bytes(&c, b, n);
    bool record = b[0] == 22 && (n < 2 || b[1] == 3) && (n < 3 || b[2] <= 4) &&
                  (n < 6 || b[5] == 1 || b[5] == 2);
    bool old = b[0] >= 0x80 && b[0] < 0xc0 && (n < 3 || b[2] == 1) &&
               (n < 4 || b[3] == 3 || b[3] == 0) && (n < 5 || (b[3] == 3 ? b[4] <= 4 : b[4] == 2));
    if (!record && !old)
        return no_protocol(VERDICT_NO);
    if (n < sizeof b)
        return no_protocol(VERDICT_PERHAPS);
    found.from_server = record && b[5] == 2;
    found.client_silent = old;
    return found;
}

static struct detection detect_http(struct cursor c)
{
    struct detection found = {VERDICT_YES, SERVICE_HTTP, false, false};
    switch (http_detect(c)) {
    case HTTP_NO:
        return no_protocol(VERDICT_NO);
    case HTTP_PERHAPS:
        return no_protocol(VERDICT_PERHAPS);
    case HTTP_RESPONSE:
        found.from_server = true;
        return found;
    default:
        return found;
    }
}

static struct detection detect_ssh(struct cursor c)
{
    struct detection found = {VERDICT_YES, SERVICE_SSH, false, false};
    uint32_t n = c.left < 4 ? c.left : 4;
    if (!cursor_starts(&c, "SSH-", n))
        return no_protocol(VERDICT_NO);
    return n == 4 ? found : no_protocol(VERDICT_PERHAPS);
}

/* DNS has no mark of its own: the port and a header that makes sense. */
static struct detection detect_dns(struct cursor c, const struct flow_key *key)
{
    struct detection found = {VERDICT_YES, SERVICE_DNS, false, false};
    uint16_t length;
    if (!dns_port(key))
        return no_protocol(VERDICT_NO);
    if (c.left < 14)
        return no_protocol(VERDICT_PERHAPS);
    if (!cursor_u16(&c, &length) || length < 12 || !dns_plausible(c))
        return no_protocol(VERDICT_NO);
    return found;
}

static struct detection detect(struct cursor c, const struct flow_key *key)
{
    struct detection found[4];
    bool perhaps = false;
    if (c.left == 0)
        return no_protocol(VERDICT_PERHAPS);
    found[0] = detect_tls(c);
    found[1] = detect_http(c);
    found[2] = detect_ssh(c);
    found[3] = detect_dns(c, key);
    for (unsigned i = 0; i < 4; i++) {
        if (found[i].verdict == VERDICT_YES)
            return found[i];
        perhaps = perhaps || found[i].verdict == VERDICT_PERHAPS;
    }
    return no_protocol(perhaps ? VERDICT_PERHAPS : VERDICT_NO);
}

static bool service_wanted(const struct application_pool *pool, enum service service)
{
    static const uint32_t kinds[] = {0, 1u << RECORD_DNS, 1u << RECORD_HTTP, 1u << RECORD_TLS,
                                     1u << RECORD_SSH | 1u << RECORD_SSH_LOGIN};
    return (pool->context.sink->wanted & kinds[service]) != 0;
}

/* Whether any record is wanted that a slot is needed for. */
static bool any_wanted(const struct application_pool *pool)
{
    return service_wanted(pool, SERVICE_DNS) || service_wanted(pool, SERVICE_HTTP) ||
           service_wanted(pool, SERVICE_TLS) || service_wanted(pool, SERVICE_SSH);
}

/* Slots. */

static struct slot *slot_at(struct application_pool *pool, uint32_t index)
{
    return &pool->slot[index - 1];
}

static void unlink_slot(struct application_pool *pool, uint32_t index)
{
    struct slot *slot = slot_at(pool, index);
    *(slot->older ? &slot_at(pool, slot->older)->newer : &pool->oldest) = slot->newer;
    *(slot->newer ? &slot_at(pool, slot->newer)->older : &pool->newest) = slot->older;
}

static void link_newest(struct application_pool *pool, uint32_t index)
{
    struct slot *slot = slot_at(pool, index);
    slot->older = pool->newest;
    slot->newer = 0;
    *(slot->older ? &slot_at(pool, slot->older)->newer : &pool->oldest) = index;
    pool->newest = index;
}

static struct exchange exchange_of(struct application_pool *pool, struct slot *slot,
                                   enum direction direction, uint64_t now)
{
    struct exchange x = {&pool->context, slot->flow,   {&slot->stream[0], &slot->stream[1]},
                         direction,      slot->client, now};
    return x;
}

/* Tell what is known and give the slot back. */
static void finish(struct application_pool *pool, uint32_t index, uint64_t now)
{
    struct slot *slot = slot_at(pool, index);
    struct exchange x = exchange_of(pool, slot, ORIG, now);
    switch (slot->service) {
    case SERVICE_DNS:
        dns_end(pool->dns, &x, &slot->state.dns);
        break;
    case SERVICE_HTTP:
        http_end(&slot->state.http, &x);
        break;
    case SERVICE_TLS:
        tls_end(&slot->state.tls, &x);
        break;
    case SERVICE_SSH:
        ssh_end(&slot->state.ssh, &x);
        break;
    default:
        break;
    }
    slot->flow->application = DONE;
    unlink_slot(pool, index);
    slot->newer = pool->spare;
    pool->spare = index;
}

/* The slot longest unused makes room. An HTTP connection may be taken up again later. */
static void evict(struct application_pool *pool, uint64_t now)
{
    struct slot *slot = slot_at(pool, pool->oldest);
    struct flow *flow = slot->flow;
    bool again = slot->service == SERVICE_HTTP;
    finish(pool, pool->oldest, now);
    pool->evicted++;
    if (again)
        flow->application = 0;
}

static uint32_t allocate(struct application_pool *pool, struct flow *flow, uint64_t now)
{
    uint32_t index;
    if (pool->spare == 0 && pool->fresh == pool->slots)
        evict(pool, now);
    if (pool->spare != 0) {
        index = pool->spare;
        pool->spare = slot_at(pool, index)->newer;
    } else {
        index = ++pool->fresh;
    }
    struct slot *slot = slot_at(pool, index);
    slot->flow = flow;
    slot->service = SERVICE_UNKNOWN;
    slot->client = ORIG;
    slot->open[ORIG] = slot->open[RESP] = false;
    link_newest(pool, index);
    flow->application = index;
    return index;
}

/* The TCP path. */

/* Set up for a protocol. False: nobody wants its records. */
static bool adopt(struct application_pool *pool, struct slot *slot, const struct detection *found,
                  enum direction direction, uint64_t now)
{
    slot->flow->service = (uint8_t)found->service;
    if (!service_wanted(pool, found->service))
        return false;
    slot->service = (uint8_t)found->service;
    slot->client = ORIG;
    if (found->service == SERVICE_HTTP || found->service == SERVICE_TLS)
        slot->client = (uint8_t)((direction == ORIG) == found->from_server ? RESP : ORIG);
    if (found->service == SERVICE_DNS)
        slot->state.dns = 0;
    else if (found->service == SERVICE_HTTP)
        http_begin(&slot->state.http);
    else if (found->service == SERVICE_TLS)
        tls_begin(&slot->state.tls, now, found->client_silent);
    else
        ssh_begin(&slot->state.ssh);
    return true;
}

static enum parse_result parse(struct application_pool *pool, struct slot *slot,
                               enum direction direction, uint64_t now)
{
    struct exchange x = exchange_of(pool, slot, direction, now);
    switch (slot->service) {
    case SERVICE_DNS:
        return dns_stream(pool->dns, &x, &slot->state.dns);
    case SERVICE_HTTP:
        return http_parse(&slot->state.http, &x);
    case SERVICE_TLS:
        return tls_parse(&slot->state.tls, &x);
    default:
        return ssh_parse(&slot->state.ssh, &x);
    }
}

/* Detect if need be, and parse what the direction has. False: the slot is not needed any more. */
static bool advance(struct application_pool *pool, struct slot *slot, enum direction direction,
                    uint64_t now)
{
    enum direction other = direction == ORIG ? RESP : ORIG;
    if (slot->service == SERVICE_UNKNOWN) {
        struct detection found = detect(stream_view(&slot->stream[direction]), &slot->flow->key);
        if (found.verdict != VERDICT_YES)
            return found.verdict == VERDICT_PERHAPS;
        if (!adopt(pool, slot, &found, direction, now))
            return false;
        if (slot->open[other] && parse(pool, slot, other, now) != PARSE_MORE)
            return false;
    }
    enum parse_result result = parse(pool, slot, direction, now);
    if (result != PARSE_AGAIN)
        return result == PARSE_MORE;
    struct exchange x = exchange_of(pool, slot, direction, now);
    http_end(&slot->state.http, &x); /* the one protocol that opens tunnels */
    slot->service = SERVICE_UNKNOWN;
    return true;
}

/* Bring a segment to its stream and to the parser, in as many parts as the window needs. */
static bool feed(struct application_pool *pool, struct slot *slot, enum direction direction,
                 const struct segment *segment, uint64_t now)
{
    struct stream *stream = &slot->stream[direction];
    for (;;) {
        bool more = stream_add(stream, segment, pool->context.events);
        if (!advance(pool, slot, direction, now))
            return false;
        if (!more)
            return true;
        if (stream_view(stream).left == STREAM_SIZE) /* nothing was taken, nothing fits */
            return false;
    }
}

static bool take_segment(struct application_pool *pool, struct slot *slot, enum direction direction,
                         const struct segment *segment, uint64_t now)
{
    struct exchange x = exchange_of(pool, slot, direction, now);
    bool ssh = slot->service == SERVICE_SSH;
    if (!ssh || !ssh_encrypted(&slot->state.ssh, &x)) {
        if (!feed(pool, slot, direction, segment, now))
            return false;
        ssh = slot->service == SERVICE_SSH;
    }
    if (ssh && ssh_encrypted(&slot->state.ssh, &x))
        ssh_segment(&slot->state.ssh, &x, segment);
    else if (ssh && segment->payload.left < segment->length)
        ssh_cut(&slot->state.ssh, &x, segment);
    bool ended = slot->open[ORIG] && slot->stream[ORIG].ended && slot->open[RESP] &&
                 slot->stream[RESP].ended;
    return ssh || !ended; /* an ssh connection's sizes are told at its end, whatever was missed */
}

/* Where the direction's stream begins: behind its SYN, or here when that was not seen or when so
 * much was lost (or came while nobody read) that the window cannot reach back. */
static uint32_t first_byte(const struct flow *flow, enum direction direction,
                           const struct segment *segment)
{
    const struct flow_side *side = &flow->side[direction];
    uint32_t expected = side->first_seq + 1;
    if (!(side->first_flags & TCP_SYN) || segment->seq - expected >= STREAM_SIZE)
        return segment->seq;
    return expected;
}

/* What a flow's first payloads are worth. */
enum worth { WORTH_NOTHING, WORTH_WAITING, WORTH_A_SLOT };

/* Whether bytes that are no protocol's settle the matter: not when the first ones are still on
 * their way, nor when they are the one byte of a keep-alive (RFC 9293, 3.8.4). */
static enum worth worth_of_others(const struct flow *flow, enum direction direction,
                                  const struct segment *segment)
{
    const struct flow_side *side = &flow->side[direction];
    bool began = side->first_flags & TCP_SYN;
    if (began && segment->seq - (side->first_seq + 1) - 1 < REORDERED)
        return WORTH_WAITING;
    return !began && segment->length == 1 ? WORTH_WAITING : WORTH_NOTHING;
}

static enum worth judge(struct application_pool *pool, struct flow *flow, enum direction direction,
                        const struct segment *segment)
{
    bool first = first_byte(flow, direction, segment) == segment->seq;
    struct detection found = {VERDICT_PERHAPS, SERVICE_UNKNOWN, false, false};
    if (first)
        found = detect(segment->payload, &flow->key);
    if (found.verdict == VERDICT_NO)
        return worth_of_others(flow, direction, segment);
    if (found.verdict == VERDICT_PERHAPS)
        return any_wanted(pool) ? WORTH_A_SLOT : WORTH_NOTHING;
    flow->service = (uint8_t)found.service;
    return service_wanted(pool, found.service) ? WORTH_A_SLOT : WORTH_NOTHING;
}

static void tcp_packet(struct application_pool *pool, struct flow *flow, enum direction direction,
                       const struct packet *packet)
{
    struct segment segment = {packet->tcp_seq, packet->payload_length, packet->payload};
    if (packet->tcp_flags & TCP_SYN)
        segment.seq++;
    if (flow->application == 0) {
        enum worth worth = judge(pool, flow, direction, &segment);
        if (worth == WORTH_NOTHING)
            flow->application = DONE;
        if (worth != WORTH_A_SLOT)
            return;
        allocate(pool, flow, packet->ts);
    }
    uint32_t index = flow->application;
    struct slot *slot = slot_at(pool, index);
    if (pool->newest != index) {
        unlink_slot(pool, index);
        link_newest(pool, index);
    }
    if (!slot->open[direction]) {
        stream_begin(&slot->stream[direction], first_byte(flow, direction, &segment));
        slot->open[direction] = true;
    }
    if (!take_segment(pool, slot, direction, &segment, packet->ts))
        finish(pool, index, packet->ts);
}

static void udp_packet(struct application_pool *pool, struct flow *flow, enum direction direction,
                       const struct packet *packet)
{
    struct exchange x = {&pool->context, flow, {NULL, NULL}, direction, ORIG, packet->ts};
    bool whole = packet->payload.left == packet->payload_length && !packet->fragment;
    if (dns_message(pool->dns, &x, &flow->application, packet->payload, whole))
        flow->service = SERVICE_DNS;
}

void application_packet(struct application_pool *pool, struct flow *flow, enum direction direction,
                        const struct packet *packet)
{
    if (packet->payload_length == 0)
        return;
    if (packet->proto == IP_PROTO_TCP) {
        if (flow->application != DONE)
            tcp_packet(pool, flow, direction, packet);
    } else if (packet->proto == IP_PROTO_UDP && dns_port(&flow->key)) {
        udp_packet(pool, flow, direction, packet);
    }
}

void application_end(struct application_pool *pool, struct flow *flow, uint64_t now)
{
    if (flow->key.proto == IP_PROTO_UDP) {
        struct exchange x = {&pool->context, flow, {NULL, NULL}, ORIG, ORIG, now};
        dns_end(pool->dns, &x, &flow->application);
    } else if (flow->application != 0 && flow->application != DONE) {
        finish(pool, flow->application, now);
    }
    flow->application = 0;
}
