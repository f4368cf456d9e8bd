/* The meter: packet -> flow table -> records. The public face of core.
 *
 * All memory is given at start (meter_bytes() tells how much); nothing is
 * allocated later. Time is the packets'; meter_advance() moves it when none come.
 * The clock never goes back: a packet from the past is taken at the clock's time, though
 * the flow's own times are the packet's.
 *
 * What it tells of a flow, by its first packet:
 * - an *opening* (TCP SYN; a TCP segment without SYN, RST or payload, which is how scans
 *   probe; a UDP packet; an ICMP request; any other protocol) gets a Conn at once. Unless
 *   it goes to a group of hosts it is an *attempt* and gets one Fate: answered, refused,
 *   or unanswered after attempt_timeout, at the end of the input, or when its slot is needed
 *   before. A probe that turns out to be one side of a running connection gets none.
 * - anything else (data in the middle of a connection, SYN-ACK, RST, a reply whose request
 *   was not seen) is nobody's attempt and gets neither.
 * Every flow gets a Flow when it ends and a checkpoint each active_timeout. What failed
 * too often is summed instead (attempts.h) and ends as RECORD_FOLDED_FLOW.
 *
 * The originator sent the first packet, except that a SYN-ACK's receiver is the originator
 * and that a packet from a well-known port to one that is not was a reply (Zeek's rule;
 * history then begins with '^'). Each side of a flow counts on the interface where it was
 * first seen; a forwarded copy on another interface is not counted.
 *
 * A source may show the first packets of each side only (and FINs and RSTs), if first_packets
 * says how many: meter_sampled_packet() takes them, meter_conntrack() what the kernel counts.
 * Their flows live at least as long as the kernel says, and are told with its counts.
 */
#ifndef HDR_LITE_METER_H
#define HDR_LITE_METER_H

#include "application.h"
#include "decode.h"
#include "flow_table.h"
#include "record.h"
#include "tracking.h"

struct meter_settings {
    uint32_t flows;           /* slots of the flow table */
    uint32_t applications;    /* slots of the application pool */
    uint32_t sources;         /* entries of the table of attempt sums */
    uint64_t attempt_timeout; /* ns without an answer until a connection is unanswered */
    uint64_t tcp_idle, udp_idle, icmp_idle; /* ns */
    uint64_t closed_linger;                 /* ns a closed TCP flow stays for its last packets */
    uint64_t active_timeout;                /* ns between checkpoints of a long flow */
    uint32_t fold_after;     /* failed attempts of a source (or to a target) told singly... */
    uint64_t fold_interval;  /* ...in this many ns; the rest become sums, told at its end */
    uint32_t first_packets;  /* of each side that a sampling source shows; 0: there is none */
    uint8_t secret[16];      /* of ids and estimates: the same in every replay */
    uint8_t hash_secret[16]; /* of hash tables: never known, and nothing that is told rests on it */
    bool wait;               /* replay: stop rather than drop when the sink is full */
};

struct meter_counters {
    uint64_t packets, bytes;
    uint64_t other_packets;  /* nothing that is followed */
    uint64_t copied_packets; /* seen before on another interface */
    uint64_t flows, folded_flows, checkpoints;
    uint64_t suppressed; /* starts, ARP messages and facts not told, for there were too many */
    uint64_t evicted_flows, evicted_applications, evicted_sources;
    uint64_t records[RECORD_KINDS], dropped[RECORD_KINDS];
    uint64_t table_peak;
    /* Connections older than we are that ended: the kernel sends no events about them, and their
     * totals are to be had for seconds only, by a dump. */
    uint64_t older_ended;
};

struct meter;

/* May be more than this machine can address. */
uint64_t meter_bytes(const struct meter_settings *settings);
/* Memory is zeroed, aligned to 64 and stays the caller's; the sink is copied. */
struct meter *meter_init(void *memory, const struct meter_settings *settings,
                         struct record_sink sink);

/* False, and nothing done, when the meter waits for room in its sink. */
bool meter_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                  uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length);
/* The same for a packet of a source that shows only some of a flow's. Needs first_packets. */
bool meter_sampled_packet(struct meter *m, int linktype, uint16_t interface, uint64_t ts,
                          uint32_t wire_length, const uint8_t *bytes, uint32_t captured_length);
/* What conntrack tells at that moment of traffic time. Needs first_packets. */
enum tracked_flow meter_conntrack(struct meter *m, const struct tracked *news,
                                  enum tracked_news what, uint64_t now);
/* Traffic time is at least now: expire what is due. False: call again when the sink has room
 * (also live, where nothing is lost by expiring later). */
bool meter_advance(struct meter *m, uint64_t now);
/* End of input: every flow ends. False: call again when the sink has room. A meter that does
 * not wait drops what does not fit instead. */
bool meter_flush(struct meter *m);
uint64_t meter_now(const struct meter *m);
uint32_t meter_flows(const struct meter *m); /* flows in the table */
const struct meter_counters *meter_counters(struct meter *m);
const struct events *meter_events(const struct meter *m);

#endif
