/* Netlink messages for the tests, written attribute by attribute in the kernel's form. */
#ifndef HDR_LITE_MESSAGES_H
#define HDR_LITE_MESSAGES_H

#include "check.h"
#include "netlink.h"

#include <stdlib.h>

#define MESSAGE_MOST 4096

struct made {
    uint8_t bytes[MESSAGE_MOST];
    uint32_t length;
};

static inline void put(struct made *m, const void *bytes, uint32_t length)
{
    memcpy(m->bytes + m->length, bytes, length);
    m->length += length;
}

static inline void put_u16(struct made *m, uint16_t value)
{
    put(m, &value, 2);
}

static inline void put_u32(struct made *m, uint32_t value)
{
    put(m, &value, 4);
}

static inline void put_padding(struct made *m)
{
    while (m->length % 4 != 0)
        m->bytes[m->length++] = 0;
}

/* Begin a message; end() with what it returned sets the length. */
static inline uint32_t begin_message(struct made *m, uint16_t type, uint32_t sequence)
{
    uint32_t at = m->length;
    put_u32(m, 0);
    put_u16(m, type);
    put_u16(m, 0);
    put_u32(m, sequence);
    put_u32(m, 0);
    return at;
}

static inline void end_message(struct made *m, uint32_t at)
{
    uint32_t length = m->length - at;
    memcpy(m->bytes + at, &length, 4);
    put_padding(m);
}

/* nfgenmsg: family, version, a group's number. */
static inline void put_family(struct made *m, uint8_t family, uint16_t group)
{
    uint8_t bytes[4] = {family, 0, (uint8_t)(group >> 8), (uint8_t)group};
    put(m, bytes, 4);
}

static inline void put_attribute(struct made *m, uint16_t type, const void *value, uint32_t length)
{
    put_u16(m, (uint16_t)(length + 4));
    put_u16(m, type);
    put(m, value, length);
    put_padding(m);
}

static inline uint32_t begin_nested(struct made *m, uint16_t type)
{
    uint32_t at = m->length;
    put_u16(m, 0);
    put_u16(m, type | 0x8000);
    return at;
}

static inline void end_nested(struct made *m, uint32_t at)
{
    uint16_t length = (uint16_t)(m->length - at);
    memcpy(m->bytes + at, &length, 2);
}

/* A value in network order, so many bytes wide. */
static inline void put_number(struct made *m, uint16_t type, uint64_t value, uint32_t bytes)
{
    uint8_t out[8];
    for (uint32_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    put_attribute(m, type, out, bytes);
}

/* A copy of exactly that length, so that AddressSanitizer sees a read past it. */
static inline struct cursor exact(const struct made *m, uint32_t length)
{
    static uint8_t *last;
    free(last);
    last = malloc(length ? length : 1);
    if (last == NULL)
        abort();
    memcpy(last, m->bytes, length);
    return cursor_over(last, length);
}

#endif
