/* record.c: every msgpack form, text from the wire, addresses, and a full buffer. */
#include "record.h"

#include "check.h"

static uint8_t buffer[RECORD_MAX];

/* The record as hexadecimal text. */
static const char *hex(const struct record_writer *w)
{
    static char text[2 * RECORD_MAX + 1];
    uint32_t length = record_finish(w);
    for (uint32_t i = 0; i < length; i++)
        snprintf(text + 2 * i, 3, "%02x", w->start[i]);
    text[2 * length] = '\0';
    return text;
}

static const char *uint_hex(uint64_t value)
{
    struct record_writer w;
    record_begin(&w, buffer, sizeof buffer, 1);
    record_uint(&w, value);
    return hex(&w);
}

static void test_integers_take_their_shortest_form(void)
{
    CHECK_STR(uint_hex(0), "9100");
    CHECK_STR(uint_hex(127), "917f");
    CHECK_STR(uint_hex(128), "91cc80");
    CHECK_STR(uint_hex(255), "91ccff");
    CHECK_STR(uint_hex(256), "91cd0100");
    CHECK_STR(uint_hex(65536), "91ce00010000");
    CHECK_STR(uint_hex(UINT64_C(4294967296)), "91cf0000000100000000");
    CHECK_STR(uint_hex(UINT64_MAX), "91cfffffffffffffffff");
}

static void test_other_forms(void)
{
    struct record_writer w;
    record_begin(&w, buffer, sizeof buffer, 16);
    record_nil(&w);
    record_bool(&w, true);
    record_bool(&w, false);
    record_array(&w, 0);
    record_cstring(&w, "");
    record_cstring(&w, "tcp");
    CHECK_STR(hex(&w), "dc0010c0c3c290a0a3746370");
    record_begin(&w, buffer, sizeof buffer, 70000);
    CHECK_STR(hex(&w), "dd00011170");
}

static uint32_t text_length(uint32_t length)
{
    static char text[RECORD_MAX];
    memset(text, 'x', sizeof text);
    struct record_writer w;
    record_begin(&w, buffer, sizeof buffer, 1);
    record_text(&w, text, length);
    return record_finish(&w);
}

static void test_text_heads(void)
{
    CHECK_EQ(text_length(31), 1 + 1 + 31);
    CHECK_EQ(text_length(32), 1 + 2 + 32);
    CHECK_EQ(text_length(255), 1 + 2 + 255);
    CHECK_EQ(text_length(256), 1 + 3 + 256);
}

static const char *wire(const char *bytes, uint32_t length, uint32_t most)
{
    static char out[256];
    struct record_writer w;
    record_begin(&w, buffer, sizeof buffer, 0);
    record_wire_text(&w, (const uint8_t *)bytes, length, most);
    uint32_t size = record_finish(&w) - 2; /* the array's head and a short text's */
    CHECK_EQ(buffer[1], 0xa0 | size);
    memcpy(out, buffer + 2, size);
    out[size] = '\0';
    return out;
}

static void test_wire_text_is_printable_and_cut_between_escapes(void)
{
    CHECK_STR(wire("a~ b", 4, 30), "a~ b");
    CHECK_STR(wire("a\0\\\xff", 4, 30), "a\\x00\\x5c\\xff");
    CHECK_STR(wire("abc", 3, 2), "ab");
    CHECK_STR(wire("ab\n", 3, 5), "ab");
    CHECK_STR(wire("ab\n", 3, 6), "ab\\x0a");
    CHECK_STR(wire("abc", 3, 0), "");
}

static const char *address(const char *bytes)
{
    static char text[46];
    unsigned length = address_text(text, (const uint8_t *)bytes);
    CHECK_EQ(length, strlen(text));
    return text;
}

static void test_addresses_as_in_rfc_5952(void)
{
    CHECK_STR(address("\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x80"), "192.0.2.128");
    CHECK_STR(address("\0\0\0\0\0\0\0\0\0\0\xff\xff\0\x0a\x64\xff"), "0.10.100.255");
    CHECK_STR(address("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "::");
    CHECK_STR(address("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "::1");
    CHECK_STR(address("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x0f"), "2001:db8::f");
    CHECK_STR(address("\x20\x01\x0d\xb8\0\0\0\1\0\1\0\1\0\1\0\1"), "2001:db8:0:1:1:1:1:1");
    CHECK_STR(address("\x20\x01\x0d\xb8\0\0\0\0\0\1\0\0\0\0\0\1"), "2001:db8::1:0:0:1");
    CHECK_STR(address("\x20\x01\0\0\0\0\0\1\0\0\0\0\0\0\0\1"), "2001:0:0:1::1");
    CHECK_STR(address("\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "fe80::");
    CHECK_STR(address("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
              "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

static void test_mac(void)
{
    struct record_writer w;
    record_begin(&w, buffer, sizeof buffer, 0);
    record_mac(&w, (const uint8_t *)"\x02\0\xab\xcd\xef\x01");
    CHECK_EQ(record_finish(&w), 1 + 1 + 17);
    CHECK(memcmp(buffer + 2, "02:00:ab:cd:ef:01", 17) == 0);
    record_begin(&w, buffer, sizeof buffer, 3);
    record_mac_if(&w, (const uint8_t *)"\0\0\0\0\0\0", true);
    record_mac_if(&w, (const uint8_t *)"\x02\0\xab\xcd\xef\x01", false);
    record_mac_if(&w, (const uint8_t *)"\x02\0\xab\xcd\xef\x01", true);
    CHECK_EQ(record_finish(&w), 1 + 1 + 1 + 1 + 17);
}

static void test_a_full_buffer_fails_for_good_and_nothing_is_written_past_it(void)
{
    memset(buffer, 0xee, 16);
    struct record_writer w;
    record_begin(&w, buffer, 4, 2);
    record_cstring(&w, "abc"); /* needs one byte more than there is */
    record_uint(&w, 1);        /* would fit, but the record is spoilt */
    CHECK(w.failed);
    CHECK_EQ(record_finish(&w), 0);
    CHECK_EQ(buffer[4], 0xee);
    record_begin(&w, buffer, 3, 2);
    record_uint(&w, 300);
    CHECK_EQ(record_finish(&w), 0);
    CHECK_EQ(buffer[3], 0xee);
}

int main(void)
{
    test_integers_take_their_shortest_form();
    test_other_forms();
    test_text_heads();
    test_wire_text_is_printable_and_cut_between_escapes();
    test_addresses_as_in_rfc_5952();
    test_mac();
    test_a_full_buffer_fails_for_good_and_nothing_is_written_past_it();
    return check_done();
}
