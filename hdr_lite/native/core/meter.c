/* The meter (meter.h): finds or opens the packet's flow, keeps it, ends it, and tells.
 *
 * Work per packet is bounded: at most EXPIRE_PER_PACKET flows expire, SUMS_PER_PACKET sums
 * and FACTS_BURST bytes of facts are told, which one burst of the sink (RECORD_BURST) can
 * take; a flow that is met before its turn to expire is ended first, so that the lag changes
 * nothing.
 */
#include "meter.h"

#include "attempts.h"
#include "flow_record.h"
#include "tcp_state.h"

#define EXPIRE_PER_PACKET 4
#define SUMS_PER_PACKET 4
#define ABANDONED_WITHIN UINT64_C(3000000000) /* of its start */
#define CLOCK_STEP UINT64_C(1000000000)       /* tell the time at least so often */

#define ENTRY_SLACK UINT64_C(100000000) /* ns that two clocks of a packet may differ */

/* What parsers may tell, so that no packet can ask for more of the sink than a burst, nor for
 * much more of whoever reads the records than as many small packets would. */
#define FACTS_BURST (RECORD_BURST - 2 * RECORD_MAX) /* bytes; the rest is for flows and sums */
#define FACTS_PER_PACKET 32u                        /* and one for each... */
#define FACT_PAYLOAD 64u                            /* ...so many bytes of payload */

struct meter {
    struct meter_settings settings;
    struct record_sink sink;  /* the caller's */
    struct record_sink facts; /* the same, counting and bounded: what parsers are given */
    struct flow_table table;
    struct attempts *attempts;
    struct application_pool *applications;
    struct tracking *tracking; /* by slot of the table; NULL unless packets are sampled */
    bool sampled;              /* the present packet is one of a sample */
    struct meter_counters counters;
    struct events events;
    uint64_t now, told;                    /* the clock; when a record was last told */
    uint32_t facts_left, facts_bytes_left; /* of this packet */
    struct packet packet;
    uint8_t buffer[RECORD_MAX];
};

/* Records */

/* Whatever time the teller gives, the record's is the clock's, which never goes back. */
static bool count_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                      uint32_t length)
{
    struct meter *m = owner;
    (void)time;
    m->told = m->now;
    if (length > 0 && m->sink.put(m->sink.owner, kind, m->now, bytes, length)) {
        m->counters.records[kind]++;
        return true;
    }
    m->counters.dropped[kind]++;
    return false;
}

/* Where parsers put theirs: within the limits, which `suppressed` counts. */
static bool bounded_put(void *owner, enum record_kind kind, uint64_t time, const uint8_t *bytes,
                        uint32_t length)
{
    struct meter *m = owner;
    if (m->facts_left == 0 || m->facts_bytes_left < length) {
        m->counters.suppressed++;
        return false;
    }
    m->facts_left--;
    m->facts_bytes_left -= length;
    return count_put(owner, kind, time, bytes, length);
}

/* What follows may fill the sink with one burst more. */
static void begin_burst(struct meter *m)
{
    m->facts_left = UINT32_MAX; /* questions of flows that end: bounded by themselves */
    m->facts_bytes_left = FACTS_BURST;
}

static bool count_ready(void *owner)
{
    struct meter *m = owner;
    return m->sink.ready(m->sink.owner);
}

static void put(struct meter *m, enum record_kind kind, uint32_t length)
{
    (void)count_put(m, kind, m->now, m->buffer, length);
}

static bool wanted(const struct meter *m, enum record_kind kind)
{
    return record_wanted(&m->sink, kind);
}

static void tell_sum(struct meter *m, const struct attempts_sum *sum)
{
    if (wanted(m, RECORD_ATTEMPTS))
        put(m, RECORD_ATTEMPTS, flow_record_attempts(m->buffer, sum));
}

static void tell_clock(struct meter *m)
{
    if (!wanted(m, RECORD_CLOCK))
        return;
    struct record_writer w;
    record_begin(&w, m->buffer, sizeof m->buffer, 1);
    record_uint(&w, m->now);
    put(m, RECORD_CLOCK, record_finish(&w));
}

/* Fates and ends */

static bool is_icmp(uint8_t proto)
{
    return proto == IP_PROTO_ICMP || proto == IP_PROTO_ICMP6;
}

