/* What the files of the meter share: its state, and what they ask of each other.
 *
 * - meter.c: packets into flows, which are found or opened, kept and ended
 * - meter_fate.c: what becomes of attempts
 * - meter_tell.c: records into the sink
 * - meter_conntrack.c: what the kernel's table tells of flows
 */
#ifndef HDR_LITE_METER_INTERNAL_H
#define HDR_LITE_METER_INTERNAL_H

#include "attempts.h"
#include "meter.h"

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

static inline bool meter_wants(const struct meter *m, enum record_kind kind)
{
    return record_wanted(&m->sink, kind);
}

static inline bool meter_has_room(const struct meter *m)
{
    return m->sink.ready(m->sink.owner);
}

/* Of a sampled flow. */
static inline struct tracking *meter_tracking(const struct meter *m, const struct flow *flow)
{
    return &m->tracking[flow_table_slot(&m->table, flow)];
}

/* meter_tell.c */

/* Where parsers put their records: within what is left of facts for this packet. */
struct record_sink meter_facts_sink(struct meter *m);
/* Tell the record that is in the buffer. */
void meter_put(struct meter *m, enum record_kind kind, uint32_t length);
void meter_tell_sum(struct meter *m, const struct attempts_sum *sum);
void meter_tell_clock(struct meter *m);
void meter_tell_flow(struct meter *m, struct flow *flow, enum flow_end end);

/* meter_fate.c */

/* The present packet was counted: what it tells of its flow's attempt. first: it opened the flow.
 */
void meter_follow_attempt(struct meter *m, struct flow *flow, enum direction from, bool first);
/* The fate is known; a failure may vanish into a sum. */
void meter_settle(struct meter *m, struct flow *flow, enum flow_fate fate, uint8_t reply);
/* Nothing came within the time. A segment in the middle of a connection of which we see one
 * side only is no attempt: it carries data, or acknowledges more and more. */
void meter_settle_unanswered(struct meter *m, struct flow *flow);
/* An attempt that is known by its refusal only. */
void meter_settle_unseen(struct meter *m, const struct flow_key *key);

/* meter.c */

/* A flow in a slot that was free or is made so. */
struct flow *meter_take_slot(struct meter *m, const struct flow_key *key, uint32_t hash,
                             enum flow_list list, bool sampled);
/* Where a flow waits that is neither an attempt nor over. */
enum flow_list meter_idle_list(uint8_t proto);
/* The flow lives now, in the list that it has come to belong to. */
void meter_touch(struct meter *m, struct flow *flow);
/* Tell of a flow that lasts, if it is time. */
void meter_checkpoint(struct meter *m, struct flow *flow);
/* Do what is due, up to the limits; false when nothing was. */
bool meter_expire_some(struct meter *m);

#endif
