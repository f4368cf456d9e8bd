/* Netlink framing (netlink.h); what calls the system is in receive.c. */
#include "netlink.h"

#define HEADER 16u
#define ATTRIBUTE_HEADER 4u

static uint32_t padding(uint32_t length)
{
    return (4u - length % 4u) % 4u;
}

/* The last part of a datagram may come without its padding. */
static void skip_padding(struct cursor *c, uint32_t length)
{
    uint32_t n = padding(length);
    (void)cursor_skip(c, n < c->left ? n : c->left);
}

enum netlink_step netlink_message(struct cursor *datagram, struct netlink_message *message)
{
    uint32_t length;
    if (datagram->left == 0)
        return NETLINK_END;
    struct cursor c = *datagram;
    if (!cursor_bytes(&c, &length, 4) || !cursor_bytes(&c, &message->type, 2) ||
        !cursor_bytes(&c, &message->flags, 2) || !cursor_bytes(&c, &message->sequence, 4) ||
        !cursor_bytes(&c, &message->port, 4) || length < HEADER ||
        !cursor_take(&c, length - HEADER, &message->body))
        return NETLINK_BAD;
    skip_padding(&c, length);
    *datagram = c;
    return NETLINK_TAKEN;
}

enum netlink_step netlink_attribute(struct cursor *attributes, uint16_t *type, struct cursor *value)
{
    uint16_t length;
    if (attributes->left == 0)
        return NETLINK_END;
    struct cursor c = *attributes;
    if (!cursor_bytes(&c, &length, 2) || !cursor_bytes(&c, type, 2) || length < ATTRIBUTE_HEADER ||
        !cursor_take(&c, length - ATTRIBUTE_HEADER, value))
        return NETLINK_BAD;
    *type &= 0x3fff;
    skip_padding(&c, length);
    *attributes = c;
    return NETLINK_TAKEN;
}

bool netlink_error(const struct netlink_message *message, int *code)
{
    struct cursor c = message->body;
    int32_t value;
    if (!cursor_bytes(&c, &value, 4))
        return false;
    *code = value;
    return true;
}

bool netlink_u8(struct cursor value, uint8_t *out)
{
    return value.left == 1 && cursor_u8(&value, out);
}

bool netlink_u16(struct cursor value, uint16_t *out)
{
    return value.left == 2 && cursor_u16(&value, out);
}

bool netlink_u32(struct cursor value, uint32_t *out)
{
    return value.left == 4 && cursor_u32(&value, out);
}

bool netlink_u64(struct cursor value, uint64_t *out)
{
    uint32_t high, low;
    if (value.left != 8 || !cursor_u32(&value, &high) || !cursor_u32(&value, &low))
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}