static void attempt_of(struct attempt *attempt, const struct flow *flow)
{
    memset(attempt, 0, sizeof *attempt);
    memcpy(attempt->src, flow->key.src, 16);
    memcpy(attempt->dst, flow->key.dst, 16);
    memcpy(attempt->mac, flow->side[ORIG].mac, 6);
    attempt->port = is_icmp(flow->key.proto) ? flow->icmp_code : flow->key.dport;
    attempt->interface = flow->interface;
    attempt->proto = flow->key.proto;
    attempt->flags = is_icmp(flow->key.proto) ? flow->icmp_type : flow->side[ORIG].first_flags;
}

/* The fate is known; a failure may vanish into a sum. */
static void settle(struct meter *m, struct flow *flow, enum flow_fate fate, uint8_t reply)
{
    flow->fate = (uint8_t)fate;
    if (!flow->attempt)
        return;
    struct attempt attempt;
    attempt_of(&attempt, flow);
    if (fate == FATE_ANSWERED) {
        attempts_answer(m->attempts, &attempt);
    } else {
        flow->folded = attempts_fail(m->attempts, &attempt, fate == FATE_REFUSED, m->now);
    }
    if (!flow->folded && wanted(m, RECORD_FATE))
        put(m, RECORD_FATE, flow_record_fate(m->buffer, flow, m->settings.secret, reply));
}

/* Nothing came within the time. A segment in the middle of a connection of which we see one
 * side only is no attempt: it carries data, or acknowledges more and more. */
static void settle_unanswered(struct meter *m, struct flow *flow)
{
    const struct flow_side *orig = &flow->side[ORIG];
    bool tcp = flow->key.proto == IP_PROTO_TCP;
    bool probe = !tcp || (orig->first_flags & TCP_SYN) ||
                 (orig->payload_bytes == 0 && orig->packets <= 3 && flow->side[RESP].packets == 0);
    if (!probe)
        flow->attempt = false;
    settle(m, flow, FATE_UNANSWERED, 0);
}

static bool went_both_ways(const struct flow *flow)
{
    return flow->side[ORIG].packets > 0 && flow->side[RESP].packets > 0;
}

static struct tracking *tracking_of(const struct meter *m, const struct flow *flow)
{
    return &m->tracking[flow_table_slot(&m->table, flow)];
}

static void tell_flow(struct meter *m, struct flow *flow, enum flow_end end)
{
    enum record_kind kind = flow->folded ? RECORD_FOLDED_FLOW : RECORD_FLOW;
    struct flow copy;
    m->counters.folded_flows += flow->folded && end != END_ACTIVE;
    if (!wanted(m, kind))
        return;
    const struct tracking *tracking = flow->sampled ? tracking_of(m, flow) : NULL;
    if (tracking != NULL) {
        copy = *flow;
        tracking_raise(tracking, &copy);
        flow = &copy;
    }
    put(m, kind, flow_record_flow(m->buffer, flow, m->settings.secret, end, tracking));
}

static void end_flow(struct meter *m, struct flow *flow, enum flow_end end)
{
    if (flow->fate == FATE_PENDING && flow->attempt)
        settle_unanswered(m, flow);
    application_end(m->applications, flow, m->now);
    if (!flow->attempt && !went_both_ways(flow))
        flow->folded = !attempts_stray(m->attempts, m->now);
    tell_flow(m, flow, end);
    flow_table_remove(&m->table, flow);
}

/* Lists */

static enum flow_list idle_list(uint8_t proto)
{
    if (proto == IP_PROTO_TCP)
        return LIST_TCP;
    return is_icmp(proto) ? LIST_ICMP : LIST_UDP;
}

static enum flow_list list_of(const struct flow *flow)
{
    if (flow->attempt && flow->fate == FATE_PENDING)
        return LIST_ATTEMPT;
    if (flow->key.proto == IP_PROTO_TCP) {
        bool failed = flow->fate == FATE_UNANSWERED && !tcp_answered(flow);
        if (failed || flow->fate == FATE_REFUSED || tcp_over(flow) || flow->gone)
            return LIST_CLOSED;
    }
    return flow->fate == FATE_REFUSED ? LIST_CLOSED : idle_list(flow->key.proto);
}

/* A timeout has passed: a pending attempt becomes an ordinary flow, any other flow ends.
 * True when the flow is gone. */
