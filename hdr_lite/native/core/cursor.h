/* A bounds-checked, big-endian reader: the only way to touch packet bytes.
 *
 * A cursor is a position and how much is left behind it. Every function takes
 * a value and moves on, or takes nothing and returns false; the caller never
 * touches the pointer. Values are assembled byte by byte, so that unaligned
 * input is fine on every machine. The memory belongs to the caller.
 */
#ifndef HDR_LITE_CURSOR_H
#define HDR_LITE_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cursor {
    const uint8_t *at;
    uint32_t left;
};

static inline struct cursor cursor_over(const void *bytes, uint32_t length)
{
    struct cursor c = {bytes, length};
    return c;
}

static inline bool cursor_skip(struct cursor *c, uint32_t n)
{
    if (c->left < n)
        return false;
    c->at += n;
    c->left -= n;
    return true;
}

static inline bool cursor_u8(struct cursor *c, uint8_t *out)
{
    if (c->left < 1)
        return false;
    *out = c->at[0];
    c->at += 1;
    c->left -= 1;
    return true;
}

static inline bool cursor_u16(struct cursor *c, uint16_t *out)
{
    if (c->left < 2)
        return false;
    *out = (uint16_t)((c->at[0] << 8) | c->at[1]);
    c->at += 2;
    c->left -= 2;
    return true;
}

static inline bool cursor_u24(struct cursor *c, uint32_t *out)
{
    if (c->left < 3)
        return false;
    *out = ((uint32_t)c->at[0] << 16) | ((uint32_t)c->at[1] << 8) | c->at[2];
    c->at += 3;
    c->left -= 3;
    return true;
}

static inline bool cursor_u32(struct cursor *c, uint32_t *out)
{
    if (c->left < 4)
        return false;
    *out = ((uint32_t)c->at[0] << 24) | ((uint32_t)c->at[1] << 16) | ((uint32_t)c->at[2] << 8) |
           c->at[3];
    c->at += 4;
    c->left -= 4;
    return true;
}

/* Copy the next n bytes to out: for fixed headers, whose fields be16() and be32() then read. */
static inline bool cursor_bytes(struct cursor *c, void *out, uint32_t n)
{
    if (c->left < n)
        return false;
    memcpy(out, c->at, n);
    c->at += n;
    c->left -= n;
    return true;
}

/* Set part aside as a cursor of its own over the next n bytes, and move past them. */
static inline bool cursor_take(struct cursor *c, uint32_t n, struct cursor *part)
{
    if (c->left < n)
        return false;
    part->at = c->at;
    part->left = n;
    c->at += n;
    c->left -= n;
    return true;
}

static inline uint16_t be16(const uint8_t *copied)
{
    return (uint16_t)((copied[0] << 8) | copied[1]);
}

static inline uint32_t be32(const uint8_t *copied)
{
    return ((uint32_t)copied[0] << 24) | ((uint32_t)copied[1] << 16) | ((uint32_t)copied[2] << 8) |
           copied[3];
}

/* Two bytes in the order of this machine: capture formats whose headers libpcap hands out so. */
static inline bool cursor_host_u16(struct cursor *c, uint16_t *out)
{
    return cursor_bytes(c, out, 2);
}

/* Look at the byte at an offset without moving. */
static inline bool cursor_peek_u8(const struct cursor *c, uint32_t offset, uint8_t *out)
{
    if (offset >= c->left)
        return false;
    *out = c->at[offset];
    return true;
}

/* The offset of the first byte of that value. */
static inline bool cursor_find(const struct cursor *c, uint8_t byte, uint32_t *offset)
{
    const uint8_t *found = c->left > 0 ? memchr(c->at, byte, c->left) : NULL;
    if (found == NULL)
        return false;
    *offset = (uint32_t)(found - c->at);
    return true;
}

/* Whether the next n bytes are these. */
static inline bool cursor_starts(const struct cursor *c, const void *bytes, uint32_t n)
{
    return c->left >= n && memcmp(c->at, bytes, n) == 0;
}

/* Forget what lies past the first n bytes (padding behind a length field). */
static inline void cursor_trim(struct cursor *c, uint32_t n)
{
    if (c->left > n)
        c->left = n;
}

#endif
