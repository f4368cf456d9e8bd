/* What conntrack tells of the meter's flows: meter_conntrack() in meter.h, tracking.h. */
#include "icmp.h"
#include "meter_internal.h"
#include "tcp_state.h"

#define ENTRY_SLACK UINT64_C(100000000) /* ns that two clocks of a packet may differ */

static void conntrack_key(struct flow_key *key, const struct tracked *news)
{
    *key = news->key;
    if (is_icmp(key->proto))
        icmp_set_ports(key, news->icmp_type, news->icmp_code, news->icmp_id);
}

/* A connection older than we are, of which no first packet can be seen any more. */
static struct flow *open_older(struct meter *m, const struct flow_key *key, uint32_t hash,
                               const struct tracked *news)
{
    struct flow *flow = meter_take_slot(m, key, hash, meter_idle_list(key->proto), true);
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
    meter_touch(m, flow);
    if (moved)
        meter_checkpoint(m, flow);
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
    (void)meter_expire_some(m);
    conntrack_key(&key, news);
    uint32_t hash = flow_key_hash(&key, m->settings.hash_secret);
    struct flow *flow = flow_table_find(&m->table, &key, hash, &from);
    if (flow == NULL && what == TRACKED_OLDER)
        flow = open_older(m, &key, hash, news);
    if (flow == NULL || !flow->sampled || is_of_another(flow, news))
        return TRACKED_UNKNOWN;
    bool moved = tracking_take(meter_tracking(m, flow), from, news, what == TRACKED_END);
    bool partial = is_partial(m, flow);
    if (what == TRACKED_END && key.proto == IP_PROTO_TCP) {
        flow->gone = true;
        meter_touch(m, flow);
    } else if (partial && what != TRACKED_END && flow->list != LIST_CLOSED) {
        keep_alive(m, flow, moved);
    }
    return partial ? TRACKED_PARTIAL : TRACKED_COMPLETE;
}