static bool expire(struct meter *m, struct flow *flow)
{
    if (flow->list == LIST_ATTEMPT) {
        settle_unanswered(m, flow);
        flow_table_touch(&m->table, flow, list_of(flow), m->now);
        return false;
    }
    end_flow(m, flow, flow->key.proto == IP_PROTO_TCP && tcp_over(flow) ? END_OF_FLOW : END_IDLE);
    return true;
}

/* Do what is due, up to the limits; false when nothing was. */
static bool expire_some(struct meter *m)
{
    struct attempts_sum sum;
    bool any = false;
    for (unsigned i = 0; i < EXPIRE_PER_PACKET; i++) {
        struct flow *flow = flow_table_due(&m->table, m->now);
        if (flow == NULL)
            break;
        (void)expire(m, flow);
        any = true;
    }
    for (unsigned i = 0; i < SUMS_PER_PACKET && attempts_take(m->attempts, m->now, &sum); i++) {
        tell_sum(m, &sum);
        any = true;
    }
    return any;
}

/* Opening */

/* Ports that servers are known to listen on; below 1024 all are taken to be such. */
static bool is_well_known(uint16_t port)
{
    switch (port) {
    case 1080: /* SOCKS */
    case 1194: /* OpenVPN */
    case 1433: /* SQL Server */
    case 1521: /* Oracle */
    case 1883: /* MQTT */
    case 1900: /* SSDP: unicast replies to multicast questions */
    case 3128: /* HTTP proxies */
    case 3306: /* MySQL */
    case 3389: /* RDP */
    case 3702: /* WS-Discovery, as SSDP */
    case 5060: /* SIP */
    case 5061:
    case 5222: /* XMPP */
    case 5353: /* mDNS */
    case 5355: /* LLMNR */
    case 5432: /* PostgreSQL */
    case 5900: /* VNC */
    case 6379: /* Redis */
    case 6667: /* IRC */
    case 8000: /* HTTP */
    case 8080:
    case 8443:
    case 8883: /* MQTT */
    case 8888:
        return true;
    default:
        return port < 1024;
    }
}

/* Did the responder send this first packet? */
static bool is_reply(const struct packet *p)
{
    if (p->proto == IP_PROTO_UDP) /* DHCP's clients have a known port, too */
        return is_well_known(p->sport) &&
               (!is_well_known(p->dport) || (p->sport == 67 && p->dport == 68));
    if (p->proto != IP_PROTO_TCP)
        return false;
    uint8_t flags = p->tcp_flags;
    if (flags & TCP_SYN)
        return (flags & TCP_ACK) != 0;
    if (!(flags & (TCP_ACK | TCP_RST))) /* no segment of a connection is without: a scan's probe */
        return false;
    return is_well_known(p->sport) && (!is_well_known(p->dport) || p->sport < p->dport);
}

static bool is_icmp_request(const struct packet *p)
{
    if (p->proto == IP_PROTO_ICMP6)
        return p->sport == 128;
    return p->sport == 8 || p->sport == 13 || p->sport == 15 || p->sport == 17;
}

static bool is_opening(const struct packet *p)
{
    switch (p->proto) {
    case IP_PROTO_TCP:
        if (p->tcp_flags & TCP_RST)
            return false;
        if (p->tcp_flags & TCP_SYN)
            return !(p->tcp_flags & TCP_ACK);
        return p->payload_length == 0;
    case IP_PROTO_ICMP:
    case IP_PROTO_ICMP6:
        return is_icmp_request(p);
    default:
        return true;
    }
}

static bool is_group(const struct packet *p)
{
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (p->has_mac && (p->dmac[0] & 1))
        return true; /* a subnet's broadcast address is known by this only */
    if (memcmp(p->dst, MAPPED, sizeof MAPPED) == 0)
        return p->dst[12] >= 224; /* RFC 1112, RFC 919 */
    return p->dst[0] == 0xff;     /* RFC 4291, 2.7 */
}

static void swap_ends(struct flow_key *key)
{
    struct flow_key was = *key;
    memcpy(key->src, was.dst, 16);
    memcpy(key->dst, was.src, 16);
    key->sport = was.dport;
    key->dport = was.sport;
}

/* A flow in a slot that was free or is made so. */
static struct flow *take_slot(struct meter *m, const struct flow_key *key, uint32_t hash,
                              enum flow_list list, bool sampled)
{
    if (m->table.used == m->table.size) {
        end_flow(m, flow_table_stalest(&m->table), END_RESOURCES);
        m->counters.evicted_flows++;
    }
    struct flow *flow = flow_table_add(&m->table, key, hash, list, m->now);
    flow->reported = m->now;
    flow->sampled = sampled;
    if (sampled)
        memset(tracking_of(m, flow), 0, sizeof(struct tracking));
    m->counters.flows++;
    if (m->table.used > m->counters.table_peak)
        m->counters.table_peak = m->table.used;
    return flow;
}

