/* netlink.c: messages and attributes, and everything that is none. */
#include "messages.h"

static void test_messages(void)
{
    struct made m = {.length = 0};
    struct netlink_message message;
    uint32_t at = begin_message(&m, 7, 42);
    put(&m, "abcde", 5);
    end_message(&m, at);
    end_message(&m, begin_message(&m, NETLINK_DONE, 43));
    struct cursor datagram = exact(&m, m.length);
    CHECK_EQ(netlink_message(&datagram, &message), NETLINK_TAKEN);
    CHECK_EQ(message.type, 7);
    CHECK_EQ(message.sequence, 42);
    CHECK_EQ(message.body.left, 5);
    CHECK(memcmp(message.body.at, "abcde", 5) == 0);
    CHECK_EQ(netlink_message(&datagram, &message), NETLINK_TAKEN);
    CHECK_EQ(message.type, NETLINK_DONE);
    CHECK_EQ(netlink_message(&datagram, &message), NETLINK_END);
}

static void test_lengths_that_lie(void)
{
    static const uint32_t LENGTHS[] = {0, 1, 15, 17, 4096, UINT32_MAX, UINT32_MAX - 3};
    struct netlink_message message;
    for (unsigned i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        struct made m = {.length = 0};
        (void)begin_message(&m, 7, 0);
        memcpy(m.bytes, &LENGTHS[i], 4);
        struct cursor datagram = exact(&m, 16);
        CHECK_EQ(netlink_message(&datagram, &message), NETLINK_BAD);
    }
    for (uint32_t cut = 1; cut < 16; cut++) {
        struct made m = {.length = 0};
        end_message(&m, begin_message(&m, 7, 0));
        struct cursor datagram = exact(&m, cut);
        CHECK_EQ(netlink_message(&datagram, &message), NETLINK_BAD);
    }
}

static void test_attributes(void)
{
    static const uint16_t LENGTHS[] = {0, 3, 9, 4096, UINT16_MAX};
    struct made m = {.length = 0};
    struct cursor value;
    uint16_t type;
    put_attribute(&m, 3 | 0x8000, "xyz", 3);
    put_attribute(&m, 4, "", 0);
    struct cursor attributes = exact(&m, m.length);
    CHECK_EQ(netlink_attribute(&attributes, &type, &value), NETLINK_TAKEN);
    CHECK_EQ(type, 3);
    CHECK_EQ(value.left, 3);
    CHECK_EQ(netlink_attribute(&attributes, &type, &value), NETLINK_TAKEN);
    CHECK_EQ(value.left, 0);
    CHECK_EQ(netlink_attribute(&attributes, &type, &value), NETLINK_END);
    for (unsigned i = 0; i < sizeof LENGTHS / sizeof LENGTHS[0]; i++) {
        memcpy(m.bytes, &LENGTHS[i], 2);
        attributes = exact(&m, 8);
        CHECK_EQ(netlink_attribute(&attributes, &type, &value), NETLINK_BAD);
    }
    uint16_t unpadded = 7; /* the last one of a message may be */
    memcpy(m.bytes, &unpadded, 2);
    attributes = exact(&m, 7);
    CHECK_EQ(netlink_attribute(&attributes, &type, &value), NETLINK_TAKEN);
    CHECK_EQ(netlink_attribute(&attributes, &type, &value), NETLINK_END);
}

static void test_values(void)
{
    static const uint8_t BYTES[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u32 = 0;
    uint64_t u64 = 0;
    CHECK(netlink_u8(cursor_over(BYTES, 1), &u8) && u8 == 1);
    CHECK(netlink_u16(cursor_over(BYTES, 2), &u16) && u16 == 0x0102);
    CHECK(netlink_u32(cursor_over(BYTES, 4), &u32) && u32 == 0x01020304);
    CHECK(netlink_u64(cursor_over(BYTES, 8), &u64) && u64 == UINT64_C(0x0102030405060708));
    for (uint32_t length = 0; length <= 9; length++) {
        CHECK_EQ(netlink_u8(cursor_over(BYTES, length), &u8), length == 1);
        CHECK_EQ(netlink_u16(cursor_over(BYTES, length), &u16), length == 2);
        CHECK_EQ(netlink_u32(cursor_over(BYTES, length), &u32), length == 4);
        CHECK_EQ(netlink_u64(cursor_over(BYTES, length), &u64), length == 8);
    }
}

static void test_errors(void)
{
    struct netlink_message message;
    int32_t refused = -1;
    int code = 0;
    message.body = cursor_over(&refused, 4);
    CHECK(netlink_error(&message, &code) && code == -1);
    message.body = cursor_over(&refused, 3);
    CHECK(!netlink_error(&message, &code));
}

int main(void)
{
    test_messages();
    test_lengths_that_lie();
    test_attributes();
    test_values();
    test_errors();
    return check_done();
}
