/* The meter's records: how they reach its sink, and those that it tells of itself. */
#include "flow_record.h"
#include "meter_internal.h"

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

static bool count_ready(void *owner)
{
    return meter_has_room(owner);
}

struct record_sink meter_facts_sink(struct meter *m)
{
    return (struct record_sink){m, bounded_put, count_ready, m->sink.wanted};
}

void meter_put(struct meter *m, enum record_kind kind, uint32_t length)
{
    (void)count_put(m, kind, m->now, m->buffer, length);
}

void meter_tell_sum(struct meter *m, const struct attempts_sum *sum)
{
    if (meter_wants(m, RECORD_ATTEMPTS))
        meter_put(m, RECORD_ATTEMPTS, flow_record_attempts(m->buffer, sum));
}

void meter_tell_clock(struct meter *m)
{
    if (!meter_wants(m, RECORD_CLOCK))
        return;
    struct record_writer w;
    record_begin(&w, m->buffer, sizeof m->buffer, 1);
    record_uint(&w, m->now);
    meter_put(m, RECORD_CLOCK, record_finish(&w));
}

void meter_tell_flow(struct meter *m, struct flow *flow, enum flow_end end)
{
    enum record_kind kind = flow->folded ? RECORD_FOLDED_FLOW : RECORD_FLOW;
    struct flow copy;
    m->counters.folded_flows += flow->folded && end != END_ACTIVE;
    if (!meter_wants(m, kind))
        return;
    const struct tracking *tracking = flow->sampled ? meter_tracking(m, flow) : NULL;
    if (tracking != NULL) {
        copy = *flow;
        tracking_raise(tracking, &copy);
        flow = &copy;
    }
    meter_put(m, kind, flow_record_flow(m->buffer, flow, m->settings.secret, end, tracking));
}