static struct flow *open_flow(struct meter *m, struct flow_key *key, uint32_t hash,
                              enum direction *from)
{
    const struct packet *p = &m->packet;
    bool reply = is_reply(p);
    bool opening = !reply && is_opening(p), attempt = opening && !is_group(p);
    if (reply)
        swap_ends(key);
    *from = reply ? RESP : ORIG;
    struct flow *flow =
        take_slot(m, key, hash, attempt ? LIST_ATTEMPT : idle_list(key->proto), m->sampled);
    flow->start = flow->last = p->ts;
    flow->vlan = p->vlan;
    flow->interface = p->interface;
    flow->has_mac = p->has_mac;
    flow->opening = opening;
    flow->attempt = attempt;
    if (is_icmp(p->proto)) {
        flow->icmp_type = (uint8_t)p->sport;
        flow->icmp_code = (uint8_t)p->dport;
    }
    if (p->has_mac) {
        memcpy(flow->side[*from].mac, p->smac, 6);
        memcpy(flow->side[!*from].mac, p->dmac, 6);
    }
    if (reply)
        flow_history_add(flow, '^');
    return flow;
}

static void tell_probes(struct meter *m, const struct flow *flow, const struct attempt *attempt)
{
    const struct probes *probes = attempts_try(m->attempts, attempt, m->now);
    if (probes != NULL && wanted(m, RECORD_PROBES))
        put(m, RECORD_PROBES, flow_record_probes(m->buffer, probes, flow));
}

static void tell_start(struct meter *m, const struct flow *flow)
{
    struct attempt attempt;
    if (!flow->opening)
        return;
    attempt_of(&attempt, flow);
    bool told = attempts_start(m->attempts, &attempt, m->now);
    if (told && wanted(m, RECORD_CONN))
        put(m, RECORD_CONN, flow_record_conn(m->buffer, flow, m->settings.secret));
    if (!told)
        m->counters.suppressed++;
    if (flow->attempt && !is_icmp(flow->key.proto))
        tell_probes(m, flow, &attempt);
}

/* Who goes on as if there had been an answer may have had one that is not captured. */
static void note_going_on(struct meter *m, const struct flow *flow)
{
    struct attempt attempt;
    if (flow->fate != FATE_PENDING || !flow->attempt || !flow_went_on(flow))
        return;
    attempt_of(&attempt, flow);
    attempts_answer(m->attempts, &attempt);
}

/* Keeping */

static void note_udp_history(struct flow *flow, enum direction from)
{
    struct flow_side *side = &flow->side[from];
    if (side->packets == 0)
        flow_history_add(flow, from == ORIG ? 'D' : 'd');
}

/* Count the packet; false when its side is counted on another interface. */
static bool count_packet(struct flow *flow, enum direction from, const struct packet *p)
{
    struct flow_side *side = &flow->side[from];
    bool tcp = p->proto == IP_PROTO_TCP;
    if (side->packets > 0 && side->interface != p->interface && !flow->sampled)
        return false;
    /* Trailing packets of a connection closed on both sides do not make it longer (Zeek). */
    bool trailing =
        tcp && side->state >= TCP_END_CLOSED && flow->side[!from].state >= TCP_END_CLOSED;
    if (p->ts > flow->last && !trailing)
        flow->last = p->ts;
    if (tcp) {
        tcp_take(flow, from, p);
    } else {
        side->payload_bytes += p->payload_length;
        if (p->proto == IP_PROTO_UDP)
            note_udp_history(flow, from);
    }
    if (side->packets == 0) {
        side->interface = p->interface;
        flow->has_mac |= p->has_mac;
        if (p->has_mac)
            memcpy(side->mac, p->smac, 6);
    }
    side->packets++;
    side->ip_bytes += p->ip_length;
    return true;
}

/* SCTP says no by an ABORT, the first chunk of the packet (RFC 9260, 3.3.7). */
static bool is_abort(const struct packet *p)
{
    static const uint8_t ABORT[1] = {6};
    struct cursor chunk = p->payload;
    return p->proto == IP_PROTO_SCTP && cursor_starts(&chunk, ABORT, sizeof ABORT);
}

