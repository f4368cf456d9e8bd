/* Flows as records: the arrays behind Conn, Fate, Flow, Attempts, Probes and Arp
 * (hdr_lite/records).
 *
 * Each function writes one record to the buffer (at least RECORD_MAX bytes) and returns
 * its length.
 */
#ifndef HDR_LITE_FLOW_RECORD_H
#define HDR_LITE_FLOW_RECORD_H

#include "attempts.h"
#include "flow_table.h"
#include "record.h"
#include "tracking.h"

uint32_t flow_record_conn(uint8_t *buffer, const struct flow *flow, const uint8_t secret[16]);
/* reply: TCP flags of what told the fate, 0 when nothing did. */
uint32_t flow_record_fate(uint8_t *buffer, const struct flow *flow, const uint8_t secret[16],
                          uint8_t reply);
/* tracking: what conntrack knows of it, or NULL. */
uint32_t flow_record_flow(uint8_t *buffer, const struct flow *flow, const uint8_t secret[16],
                          enum flow_end end, const struct tracking *tracking);
uint32_t flow_record_attempts(uint8_t *buffer, const struct attempts_sum *sum);
/* flow: the latest of them. */
uint32_t flow_record_probes(uint8_t *buffer, const struct probes *probes, const struct flow *flow);
/* Whether the originator goes on as if it had been answered. */
bool flow_went_on(const struct flow *flow);
uint32_t flow_record_arp(uint8_t *buffer, const struct packet *packet);

#endif
