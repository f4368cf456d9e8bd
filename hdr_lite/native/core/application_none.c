/* A meter without parsers: what application.h promises, kept by reading nothing.
 *
 * Weak, so that a build that has parsers takes those.
 */
#include "application.h"

#define WEAK __attribute__((weak))

WEAK const char *service_name(enum service service)
{
    (void)service;
    return "";
}

WEAK uint32_t application_pool_bytes(uint32_t slots)
{
    (void)slots;
    return 0;
}

WEAK struct application_pool *application_pool_init(void *memory, uint32_t slots,
                                                    struct application_context context)
{
    (void)slots;
    (void)context;
    return memory;
}

WEAK void application_packet(struct application_pool *pool, struct flow *flow,
                             enum direction direction, const struct packet *packet)
{
    (void)pool;
    (void)flow;
    (void)direction;
    (void)packet;
}

WEAK void application_end(struct application_pool *pool, struct flow *flow, uint64_t now)
{
    (void)pool;
    (void)flow;
    (void)now;
}

WEAK uint64_t application_evicted(const struct application_pool *pool)
{
    (void)pool;
    return 0;
}
