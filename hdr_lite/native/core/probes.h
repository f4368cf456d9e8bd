/* Bursts: how much one source tries that nothing has answered yet, before any of it had the time
 * in which an attempt must be answered. A scan is then known by its first dozen packets, also
 * where ports are silent.
 *
 * A burst is a row of attempts by one protocol to ports of one host, or to one port of hosts; an
 * attempt that continues neither begins a new one. It is told at 10, 20 and 40 distinct ones
 * without an answer (a refusal is none), once they had a moment for it. Ports of one host: 4 ms
 * since the first, which every host of a LAN can do; 25 of them are told without. Hosts: 100 ms
 * for ten of them, for ordinary programs do ask many hosts at once.
 */
#ifndef HDR_LITE_PROBES_H
#define HDR_LITE_PROBES_H

#include <stdbool.h>
#include <stdint.h>

#define PROBES_MOST 40 /* targets that are remembered; those that answered make room */

/* All zeros is one that has not begun. */
struct probes {
    uint8_t dst[16]; /* of the first */
    uint16_t port;   /* of the first */
    uint8_t proto;
    bool hosts_differ, ports_differ;
    uint64_t begin;
    uint64_t waiting_from; /* from then on ten and more were without an answer; 0: they are not */
    uint32_t tried_then;   /* so many had been tried until then */
    uint32_t next;         /* so many are told next */
    uint32_t count, left;  /* targets below; answered ones that made room */
    uint64_t answered;     /* a bit for each of them */
    uint32_t targets[PROBES_MOST]; /* their hashes */
};

/* What an attempt is aimed at. */
struct probes_target {
    const uint8_t *dst;
    uint16_t port;
    uint8_t proto;
    uint64_t hash; /* of address and port */
};

/* An attempt begins: is the burst to be told now? */
bool probes_try(struct probes *b, const struct probes_target *target, uint64_t now);
/* One was answered; whatever belongs to no burst changes nothing. */
void probes_answer(struct probes *b, const struct probes_target *target);
/* Distinct targets that were tried, and of those answered. */
uint32_t probes_tried(const struct probes *b);
uint32_t probes_answered(const struct probes *b);

#endif