static enum flow_fate fate_by(const struct flow *flow, const struct packet *p)
{
    if (p->proto == IP_PROTO_TCP)
        return tcp_fate(flow, p);
    return is_abort(p) ? FATE_REFUSED : FATE_ANSWERED;
}

static void note_fate(struct meter *m, struct flow *flow, const struct packet *p)
{
    if (flow->fate == FATE_PENDING) {
        enum flow_fate fate = fate_by(flow, p);
        if (fate != FATE_PENDING)
            settle(m, flow, fate, p->proto == IP_PROTO_TCP ? p->tcp_flags : 0);
    } else if (flow->folded && (p->proto != IP_PROTO_TCP || tcp_answered(flow))) {
        flow->folded = false; /* late, but it succeeded */
    }
}

/* Answered, and given up at once by who had asked and said nothing: a look whether the port is
 * open. */
static enum flow_fate fate_given_up(const struct flow *flow)
{
    const struct flow_side *orig = &flow->side[ORIG], *resp = &flow->side[RESP];
    if (orig->payload_bytes > 0)
        return flow->fate;
    if (tcp_given_up(flow) && resp->payload_bytes == 0)
        return FATE_ABANDONED;
    return flow->handshake ? FATE_LEFT : flow->fate;
}

static void note_giving_up(struct meter *m, struct flow *flow)
{
    if ((flow->fate != FATE_ANSWERED && flow->fate != FATE_LEFT) || !flow->attempt ||
        m->packet.ts - flow->start > ABANDONED_WITHIN)
        return;
    enum flow_fate fate = fate_given_up(flow);
    if (fate == flow->fate)
        return;
    flow->fate = (uint8_t)fate;
    if (attempts_stray(m->attempts, m->now) && wanted(m, RECORD_FATE))
        put(m, RECORD_FATE, flow_record_fate(m->buffer, flow, m->settings.secret, 0));
}

static void checkpoint(struct meter *m, struct flow *flow)
{
    if (m->now - flow->reported < m->settings.active_timeout)
        return;
    flow->reported = m->now;
    m->counters.checkpoints++;
    tell_flow(m, flow, END_ACTIVE);
}

/* The flow of the packet, if it is in the table and still running. */
static struct flow *running_flow(struct meter *m, const struct flow_key *key, uint32_t hash,
                                 enum direction *from)
{
    struct flow *flow = flow_table_find(&m->table, key, hash, from);
    if (flow == NULL)
        return NULL;
    if (flow_table_is_due(&m->table, flow, m->now) && expire(m, flow))
        return NULL;
    if (key->proto == IP_PROTO_TCP && tcp_reuses(flow, *from, &m->packet)) {
        end_flow(m, flow, tcp_over(flow) ? END_OF_FLOW : END_IDLE);
        return NULL;
    }
    return flow;
}

static void take_flow_packet(struct meter *m, struct flow_key *key)
{
    const struct packet *p = &m->packet;
    uint32_t hash = flow_key_hash(key, m->settings.hash_secret);
    enum direction from = ORIG;
    struct flow *flow = running_flow(m, key, hash, &from);
    bool first = flow == NULL;
    if (first)
        flow = open_flow(m, key, hash, &from);
    if (!count_packet(flow, from, p)) {
        m->counters.copied_packets++;
        return;
    }
    if (flow->sampled)
        tracking_packet(tracking_of(m, flow), from, p);
    if (first)
        tell_start(m, flow);
    if (from == RESP)
        note_fate(m, flow, p);
    else if (!first)
        note_going_on(m, flow);
    if (from == ORIG && p->proto == IP_PROTO_TCP && (p->tcp_flags & (TCP_FIN | TCP_RST)))
        note_giving_up(m, flow);
    if (p->proto == IP_PROTO_TCP || p->proto == IP_PROTO_UDP) {
        m->facts_left = FACTS_PER_PACKET + p->payload_length / FACT_PAYLOAD;
        application_packet(m->applications, flow, from, p);
    }
    if (flow->sampled && !flow->opening && flow->list == LIST_TCP && tcp_over(flow))
        m->counters.older_ended++;
    flow_table_touch(&m->table, flow, list_of(flow), m->now);
    checkpoint(m, flow);
}

/* ICMP */

