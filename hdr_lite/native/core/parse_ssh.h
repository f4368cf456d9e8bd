/* SSH (RFC 4253, 4252): identification strings, and a guess at what happened behind
 * the encryption, from the sizes and directions of segments.
 *
 * One record when the connection ends.
 */
#ifndef HDR_LITE_PARSE_SSH_H
#define HDR_LITE_PARSE_SSH_H

#include "application_internal.h"

#define SSH_IDENTIFICATION 255u /* RFC 4253, 4.2 */

struct ssh_side {
    uint8_t phase, lines, length;
    uint32_t next;  /* sequence number of the next encrypted byte */
    uint64_t bytes; /* encrypted ones so far */
    uint8_t text[SSH_IDENTIFICATION];
};

/* The authentication dialogue as sizes show it. Sizes are of TCP payloads. */
struct ssh_dialogue {
    uint8_t phase;
    bool success, smaller;          /* smaller: a request smaller than the first was seen */
    uint32_t service, accept;       /* service request and its acceptance */
    uint32_t request, reply, first; /* under way; the first request */
    uint32_t failure;               /* the reply that says no */
    uint32_t alike, others;         /* failures of requests quick and like the first; the rest */
    uint64_t asked, delay;          /* when the request came; until the first reply */
};

struct ssh_state {
    struct ssh_side side[2]; /* client, server */
    struct ssh_dialogue dialogue;
    uint8_t version;
};

void ssh_begin(struct ssh_state *s);
/* The part in the clear. */
enum parse_result ssh_parse(struct ssh_state *s, const struct exchange *x);
/* Whether the direction's bytes are encrypted by now; then its segments go here. */
bool ssh_encrypted(const struct ssh_state *s, const struct exchange *x);
void ssh_segment(struct ssh_state *s, const struct exchange *x, const struct segment *segment);
void ssh_end(struct ssh_state *s, const struct exchange *x);

#endif
