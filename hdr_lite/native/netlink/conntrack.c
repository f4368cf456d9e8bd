/* nfnetlink_conntrack messages to what the meter wants to know (conntrack.h). */
#include "conntrack.h"

enum { /* linux/netfilter/nfnetlink_conntrack.h */
       SUBSYSTEM = 1,
       MESSAGE_NEW = SUBSYSTEM << 8 | 0,
       MESSAGE_GET = SUBSYSTEM << 8 | 1,
       MESSAGE_DELETE = SUBSYSTEM << 8 | 2,
       ENTRY_TUPLE_ORIG = 1,
       ENTRY_TUPLE_REPLY = 2,
       ENTRY_PROTOINFO = 4,
       ENTRY_COUNTERS_ORIG = 9,
       ENTRY_COUNTERS_REPLY = 10,
       ENTRY_ZONE = 18,
       ENTRY_TIMESTAMP = 20,
       TUPLE_IP = 1,
       TUPLE_PROTO = 2,
       IP_V4_SRC = 1,
       IP_V4_DST = 2,
       IP_V6_SRC = 3,
       IP_V6_DST = 4,
       PROTO_NUM = 1,
       PROTO_SRC_PORT = 2,
       PROTO_DST_PORT = 3,
       PROTO_ICMP_ID = 4,
       PROTO_ICMP_TYPE = 5,
       PROTO_ICMP_CODE = 6,
       PROTO_ICMPV6_ID = 7,
       PROTO_ICMPV6_TYPE = 8,
       PROTO_ICMPV6_CODE = 9,
       COUNTERS_PACKETS = 1,
       COUNTERS_BYTES = 2,
       PROTOINFO_TCP = 1,
       PROTOINFO_TCP_STATE = 1,
       TIMESTAMP_START = 1,
};

enum { /* linux/netfilter/nf_conntrack_tcp.h */
       TCP_SYN_RECV = 2,
       TCP_LAST_OPEN = 5, /* ESTABLISHED, FIN_WAIT, CLOSE_WAIT up to here */
       TCP_TIME_WAIT = 7,
       TCP_CLOSE = 8,
};

#define FLAG_REQUEST 1

struct tuple {
    uint8_t src[16], dst[16];
    uint16_t sport, dport; /* ICMP: the identifier in sport */
    uint8_t proto, icmp_type, icmp_code;
    bool has_src, has_dst, has_proto;
};

struct entry {
    struct tuple orig, reply;
    struct cursor raw_orig, raw_zone; /* as they came, to ask by */
    uint64_t packets[2], bytes[2], start;
    uint8_t family, tcp_state;
    bool has_orig, has_reply, counted[2];
};

/* Walk nested attributes; false when one is bad or refused. */
typedef bool attribute_taker(void *owner, uint16_t type, struct cursor value);

static bool each_attribute(struct cursor attributes, attribute_taker *take, void *owner)
{
    struct cursor value;
    uint16_t type;
    enum netlink_step step;
    while ((step = netlink_attribute(&attributes, &type, &value)) == NETLINK_TAKEN) {
        if (!take(owner, type, value))
            return false;
    }
    return step == NETLINK_END;
}

/* Tuples */

static bool take_v4(struct cursor value, uint8_t out[16])
{
    memset(out, 0, 10);
    out[10] = out[11] = 0xff;
    return value.left == 4 && cursor_bytes(&value, out + 12, 4);
}

static bool take_v6(struct cursor value, uint8_t out[16])
{
    return value.left == 16 && cursor_bytes(&value, out, 16);
}

static bool take_ip(void *owner, uint16_t type, struct cursor value)
{
    struct tuple *t = owner;
    switch (type) {
    case IP_V4_SRC:
        return t->has_src = take_v4(value, t->src);
    case IP_V4_DST:
        return t->has_dst = take_v4(value, t->dst);
    case IP_V6_SRC:
        return t->has_src = take_v6(value, t->src);
    case IP_V6_DST:
        return t->has_dst = take_v6(value, t->dst);
    default:
        return true;
    }
}