/* The key's ports for ICMP: identifier and request type for requests and their replies, so that
 * both fall into one flow; 0, type and code otherwise. */
static void set_icmp_ports(struct flow_key *key, uint16_t type, uint16_t code, uint16_t identifier)
{
    bool v6 = key->proto == IP_PROTO_ICMP6;
    uint16_t request = type;
    if (v6 ? type == 129 : (type == 14 || type == 16 || type == 18))
        request = (uint16_t)(type - 1);
    else if (!v6 && type == 0)
        request = 8;
    bool paired =
        v6 ? request == 128 : (request == 8 || request == 13 || request == 15 || request == 17);
    key->sport = paired ? identifier : 0;
    key->dport = (uint16_t)(request << 8 | (paired ? 0 : code));
    if (paired && request != type) { /* a reply: the same ports seen from the other side */
        uint16_t port = key->sport;
        key->sport = key->dport;
        key->dport = port;
    }
}

static bool is_icmp_error(const struct packet *p)
{
    if (p->proto == IP_PROTO_ICMP6)
        return p->sport >= 1 && p->sport <= 4;
    return p->proto == IP_PROTO_ICMP &&
           (p->sport == 3 || p->sport == 4 || p->sport == 5 || p->sport == 11 || p->sport == 12);
}

/* Unreachable, and not merely too big (RFC 792, RFC 1191, RFC 4443). */
static bool is_refusal(const struct packet *p)
{
    return p->proto == IP_PROTO_ICMP6 ? p->sport == 1 : p->sport == 3 && p->dport != 4;
}

/* The host itself (RFC 1122, 3.2.2.1) says that it knows no such protocol: told about nothing but
 * a search for protocols, so it counts even where the packet that it quotes was not captured. */
static bool lacks_protocol(const struct packet *p)
{
    return p->proto == IP_PROTO_ICMP && p->sport == 3 && p->dport == 2 && p->quoted.proto != 0;
}

/* An attempt that is known by its refusal only. */
static void settle_unseen(struct meter *m, const struct flow_key *key)
{
    struct flow flow;
    memset(&flow, 0, sizeof flow);
    flow.key = *key;
    flow.start = flow.last = m->packet.ts;
    flow.vlan = m->packet.vlan;
    flow.interface = m->packet.interface;
    flow.attempt = true;
    settle(m, &flow, FATE_REFUSED, 0);
}

/* An error makes no flow; it may be the fate of the one that it quotes. */
static void take_icmp_error(struct meter *m)
{
    const struct packet *p = &m->packet;
    const struct quoted_flow *q = &p->quoted;
    struct flow_key key = {.proto = q->proto};
    enum direction from = ORIG;
    bool lacks = lacks_protocol(p);
    m->counters.other_packets++;
    if (!lacks && (!q->present || !is_refusal(p) || memcmp(q->src, p->dst, 16) != 0))
        return;
    memcpy(key.src, p->dst, 16);
    memcpy(key.dst, lacks ? p->src : q->dst, 16);
    if (q->present) {
        key.sport = q->sport;
        key.dport = q->dport;
        if (is_icmp(q->proto))
            set_icmp_ports(&key, q->sport, q->dport, q->icmp_id);
    }
    struct flow *flow = running_flow(m, &key, flow_key_hash(&key, m->settings.hash_secret), &from);
    if (flow == NULL && lacks)
        settle_unseen(m, &key);
    if (flow == NULL || from != ORIG || flow->fate != FATE_PENDING || !flow->attempt)
        return;
    settle(m, flow, FATE_REFUSED, 0);
    flow_table_touch(&m->table, flow, list_of(flow), m->now);
}

/* Packets */

/* A first fragment that ends within the TCP header. No path needs such (RFC 791 lets 68 bytes
 * pass everywhere); it is made to hide the flags (RFC 1858), and taken for what it mostly hides. */
static bool is_tiny_fragment(const struct packet *p)
{
    return p->proto == IP_PROTO_TCP && p->fragment && !p->later_fragment && p->has_ports &&
           !p->has_transport;
}

static void take_as_probe(struct packet *p)
{
    p->tcp_flags = TCP_SYN;
    p->tcp_ack = 0;
    p->tcp_window = 0;
    p->payload_length = 0;
    p->payload = cursor_over(p->src, 0);
    p->has_transport = true;
}

