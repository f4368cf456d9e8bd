/* Packets into flows: the meter (meter.h) finds or opens the packet's flow, keeps and ends it.
 *
 * Work per packet is bounded: at most EXPIRE_PER_PACKET flows expire, SUMS_PER_PACKET sums
 * and FACTS_BURST bytes of facts are told, which one burst of the sink (RECORD_BURST) can
 * take; a flow that is met before its turn to expire is ended first, so that the lag changes
 * nothing.
 */
#include "meter_internal.h"

#include "first_packet.h"
#include "flow_record.h"
#include "icmp.h"
#include "tcp_state.h"

#define EXPIRE_PER_PACKET 4
#define SUMS_PER_PACKET 4
#define CLOCK_STEP UINT64_C(1000000000) /* tell the time at least so often */

/* What parsers may tell, so that no packet can ask for more of the sink than a burst, nor for
 * much more of whoever reads the records than as many small packets would. */
#define FACTS_BURST (RECORD_BURST - 2 * RECORD_MAX) /* bytes; the rest is for flows and sums */
#define FACTS_PER_PACKET 32u                        /* and one for each... */
#define FACT_PAYLOAD 64u                            /* ...so many bytes of payload */

/* What follows may fill the sink with one burst more. */
static void begin_burst(struct meter *m)
{
    m->facts_left = UINT32_MAX; /* questions of flows that end: bounded by themselves */
    m->facts_bytes_left = FACTS_BURST;
}

/* Ends */

static bool went_both_ways(const struct flow *flow)
{
    return flow->side[ORIG].packets > 0 && flow->side[RESP].packets > 0;
}

static void end_flow(struct meter *m, struct flow *flow, enum flow_end end)
{
    if (flow->fate == FATE_PENDING && flow->attempt)
        meter_settle_unanswered(m, flow);
    application_end(m->applications, flow, m->now);
    if (!flow->attempt && !went_both_ways(flow))
        flow->folded = !attempts_stray(m->attempts, m->now);
    meter_tell_flow(m, flow, end);
    flow_table_remove(&m->table, flow);
}

/* Lists */

enum flow_list meter_idle_list(uint8_t proto)
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
    return flow->fate == FATE_REFUSED ? LIST_CLOSED : meter_idle_list(flow->key.proto);
}

void meter_touch(struct meter *m, struct flow *flow)
{
    flow_table_touch(&m->table, flow, list_of(flow), m->now);
}

/* A timeout has passed: a pending attempt becomes an ordinary flow, any other flow ends.
 * True when the flow is gone. */
static bool expire(struct meter *m, struct flow *flow)
{
    if (flow->list == LIST_ATTEMPT) {
        meter_settle_unanswered(m, flow);
        meter_touch(m, flow);
        return false;
    }
    end_flow(m, flow, flow->key.proto == IP_PROTO_TCP && tcp_over(flow) ? END_OF_FLOW : END_IDLE);
    return true;
}

bool meter_expire_some(struct meter *m)
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
        meter_tell_sum(m, &sum);
        any = true;
    }
    return any;
}

/* Opening */

static void swap_ends(struct flow_key *key)
{
    struct flow_key was = *key;
    memcpy(key->src, was.dst, 16);
    memcpy(key->dst, was.src, 16);
    key->sport = was.dport;
    key->dport = was.sport;
}

struct flow *meter_take_slot(struct meter *m, const struct flow_key *key, uint32_t hash,
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
        memset(meter_tracking(m, flow), 0, sizeof(struct tracking));
    m->counters.flows++;
    if (m->table.used > m->counters.table_peak)
        m->counters.table_peak = m->table.used;
    return flow;
}

