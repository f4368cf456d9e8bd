/* DNS (RFC 1035), mDNS (RFC 6762) and LLMNR (RFC 4795): a record per transaction.
 *
 * Questions wait in one bounded table, in the order they were asked, until their
 * answer comes; the oldest is told unanswered when the table is full, and each
 * flow's when it ends. A flow's questions hang on a head that the flow's owner keeps.
 */
#ifndef HDR_LITE_PARSE_DNS_H
#define HDR_LITE_PARSE_DNS_H

#include "application_internal.h"

/* Questions that one flow may have pending. */
#define DNS_PENDING_OF_FLOW 64u

struct dns_table; /* opaque; lives in memory that the caller gives */

uint64_t dns_table_bytes(uint32_t questions);
struct dns_table *dns_table_init(void *memory, uint32_t questions);

bool dns_port(const struct flow_key *key);
/* Whether the header is one that DNS would have: the message starts at the cursor. */
bool dns_plausible(struct cursor message);
/* One message. whole is false when its end was not captured. False: it is no DNS. */
bool dns_message(struct dns_table *table, const struct exchange *x, uint32_t *head,
                 struct cursor message, bool whole);
/* Messages behind length prefixes (RFC 1035, 4.2.2) in one direction of a stream. */
enum parse_result dns_stream(struct dns_table *table, const struct exchange *x, uint32_t *head);
/* The flow ends: tell its questions unanswered. */
void dns_end(struct dns_table *table, const struct exchange *x, uint32_t *head);

#endif
