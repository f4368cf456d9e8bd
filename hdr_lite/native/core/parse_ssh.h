/* SSH (RFC 4253, 4252): identification strings, and a guess at what happened behind
 * the encryption, from the sizes and directions of segments.
 *
 * One record when the connection ends, and one for each word of the server on a login.
 */
#ifndef HDR_LITE_PARSE_SSH_H
#define HDR_LITE_PARSE_SSH_H

#include "application_internal.h"

#define SSH_IDENTIFICATION 255u /* RFC 4253, 4.2 */
#define LOGINS_TOLD 32u         /* of a connection; servers end it sooner */

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
    uint64_t answered, pause;       /* when the server spoke last; from then until the request */
    uint64_t round;                 /* from the service request to its acceptance */
    uint32_t refusal;               /* the size of replies that say no, 0 unknown */
    uint8_t told;                   /* words on logins */
    bool refused;                   /* that of the request under way is */
};

struct ssh_state {
    struct ssh_side side[2]; /* client, server */
    struct ssh_dialogue dialogue;
    uint8_t version;
};

void ssh_begin(struct ssh_state *s);
/* The part in the clear. */
enum parse_result ssh_parse(struct ssh_state *s, const struct exchange *x);
/* The rest of this segment was not captured: packets of the key exchange begin with the next. */
void ssh_cut(struct ssh_state *s, const struct exchange *x, const struct segment *segment);
/* Whether the direction's bytes are encrypted by now; then its segments go here. */
bool ssh_encrypted(const struct ssh_state *s, const struct exchange *x);
void ssh_segment(struct ssh_state *s, const struct exchange *x, const struct segment *segment);
void ssh_end(struct ssh_state *s, const struct exchange *x);

#endif
