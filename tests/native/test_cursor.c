/* cursor.h: every reader takes its value or takes nothing. */
#include "cursor.h"

#include "check.h"

static const uint8_t bytes[10] = {0x01, 0x82, 0x03, 0x84, 0x05, 0x86, 0x07, 0x88, 0x09, 0x8a};

static void values_are_big_endian_and_unaligned(void)
{
    struct cursor c = cursor_over(bytes, sizeof bytes);
    uint8_t u8;
    uint16_t u16;
    uint32_t u24, u32;
    CHECK(cursor_u8(&c, &u8) && cursor_u16(&c, &u16) && cursor_u24(&c, &u24) &&
          cursor_u32(&c, &u32));
    CHECK_EQ(u8, 0x01);
    CHECK_EQ(u16, 0x8203);
    CHECK_EQ(u24, 0x840586);
    CHECK_EQ(u32, 0x0788098a);
    CHECK_EQ(c.left, 0);
    c = cursor_over(bytes + 1, 4);
    CHECK(cursor_u32(&c, &u32));
    CHECK_EQ(u32, 0x82038405); /* the top bit is no sign */
}

/* Each reader with one byte less than it needs: false, and nothing moved. */
static void short_input_takes_nothing(void)
{
    uint8_t u8 = 0, out[4] = {0};
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    struct cursor part = {0, 0};
    for (uint32_t have = 0; have < 4; have++) {
        struct cursor c = cursor_over(bytes, have);
        CHECK(!cursor_u32(&c, &u32) && !cursor_bytes(&c, out, have + 1));
        CHECK(!cursor_skip(&c, have + 1) && !cursor_take(&c, have + 1, &part));
        if (have < 3)
            CHECK(!cursor_u24(&c, &u32));
        if (have < 2)
            CHECK(!cursor_u16(&c, &u16));
        if (have < 1)
            CHECK(!cursor_u8(&c, &u8));
        CHECK(c.at == bytes);
        CHECK_EQ(c.left, have);
    }
    CHECK_EQ(u8 + u16 + u32 + out[0], 0);
    CHECK(part.at == NULL);
}

/* A length near 2^32 must not wrap around the check. */
static void huge_lengths_are_refused(void)
{
    struct cursor c = cursor_over(bytes, sizeof bytes), part;
    uint8_t out[1];
    CHECK(!cursor_skip(&c, UINT32_MAX) && !cursor_bytes(&c, out, UINT32_MAX));
    CHECK(!cursor_take(&c, UINT32_MAX, &part) && !cursor_peek_u8(&c, UINT32_MAX, out));
    CHECK_EQ(c.left, sizeof bytes);
}

static void parts_are_cursors_of_their_own(void)
{
    struct cursor c = cursor_over(bytes, sizeof bytes), part;
    uint8_t u8, out[3] = {0};
    CHECK(cursor_skip(&c, 1) && cursor_take(&c, 3, &part));
    CHECK_EQ(c.left, 6);
    CHECK(c.at == bytes + 4);
    CHECK(cursor_bytes(&part, out, 3) && memcmp(out, bytes + 1, 3) == 0);
    CHECK(!cursor_u8(&part, &u8));
    CHECK(cursor_take(&c, 0, &part) && part.left == 0);
}

static void peek_does_not_move_and_trim_only_shortens(void)
{
    struct cursor c = cursor_over(bytes, sizeof bytes);
    uint8_t u8;
    CHECK(cursor_peek_u8(&c, 9, &u8));
    CHECK_EQ(u8, 0x8a);
    CHECK(!cursor_peek_u8(&c, 10, &u8));
    CHECK(c.at == bytes);
    cursor_trim(&c, 20);
    CHECK_EQ(c.left, 10);
    cursor_trim(&c, 2);
    CHECK_EQ(c.left, 2);
    CHECK(cursor_skip(&c, 2) && !cursor_skip(&c, 1));
}

int main(void)
{
    values_are_big_endian_and_unaligned();
    short_input_takes_nothing();
    huge_lengths_are_refused();
    parts_are_cursors_of_their_own();
    peek_does_not_move_and_trim_only_shortens();
    return check_done();
}
