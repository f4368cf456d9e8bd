/* What TCP packets tell about their connection: states, letters, bytes.
 *
 * The words are Zeek's (conn.log's conn_state and history); the rules differ where
 * Zeek believes what a blind forger can send: a RST counts only with a sequence
 * number that its receiver would accept, and a SYN inside an established connection
 * changes nothing.
 */
#ifndef HDR_LITE_TCP_STATE_H
#define HDR_LITE_TCP_STATE_H

#include "flow_table.h"

enum tcp_end { /* of one side */
               TCP_END_INACTIVE = 0,
               TCP_END_SYN_SENT,
               TCP_END_SYN_ACK_SENT,
               TCP_END_PARTIAL, /* seen in the middle */
               TCP_END_ESTABLISHED,
               TCP_END_CLOSED, /* sent FIN */
               TCP_END_RESET,
};

/* How far above what was seen a RST is believed: a window without scaling. */
#define TCP_RESET_WINDOW 65536

/* Take a packet into sequence numbers, bytes, history and states. Called before its side's
 * packet count goes up. */
void tcp_take(struct flow *flow, enum direction from, const struct packet *packet);
/* Whether the originator, having opened it by a SYN, has reset the connection. */
bool tcp_given_up(const struct flow *flow);
/* What a responder's packet, already taken, says about the fate of the connection. */
enum flow_fate tcp_fate(const struct flow *flow, const struct packet *packet);
/* The responder has taken part: more than refused, and more than acknowledged a SYN. */
bool tcp_answered(const struct flow *flow);
/* Reset, or closed on both sides. */
bool tcp_over(const struct flow *flow);
/* Whether a SYN starts another connection under the ports of one that is over. */
bool tcp_reuses(const struct flow *flow, enum direction from, const struct packet *packet);
/* Zeek's conn_state: "S0" "S1" "SF" "REJ" "S2" "S3" "RSTO" "RSTR" "RSTOS0" "RSTRH" "SH" "SHR"
 * "OTH". */
const char *tcp_conn_state(const struct flow *flow);

#endif
