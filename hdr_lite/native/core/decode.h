/* Bytes of one frame, of a given link type, to a struct packet. */
#ifndef HDR_LITE_DECODE_H
#define HDR_LITE_DECODE_H

#include "packet.h"

/* Nested headers (tags, tunnels) beyond this end the decoding with EVENT_LAYERS_EXCEEDED. */
#define DECODE_MAX_LAYERS 16

/* Link types by their libpcap DLT numbers (pcap-linktype(7)). */
bool decode_knows(int linktype);

/* Fill packet from a frame. ts, lengths and interface are set by the caller
 * before the call; everything else here. Always succeeds: what cannot be
 * decoded leaves kind PACKET_OTHER, and each defect is counted in events.
 * Returns how many defects it met. */
unsigned decode_packet(struct packet *packet, int linktype, const uint8_t *bytes, uint32_t length,
                       struct events *events);

#endif