static bool take_proto(void *owner, uint16_t type, struct cursor value)
{
    struct tuple *t = owner;
    switch (type) {
    case PROTO_NUM:
        return t->has_proto = netlink_u8(value, &t->proto);
    case PROTO_SRC_PORT:
    case PROTO_ICMP_ID:
    case PROTO_ICMPV6_ID:
        return netlink_u16(value, &t->sport);
    case PROTO_DST_PORT:
        return netlink_u16(value, &t->dport);
    case PROTO_ICMP_TYPE:
    case PROTO_ICMPV6_TYPE:
        return netlink_u8(value, &t->icmp_type);
    case PROTO_ICMP_CODE:
    case PROTO_ICMPV6_CODE:
        return netlink_u8(value, &t->icmp_code);
    default:
        return true;
    }
}

static bool take_tuple_part(void *owner, uint16_t type, struct cursor value)
{
    if (type == TUPLE_IP)
        return each_attribute(value, take_ip, owner);
    return type == TUPLE_PROTO ? each_attribute(value, take_proto, owner) : true;
}

static bool take_tuple(struct cursor value, struct tuple *t)
{
    return each_attribute(value, take_tuple_part, t) && t->has_src && t->has_dst && t->has_proto;
}

/* Entries */

struct counts {
    uint64_t packets, bytes;
    bool has_packets, has_bytes;
};

static bool take_count(void *owner, uint16_t type, struct cursor value)
{
    struct counts *c = owner;
    if (type == COUNTERS_PACKETS)
        return c->has_packets = netlink_u64(value, &c->packets);
    return type == COUNTERS_BYTES ? (c->has_bytes = netlink_u64(value, &c->bytes)) : true;
}

static bool take_counts(struct entry *e, enum direction from, struct cursor value)
{
    struct counts c = {0, 0, false, false};
    if (!each_attribute(value, take_count, &c))
        return false;
    e->packets[from] = c.packets;
    e->bytes[from] = c.bytes;
    e->counted[from] = c.has_packets && c.has_bytes;
    return true;
}

static bool take_tcp(void *owner, uint16_t type, struct cursor value)
{
    struct entry *e = owner;
    return type == PROTOINFO_TCP_STATE ? netlink_u8(value, &e->tcp_state) : true;
}

static bool take_protoinfo(void *owner, uint16_t type, struct cursor value)
{
    return type == PROTOINFO_TCP ? each_attribute(value, take_tcp, owner) : true;
}

static bool take_timestamp(void *owner, uint16_t type, struct cursor value)
{
    struct entry *e = owner;
    return type == TIMESTAMP_START ? netlink_u64(value, &e->start) : true;
}

static bool take_entry_part(void *owner, uint16_t type, struct cursor value)
{
    struct entry *e = owner;
    switch (type) {
    case ENTRY_TUPLE_ORIG:
        e->raw_orig = value;
        return e->has_orig = take_tuple(value, &e->orig);
    case ENTRY_TUPLE_REPLY:
        return e->has_reply = take_tuple(value, &e->reply);
    case ENTRY_PROTOINFO:
        return each_attribute(value, take_protoinfo, e);
    case ENTRY_COUNTERS_ORIG:
        return take_counts(e, ORIG, value);
    case ENTRY_COUNTERS_REPLY:
        return take_counts(e, RESP, value);
    case ENTRY_TIMESTAMP:
        return each_attribute(value, take_timestamp, e);
    case ENTRY_ZONE:
        e->raw_zone = value;
        return value.left == 2;
    default:
        return true;
    }
}

static bool parse(struct cursor body, struct entry *e)
{
    memset(e, 0, sizeof *e);
    if (!cursor_u8(&body, &e->family) || !cursor_skip(&body, 3) ||
        !each_attribute(body, take_entry_part, e))
        return false;
    return e->has_orig && e->has_reply && e->orig.proto == e->reply.proto;
}

/* Connections of the device with itself, which are not watched. */
static bool is_loopback(const struct tuple *t)
{
    static const uint8_t V4[13] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    static const uint8_t V6[16] = {[15] = 1};
    return memcmp(t->src, t->dst, 16) == 0 || memcmp(t->src, V4, sizeof V4) == 0 ||
           memcmp(t->src, V6, sizeof V6) == 0;
}

static bool is_icmp(uint8_t proto)
{
    return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMP6;
}

