/* What the first packet of a flow tells: who sent it, and whether it is an attempt (meter.h). */
#ifndef HDR_LITE_FIRST_PACKET_H
#define HDR_LITE_FIRST_PACKET_H

#include "packet.h"

/* Did the responder send it? */
bool first_packet_is_reply(const struct packet *p);
/* Does it, which is no reply, open a flow? */
bool first_packet_is_opening(const struct packet *p);
/* To many hosts: nobody in particular is asked for an answer. */
bool first_packet_is_to_group(const struct packet *p);

#endif
