/* Protocol facts from the first payloads of a flow.
 *
 * A flow that may carry a protocol we read is given a slot of a preallocated
 * pool, which holds the first bytes of each direction in order until its parser
 * has what it needs; then the slot returns. When no slot is free the oldest one
 * is taken (counted). UDP payloads are parsed packet by packet. Parsers only see
 * cursors and struct flow; they emit records through the sink.
 */
#ifndef HDR_LITE_APPLICATION_H
#define HDR_LITE_APPLICATION_H

#include "flow_table.h"
#include "record.h"

enum service { SERVICE_UNKNOWN = 0, SERVICE_DNS, SERVICE_HTTP, SERVICE_TLS, SERVICE_SSH };
const char *service_name(enum service service); /* Zeek's: "dns" "http" "ssl" "ssh", "" */

struct application_pool; /* opaque; lives in memory that the caller gives */

/* What the parsers need from the meter, set once. */
struct application_context {
    struct record_sink *sink;
    struct events *events;
    const uint8_t *secret;
    uint8_t *scratch; /* RECORD_MAX bytes for the record under way */
};

uint64_t application_pool_bytes(uint32_t slots);
struct application_pool *application_pool_init(void *memory, uint32_t slots,
                                               struct application_context context);
/* A packet of the flow, in the given direction, after the meter has updated the flow.
 * May set flow->service and flow->application. */
void application_packet(struct application_pool *pool, struct flow *flow, enum direction direction,
                        const struct packet *packet);
/* The flow ends: tell what is known and give back its slot. */
void application_end(struct application_pool *pool, struct flow *flow, uint64_t now);
uint64_t application_evicted(const struct application_pool *pool);

#endif