static uint32_t saturated(uint64_t value)
{
    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static void set_outside(struct tracked *news, const uint8_t address[16], uint16_t port)
{
    memcpy(news->outside, address, 16);
    news->outside_port = port;
    news->translated = true;
}

/* Seen from the inside: the opener by its own address, the other by the one that answers. */
static void to_news(const struct entry *e, int64_t shift, struct tracked *news)
{
    const struct tuple *o = &e->orig, *r = &e->reply;
    uint16_t back = is_icmp(o->proto) ? r->sport : r->dport; /* where replies go */
    memset(news, 0, sizeof *news);
    memcpy(news->key.src, o->src, 16);
    memcpy(news->key.dst, r->src, 16);
    news->key.proto = o->proto;
    if (is_icmp(o->proto)) {
        news->icmp_id = o->sport;
        news->icmp_type = o->icmp_type;
        news->icmp_code = o->icmp_code;
    } else {
        news->key.sport = o->sport;
        news->key.dport = r->sport;
    }
    if (memcmp(r->dst, o->src, 16) != 0 || back != o->sport)
        set_outside(news, r->dst, back);
    else if (memcmp(o->dst, r->src, 16) != 0 || (!is_icmp(o->proto) && o->dport != r->sport))
        set_outside(news, o->dst, o->dport);
    news->counted = e->counted[ORIG] && e->counted[RESP];
    for (unsigned i = 0; i < 2; i++) {
        news->packets[i] = saturated(e->packets[i]);
        news->bytes[i] = e->bytes[i];
    }
    if (e->start > 0 && e->start < UINT64_MAX / 4)
        news->start = e->start + (uint64_t)shift;
}

/* Questions */

static void put_host(uint8_t *at, const void *value, uint32_t bytes)
{
    memcpy(at, value, bytes);
}

static uint32_t put_attribute(uint8_t *at, uint16_t type, struct cursor value)
{
    uint16_t length = (uint16_t)(value.left + 4);
    put_host(at, &length, 2);
    put_host(at + 2, &type, 2);
    (void)cursor_bytes(&value, at + 4, value.left);
    return (length + 3u) & ~3u;
}

/* The question about an entry: a request with the tuple that the kernel itself gave. */
static void write_query(struct conntrack_query *q, const struct entry *e)
{
    uint16_t type = MESSAGE_GET, flags = FLAG_REQUEST;
    uint32_t sequence = CONNTRACK_ASKED;
    memset(q->bytes, 0, sizeof q->bytes);
    q->length = 20;
    q->bytes[16] = e->family;
    q->length += put_attribute(q->bytes + q->length, ENTRY_TUPLE_ORIG | 0x8000, e->raw_orig);
    if (e->raw_zone.left > 0)
        q->length += put_attribute(q->bytes + q->length, ENTRY_ZONE, e->raw_zone);
    put_host(q->bytes, &q->length, 4);
    put_host(q->bytes + 4, &type, 2);
    put_host(q->bytes + 6, &flags, 2);
    put_host(q->bytes + 8, &sequence, 4);
}

/* The packets before this news may not have been read yet. So a flow of which all seems to be seen
 * is asked about as well, while there is plenty of room. */
static void ask_later(struct conntrack *c, const struct entry *e, const struct tracked *news,
                      bool partial, uint64_t now)
{
    if (20 + 4 + e->raw_orig.left + 4 + 8 > CONNTRACK_QUERY)
        return; /* no tuple that we know is so long */
    if (c->waiting >= (partial ? CONNTRACK_QUERIES : CONNTRACK_QUERIES / 2))
        return; /* the next poll or its end tells */
    struct conntrack_query *q = &c->queries[(c->first + c->waiting) % CONNTRACK_QUERIES];
    write_query(q, e);
    q->news = *news;
    q->news.counted = false;
    q->due = now + c->delay;
    c->waiting++;
}

uint32_t conntrack_due(struct conntrack *c, struct meter *m, uint64_t now, uint8_t *out,
                       uint32_t size)
{
    uint32_t used = 0;
    while (c->waiting > 0) {
        const struct conntrack_query *q = &c->queries[c->first];
        bool hurry = c->waiting > CONNTRACK_QUERIES / 2;
        if ((q->due > now && !hurry) || q->length > size - used)
            break;
        c->first = (c->first + 1) % CONNTRACK_QUERIES;
        c->waiting--;
        if (meter_conntrack(m, &q->news, TRACKED_COUNTS, now) != TRACKED_PARTIAL)
            continue;
        memcpy(out + used, q->bytes, q->length);
        used += q->length;
        c->counters.asked++;
    }
    return used;
}

/* Messages */

static bool is_worth_following(const struct entry *e)
{
    return e->orig.proto != IP_PROTO_TCP ||
           (e->tcp_state >= TCP_SYN_RECV && e->tcp_state <= TCP_LAST_OPEN);
}

static bool fits(const struct conntrack_route *route, const uint8_t address[16])
{
    unsigned whole = route->bits / 8, rest = route->bits % 8;
    if (memcmp(route->network, address, whole) != 0)
        return false;
    return rest == 0 || (route->network[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool is_watched(const struct conntrack *c, const uint8_t address[16])
{
    for (uint32_t i = 0; i < c->routed; i++) {
        if (fits(&c->routes[i], address))
            return c->routes[i].watched;
    }
    return false;
}

static enum tracked_news kind_of(const struct conntrack *c, const struct netlink_message *message,
                                 const struct entry *e)
{
    if (message->type == MESSAGE_DELETE)
        return TRACKED_END;
    if (message->sequence == CONNTRACK_OLDER && is_worth_following(e) &&
        (c->routed == 0 || is_watched(c, e->orig.src) || is_watched(c, e->reply.src)))
        return TRACKED_OLDER;
    return TRACKED_COUNTS;
}

static void count_entry(struct conntrack *c, const struct netlink_message *message)
{
    bool dump = message->sequence == CONNTRACK_OLDER || message->sequence == CONNTRACK_POLL;
    if (dump)
        c->counters.polled++;
    else if (message->sequence == CONNTRACK_ASKED)
        c->counters.answers++;
    else
        c->counters.events++;
}

static void take_entry(struct conntrack *c, struct meter *m, const struct netlink_message *message,
                       struct nflog_time time)
{
    struct entry e;
    struct tracked news;
    if (!parse(message->body, &e)) {
        c->counters.malformed++;
        return;
    }
    count_entry(c, message);
    if (is_loopback(&e.orig))
        return;
    to_news(&e, time.shift, &news);
    enum tracked_flow flow = meter_conntrack(m, &news, kind_of(c, message, &e), time.now);
    bool closed = e.tcp_state == TCP_TIME_WAIT || e.tcp_state == TCP_CLOSE;
    if (closed && message->type == MESSAGE_NEW && message->sequence == CONNTRACK_EVENT)
        ask_later(c, &e, &news, flow == TRACKED_PARTIAL, time.now);
}

/* An entry that is gone when it is asked about is no news: its end was told. */
static void take_error(struct conntrack *c, const struct netlink_message *message)
{
    int code = 0;
    if (!netlink_error(message, &code))
        c->counters.malformed++;
    else if (code != 0 && message->sequence != CONNTRACK_ASKED)
        c->counters.refused++;
    else if (code == -1) /* EPERM */
        c->counters.refused++;
}

static void count_dump(struct conntrack *c, const struct netlink_message *message)
{
    c->counters.dumps++;
    c->counters.older += message->sequence == CONNTRACK_OLDER;
}

void conntrack_init(struct conntrack *c, uint64_t delay)
{
    memset(c, 0, sizeof *c);
    c->delay = delay;
}

bool conntrack_add_route(struct conntrack *c, const struct conntrack_route *route)
{
    if (c->routed == CONNTRACK_ROUTES || route->bits > 128)
        return false;
    c->routes[c->routed++] = *route;
    return true;
}

unsigned conntrack_take(struct conntrack *c, struct meter *m, struct cursor datagram,
                        struct nflog_time time)
{
    struct netlink_message message;
    enum netlink_step step;
    unsigned taken = 0;
    while ((step = netlink_message(&datagram, &message)) == NETLINK_TAKEN) {
        taken++;
        if (message.type == MESSAGE_NEW || message.type == MESSAGE_DELETE)
            take_entry(c, m, &message, time);
        else if (message.type == NETLINK_ERROR)
            take_error(c, &message);
        else if (message.type == NETLINK_DONE)
            count_dump(c, &message);
    }
    c->counters.malformed += step == NETLINK_BAD;
    return taken;
}