static bool lacks_header(const struct packet *p)
{
    bool has_header = p->proto == IP_PROTO_TCP || p->proto == IP_PROTO_UDP ||
                      p->proto == IP_PROTO_SCTP || is_icmp(p->proto);
    return p->later_fragment || (has_header && !p->has_transport);
}

static void take_ip(struct meter *m)
{
    struct packet *p = &m->packet;
    struct flow_key key;
    if (is_tiny_fragment(p))
        take_as_probe(p);
    if (lacks_header(p)) {
        m->counters.other_packets++;
        return;
    }
    if (is_icmp_error(p)) {
        take_icmp_error(m);
        return;
    }
    memset(&key, 0, sizeof key);
    memcpy(key.src, p->src, 16);
    memcpy(key.dst, p->dst, 16);
    key.proto = p->proto;
    if (is_icmp(p->proto)) {
        set_icmp_ports(&key, p->sport, p->dport, p->icmp_id);
    } else if (p->has_transport) {
        key.sport = p->sport;
        key.dport = p->dport;
    }
    take_flow_packet(m, &key);
}

static void take_arp(struct meter *m)
{
    if (!attempts_message(m->attempts, m->packet.arp.sender_mac, m->now))
        m->counters.suppressed++;
    else if (wanted(m, RECORD_ARP))
        put(m, RECORD_ARP, flow_record_arp(m->buffer, &m->packet));
}

/* Conntrack */

static void conntrack_key(struct flow_key *key, const struct tracked *news)
{
    *key = news->key;
    if (is_icmp(key->proto))
        set_icmp_ports(key, news->icmp_type, news->icmp_code, news->icmp_id);
}

/* A connection older than we are, of which no first packet can be seen any more. */
static struct flow *open_older(struct meter *m, const struct flow_key *key, uint32_t hash,
                               const struct tracked *news)
{
    struct flow *flow = take_slot(m, key, hash, idle_list(key->proto), true);
    flow->start = news->start > 0 && news->start < m->now ? news->start : m->now;
    flow->last = m->now;
    flow->icmp_type = news->icmp_type;
    flow->icmp_code = news->icmp_code;
    return flow;
}

/* Some of its packets may not have been shown. */
static bool is_partial(const struct meter *m, const struct flow *flow)
{
    return !flow->opening || flow->side[ORIG].packets >= m->settings.first_packets ||
           flow->side[RESP].packets >= m->settings.first_packets;
}

/* Ports are used again; news of the connection before may come late. The kernel dates an entry
 * after its first packet. */
static bool is_of_another(const struct flow *flow, const struct tracked *news)
{
    return flow->opening && news->start > 0 && news->start + ENTRY_SLACK < flow->start;
}

/* The kernel has an entry: the flow goes on, whether or not there were packets. */
static void keep_alive(struct meter *m, struct flow *flow, bool moved)
{
    if (moved && !(flow->key.proto == IP_PROTO_TCP && tcp_over(flow)) && m->now > flow->last)
        flow->last = m->now;
    flow_table_touch(&m->table, flow, list_of(flow), m->now);
    if (moved)
        checkpoint(m, flow);
}

enum tracked_flow meter_conntrack(struct meter *m, const struct tracked *news,
                                  enum tracked_news what, uint64_t now)
{
    struct flow_key key;
    enum direction from = ORIG;
    if (m->tracking == NULL)
        return TRACKED_UNKNOWN;
    if (now > m->now)
        m->now = now;
    (void)expire_some(m);
    conntrack_key(&key, news);
    uint32_t hash = flow_key_hash(&key, m->settings.hash_secret);
    struct flow *flow = flow_table_find(&m->table, &key, hash, &from);
    if (flow == NULL && what == TRACKED_OLDER)
        flow = open_older(m, &key, hash, news);
    if (flow == NULL || !flow->sampled || is_of_another(flow, news))
        return TRACKED_UNKNOWN;
    bool moved = tracking_take(tracking_of(m, flow), from, news, what == TRACKED_END);
    bool partial = is_partial(m, flow);
    if (what == TRACKED_END && key.proto == IP_PROTO_TCP) {
        flow->gone = true;
        flow_table_touch(&m->table, flow, list_of(flow), m->now);
    } else if (partial && what != TRACKED_END && flow->list != LIST_CLOSED) {
        keep_alive(m, flow, moved);
    }
    return partial ? TRACKED_PARTIAL : TRACKED_COMPLETE;
}

