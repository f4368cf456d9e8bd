/* What becomes of attempts (meter.h): their start, their one fate, and what is told of them. */
#include "flow_record.h"
#include "icmp.h"
#include "meter_internal.h"
#include "tcp_state.h"

#define ABANDONED_WITHIN UINT64_C(3000000000) /* of its start */

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

void meter_settle(struct meter *m, struct flow *flow, enum flow_fate fate, uint8_t reply)
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
    if (!flow->folded && meter_wants(m, RECORD_FATE))
        meter_put(m, RECORD_FATE, flow_record_fate(m->buffer, flow, m->settings.secret, reply));
}

void meter_settle_unanswered(struct meter *m, struct flow *flow)
{
    const struct flow_side *orig = &flow->side[ORIG];
    bool tcp = flow->key.proto == IP_PROTO_TCP;
    bool probe = !tcp || (orig->first_flags & TCP_SYN) ||
                 (orig->payload_bytes == 0 && orig->packets <= 3 && flow->side[RESP].packets == 0);
    if (!probe)
        flow->attempt = false;
    meter_settle(m, flow, FATE_UNANSWERED, 0);
}

void meter_settle_unseen(struct meter *m, const struct flow_key *key)
{
    struct flow flow;
    memset(&flow, 0, sizeof flow);
    flow.key = *key;
    flow.start = flow.last = m->packet.ts;
    flow.vlan = m->packet.vlan;
    flow.interface = m->packet.interface;
    flow.attempt = true;
    meter_settle(m, &flow, FATE_REFUSED, 0);
}

static void tell_probes(struct meter *m, const struct flow *flow, const struct attempt *attempt)
{
    const struct probes *probes = attempts_try(m->attempts, attempt, m->now);
    if (probes != NULL && meter_wants(m, RECORD_PROBES))
        meter_put(m, RECORD_PROBES, flow_record_probes(m->buffer, probes, flow));
}

static void tell_start(struct meter *m, const struct flow *flow)
{
    struct attempt attempt;
    if (!flow->opening)
        return;
    attempt_of(&attempt, flow);
    bool told = attempts_start(m->attempts, &attempt, m->now);
    if (told && meter_wants(m, RECORD_CONN))
        meter_put(m, RECORD_CONN, flow_record_conn(m->buffer, flow, m->settings.secret));
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
            meter_settle(m, flow, fate, p->proto == IP_PROTO_TCP ? p->tcp_flags : 0);
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
    if (attempts_stray(m->attempts, m->now) && meter_wants(m, RECORD_FATE))
        meter_put(m, RECORD_FATE, flow_record_fate(m->buffer, flow, m->settings.secret, 0));
}

void meter_follow_attempt(struct meter *m, struct flow *flow, enum direction from, bool first)
{
    const struct packet *p = &m->packet;
    if (first)
        tell_start(m, flow);
    if (from == RESP)
        note_fate(m, flow, p);
    else if (!first)
        note_going_on(m, flow);
    if (from == ORIG && p->proto == IP_PROTO_TCP && (p->tcp_flags & (TCP_FIN | TCP_RST)))
        note_giving_up(m, flow);
}
