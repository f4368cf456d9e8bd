/* The meter: packet -> flow table -> records. The public face of core.
 *
 * All memory is given at start (meter_bytes() tells how much); nothing is
 * allocated later. Time is the packets'; meter_advance() moves it when none come.
 */
#ifndef HDR_LITE_METER_H
#define HDR_LITE_METER_H

#include "application.h"
#include "decode.h"
#include "flow_table.h"
#include "record.h"

struct meter_settings {
    uint32_t flows;           /* slots of the flow table */
    uint32_t applications;    /* slots of the application pool */
    uint32_t sources;         /* entries of the table of attempt sums */
    uint64_t attempt_timeout; /* ns without an answer until a connection is unanswered */
    uint64_t tcp_idle, udp_idle, icmp_idle; /* ns */
    uint64_t closed_linger;                 /* ns a closed TCP flow stays for its last packets */
    uint64_t active_timeout;                /* ns between checkpoints of a long flow */
    uint32_t fold_after;    /* failed attempts of a source (or to a target) told singly... */
    uint64_t fold_interval; /* ...in this many ns; the rest become sums, told at its end */
    uint8_t secret[16];
    bool wait; /* replay: stop rather than drop when the sink is full */
};

struct meter_counters {
    uint64_t packets, bytes, other_packets;
    uint64_t flows, checkpoints, evicted_flows, evicted_applications, evicted_sources;
    uint64_t records[RECORD_KINDS], dropped[RECORD_KINDS];
    uint64_t table_peak;
};

struct meter;

size_t meter_bytes(const struct meter_settings *settings);
struct meter *meter_init(void *memory, const struct meter_settings *settings,
                         struct record_sink sink);

/* False, and nothing done, when the meter waits for room in its sink. */
bool meter_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                  uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length);
/* Traffic time is at least now: expire what is due. False: call again when the sink has room. */
bool meter_advance(struct meter *m, uint64_t now);
/* End of input: every flow ends. False: call again when the sink has room. */
bool meter_flush(struct meter *m);
uint64_t meter_now(const struct meter *m);
uint32_t meter_flows(const struct meter *m); /* flows in the table */
const struct meter_counters *meter_counters(const struct meter *m);
const struct events *meter_events(const struct meter *m);

#endif