static bool take_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                        uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length)
{
    struct packet *p = &m->packet;
    if (m->settings.wait && !count_ready(m))
        return false;
    if (ts > m->now)
        m->now = ts;
    m->counters.packets++;
    m->counters.bytes += wire_length;
    begin_burst(m);
    (void)expire_some(m);
    p->ts = ts;
    p->interface = interface;
    p->wire_length = wire_length;
    p->captured_length = captured_length;
    (void)decode_packet(p, linktype, bytes, captured_length, &m->events);
    if (p->kind == PACKET_IP)
        take_ip(m);
    else if (p->kind == PACKET_ARP)
        take_arp(m);
    else
        m->counters.other_packets++;
    if (m->now - m->told >= CLOCK_STEP)
        tell_clock(m);
    return true;
}

bool meter_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                  uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length)
{
    m->sampled = false;
    return take_packet(m, linktype, interface, ts, wire_length, bytes, captured_length);
}

bool meter_sampled_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                          uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length)
{
    m->sampled = m->tracking != NULL;
    return take_packet(m, linktype, interface, ts, wire_length, bytes, captured_length);
}

bool meter_advance(struct meter *m, uint64_t now)
{
    if (now > m->now)
        m->now = now;
    do {
        if (!count_ready(m))
            return false;
        begin_burst(m);
    } while (expire_some(m));
    if (m->now > m->told)
        tell_clock(m);
    return true;
}

bool meter_flush(struct meter *m)
{
    struct attempts_sum sum;
    do {
        if (m->settings.wait && !count_ready(m))
            return false;
        begin_burst(m);
    } while (expire_some(m));
    while (m->table.used > 0) {
        if (m->settings.wait && !count_ready(m))
            return false;
        begin_burst(m);
        end_flow(m, flow_table_first(&m->table), END_FORCED);
    }
    while (attempts_take(m->attempts, UINT64_MAX, &sum)) {
        tell_sum(m, &sum);
        if (m->settings.wait && !count_ready(m))
            return false;
    }
    return true;
}

uint64_t meter_now(const struct meter *m)
{
    return m->now;
}

uint32_t meter_flows(const struct meter *m)
{
    return m->table.used;
}

const struct meter_counters *meter_counters(struct meter *m)
{
    m->counters.evicted_applications = application_evicted(m->applications);
    m->counters.evicted_sources = attempts_evicted(m->attempts);
    return &m->counters;
}

const struct events *meter_events(const struct meter *m)
{
    return &m->events;
}

/* Start */

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + 63) & ~UINT64_C(63);
}

static uint64_t tracking_bytes(const struct meter_settings *settings)
{
    uint64_t bytes = (uint64_t)settings->flows * sizeof(struct tracking);
    return settings->first_packets == 0 ? 0 : aligned(bytes);
}

uint64_t meter_bytes(const struct meter_settings *settings)
{
    return tracking_bytes(settings) + aligned(sizeof(struct meter)) +
           aligned(flow_table_bytes(settings->flows)) + aligned(attempts_bytes(settings->sources)) +
           aligned(application_pool_bytes(settings->applications));
}

struct meter *meter_init(void *memory, const struct meter_settings *settings,
                         struct record_sink sink)
{
    struct meter *m = memory;
    uint8_t *at = memory;
    memset(m, 0, sizeof *m);
    m->settings = *settings;
    m->sink = sink;
    m->facts = (struct record_sink){m, bounded_put, count_ready, sink.wanted};
    at += aligned(sizeof *m);
    const uint64_t timeouts[FLOW_LISTS] = {
        [LIST_ATTEMPT] = settings->attempt_timeout,
        [LIST_CLOSED] = settings->closed_linger,
        [LIST_TCP] = settings->tcp_idle,
        [LIST_UDP] = settings->udp_idle,
        [LIST_ICMP] = settings->icmp_idle,
    };
    flow_table_init(&m->table, at, settings->flows, timeouts);
    at += aligned(flow_table_bytes(settings->flows));
    m->attempts = attempts_init(at, settings->sources, settings->fold_after,
                                settings->fold_interval, settings->secret, settings->hash_secret);
    at += aligned(attempts_bytes(settings->sources));
    if (settings->first_packets > 0)
        m->tracking = (void *)at;
    at += tracking_bytes(settings);
    struct application_context context = {&m->facts, &m->events, m->settings.secret, m->buffer};
    m->applications = application_pool_init(at, settings->applications, context);
    return m;
}