static struct flow *open_flow(struct meter *m, struct flow_key *key, uint32_t hash,
                              enum direction *from)
{
    const struct packet *p = &m->packet;
    bool reply = first_packet_is_reply(p);
    bool opening = !reply && first_packet_is_opening(p);
    bool attempt = opening && !first_packet_is_to_group(p);
    if (reply)
        swap_ends(key);
    *from = reply ? RESP : ORIG;
    struct flow *flow = meter_take_slot(
        m, key, hash, attempt ? LIST_ATTEMPT : meter_idle_list(key->proto), m->sampled);
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

void meter_checkpoint(struct meter *m, struct flow *flow)
{
    if (m->now - flow->reported < m->settings.active_timeout)
        return;
    flow->reported = m->now;
    m->counters.checkpoints++;
    meter_tell_flow(m, flow, END_ACTIVE);
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
        tracking_packet(meter_tracking(m, flow), from, p);
    meter_follow_attempt(m, flow, from, first);
    if (p->proto == IP_PROTO_TCP || p->proto == IP_PROTO_UDP) {
        m->facts_left = FACTS_PER_PACKET + p->payload_length / FACT_PAYLOAD;
        application_packet(m->applications, flow, from, p);
    }
    if (flow->sampled && !flow->opening && flow->list == LIST_TCP && tcp_over(flow))
        m->counters.older_ended++;
    meter_touch(m, flow);
    meter_checkpoint(m, flow);
}

/* An error makes no flow; it may be the fate of the one that it quotes. */
static void take_icmp_error(struct meter *m)
{
    const struct packet *p = &m->packet;
    const struct quoted_flow *q = &p->quoted;
    struct flow_key key = {.proto = q->proto};
    enum direction from = ORIG;
    bool lacks = icmp_lacks_protocol(p);
    m->counters.other_packets++;
    if (!lacks && (!q->present || !icmp_is_refusal(p) || memcmp(q->src, p->dst, 16) != 0))
        return;
    memcpy(key.src, p->dst, 16);
    memcpy(key.dst, lacks ? p->src : q->dst, 16);
    if (q->present) {
        key.sport = q->sport;
        key.dport = q->dport;
        if (is_icmp(q->proto))
            icmp_set_ports(&key, q->sport, q->dport, q->icmp_id);
    }
    struct flow *flow = running_flow(m, &key, flow_key_hash(&key, m->settings.hash_secret), &from);
    if (flow == NULL && lacks)
        meter_settle_unseen(m, &key);
    if (flow == NULL || from != ORIG || flow->fate != FATE_PENDING || !flow->attempt)
        return;
    meter_settle(m, flow, FATE_REFUSED, 0);
    meter_touch(m, flow);
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
    if (is_icmp(p->proto) && icmp_is_error(p)) {
        take_icmp_error(m);
        return;
    }
    memset(&key, 0, sizeof key);
    memcpy(key.src, p->src, 16);
    memcpy(key.dst, p->dst, 16);
    key.proto = p->proto;
    if (is_icmp(p->proto)) {
        icmp_set_ports(&key, p->sport, p->dport, p->icmp_id);
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
    else if (meter_wants(m, RECORD_ARP))
        meter_put(m, RECORD_ARP, flow_record_arp(m->buffer, &m->packet));
}

static bool take_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                        uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length)
{
    struct packet *p = &m->packet;
    if (m->settings.wait && !meter_has_room(m))
        return false;
    if (ts > m->now)
        m->now = ts;
    m->counters.packets++;
    m->counters.bytes += wire_length;
    begin_burst(m);
    (void)meter_expire_some(m);
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
        meter_tell_clock(m);
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
        if (!meter_has_room(m))
            return false;
        begin_burst(m);
    } while (meter_expire_some(m));
    if (m->now > m->told)
        meter_tell_clock(m);
    return true;
}

bool meter_flush(struct meter *m)
{
    struct attempts_sum sum;
    do {
        if (m->settings.wait && !meter_has_room(m))
            return false;
        begin_burst(m);
    } while (meter_expire_some(m));
    while (m->table.used > 0) {
        if (m->settings.wait && !meter_has_room(m))
            return false;
        begin_burst(m);
        end_flow(m, flow_table_first(&m->table), END_FORCED);
    }
    while (attempts_take(m->attempts, UINT64_MAX, &sum)) {
        meter_tell_sum(m, &sum);
        if (m->settings.wait && !meter_has_room(m))
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
    m->facts = meter_facts_sink(m);
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
