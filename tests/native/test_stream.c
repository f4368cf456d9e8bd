/* Streams: order, overlap, loss, skips; and a random walk against the text that was sent. */
#include "stream.h"

#include "check.h"

static struct stream s;
static struct events events;

static bool add(uint32_t seq, const char *text)
{
    struct segment segment = {seq, (uint32_t)strlen(text),
                              cursor_over(text, (uint32_t)strlen(text))};
    return stream_add(&s, &segment, &events);
}

static const char *view(void)
{
    static char text[STREAM_SIZE + 1];
    struct cursor c = stream_view(&s);
    uint32_t n = c.left;
    cursor_bytes(&c, text, n);
    text[n] = '\0';
    return text;
}

static void restart(uint32_t seq)
{
    memset(&events, 0, sizeof events);
    stream_begin(&s, seq);
}

static void test_order(void)
{
    restart(0xfffffffeu); /* the numbers wrap */
    CHECK(!add(0xfffffffeu, "ab"));
    CHECK(!add(4, "ghi"));
    CHECK(!add(2, "ef"));
    CHECK_STR(view(), "ab");
    add(0, "cd");
    CHECK_STR(view(), "abcdefghi");
    add(0, "cdef"); /* again */
    add(6, "ijk");  /* half known */
    CHECK_STR(view(), "abcdefghijk");
    stream_skip(&s, 3);
    CHECK_STR(view(), "defghijk");
    add(0, "cdefghijkl");
    CHECK_STR(view(), "defghijkl");
    CHECK_EQ(events.count[EVENT_STREAM_OVERLAP_DIFFERS], 0);
    CHECK_EQ(stream_next(&s), 1);
    CHECK_EQ(stream_position(&s), 3);
}

static void test_first_copy_wins(void)
{
    restart(0);
    add(4, "EF");
    add(0, "abcdefgh");
    CHECK_STR(view(), "abcdEFgh");
    CHECK_EQ(events.count[EVENT_STREAM_OVERLAP_DIFFERS], 1);
    add(2, "XX");
    CHECK_STR(view(), "abcdEFgh");
    CHECK_EQ(events.count[EVENT_STREAM_OVERLAP_DIFFERS], 2);
}

static void test_ranges_are_bounded(void)
{
    char one[2] = "x";
    restart(0);
    for (uint32_t i = 0; i < STREAM_RANGES; i++)
        add(2 + 2 * i, one);
    CHECK(!s.ended);
    add(3, one); /* joins two of them */
    CHECK_EQ(s.ranges, STREAM_RANGES - 1);
    add(100, one);
    CHECK(!s.ended);
    add(200, one);
    CHECK(s.ended);
    CHECK_EQ(events.count[EVENT_STREAM_TOO_MANY_RANGES], 1);
    add(0, "ab");
    CHECK_STR(view(), "");
}

static void test_loss_ends_the_stream(void)
{
    restart(0);
    add(0, "ab");
    for (uint32_t i = 0; i < STREAM_PATIENCE; i++) {
        CHECK(!s.ended);
        add(STREAM_SIZE + 2 + i, "x");
    }
    CHECK(s.ended);
    CHECK_EQ(events.count[EVENT_STREAM_GAP], 1);
}

static void test_skip(void)
{
    restart(0);
    add(0, "header");
    add(20, "next");
    stream_skip(&s, 6);
    stream_skip(&s, 14); /* over what never came, onto what did */
    CHECK_STR(view(), "next");
    stream_skip(&s, 4 + 5000);
    add(24, "body");
    CHECK_STR(view(), "");
    add(4024, "lost before, body"); /* losses within do not matter */
    add(5022, "dytail");
    CHECK_STR(view(), "tail");
    CHECK_EQ(stream_position(&s), 5024);
    CHECK(!s.ended);
}

static void test_long_skip(void)
{
    const uint64_t length = 10000000000u; /* more than the sequence space */
    struct segment segment = {0, 1u << 20, {NULL, 0}};
    restart(0);
    stream_skip(&s, length);
    for (uint64_t passed = 0; passed + segment.length <= length; passed += segment.length) {
        stream_add(&s, &segment, &events);
        segment.seq += segment.length;
    }
    CHECK_EQ(stream_position(&s), length / segment.length * segment.length);
    restart(0);
    stream_skip(&s, length);
    segment.seq = STREAM_JUMP; /* as far as it may jump */
    stream_add(&s, &segment, &events);
    CHECK_EQ(stream_position(&s), STREAM_JUMP + segment.length);
    segment.seq += STREAM_JUMP + segment.length + 1;
    stream_add(&s, &segment, &events);
    CHECK(s.ended);
}

static void test_window(void)
{
    static char text[2 * STREAM_SIZE + 1];
    for (unsigned i = 0; i < 2 * STREAM_SIZE; i++)
        text[i] = (char)('a' + i % 23);
    restart(0);
    CHECK(add(0, text));
    CHECK_EQ(stream_view(&s).left, STREAM_SIZE);
    CHECK(add(0, text)); /* nothing fits */
    stream_skip(&s, 100);
    CHECK(add(0, text));
    CHECK_EQ(stream_view(&s).left, STREAM_SIZE);
    stream_skip(&s, STREAM_SIZE);
    CHECK(!add(0, text));
    CHECK_EQ(stream_view(&s).left, STREAM_SIZE - 100);
    CHECK_STR(view(), text + STREAM_SIZE + 100);
}

static void test_snapped_segment(void)
{
    struct segment segment = {0, 10, cursor_over("abc", 3)};
    restart(0);
    CHECK(!stream_add(&s, &segment, &events));
    add(10, "kl");
    CHECK_STR(view(), "abc");
    stream_skip(&s, 10);
    CHECK_STR(view(), "kl");
}

static void test_cut(void)
{
    restart(0);
    add(0, "12345HEAD67890");
    stream_cut(&s, 5, 4);
    CHECK_STR(view(), "1234567890");
    stream_cut(&s, 8, 3); /* more than there is */
    CHECK_STR(view(), "1234567890");
    add(0, "12345HEAD67890ab"); /* the same again is no difference */
    CHECK_STR(view(), "1234567890ab");
    CHECK_EQ(events.count[EVENT_STREAM_OVERLAP_DIFFERS], 0);
    stream_skip(&s, 5);
    add(14, "XY");
    CHECK_EQ(events.count[EVENT_STREAM_OVERLAP_DIFFERS], 1);
    CHECK_STR(view(), "67890ab");
}

static void test_lines(void)
{
    struct cursor line;
    uint32_t taken;
    char text[STREAM_SIZE + 1];
    restart(0);
    add(0, "one\r");
    CHECK_EQ(stream_find_line(&s, &line, &taken), LINE_MORE);
    add(4, "\n\ntwo");
    CHECK_EQ(stream_find_line(&s, &line, &taken), LINE_FOUND);
    CHECK_EQ(line.left, 3);
    CHECK_EQ(taken, 5);
    stream_skip(&s, taken);
    CHECK_EQ(stream_find_line(&s, &line, &taken), LINE_FOUND);
    CHECK_EQ(line.left, 0);
    CHECK_EQ(taken, 1);
    stream_skip(&s, taken);
    CHECK_EQ(stream_find_line(&s, &line, &taken), LINE_MORE);
    CHECK_EQ(s.searched, 3);
    memset(text, 'x', STREAM_SIZE);
    text[STREAM_SIZE] = '\0';
    CHECK(add(9, text));
    add(9, text);
    CHECK_EQ(stream_find_line(&s, &line, &taken), LINE_TOO_LONG);
}

static uint32_t random_state = 1;

static uint32_t random_below(uint32_t n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

/* Whatever the order, repetitions and sizes of segments: what is read is what was sent. */
static void test_random_walk(void)
{
    static char sent[20000];
    for (unsigned i = 0; i < sizeof sent; i++)
        sent[i] = (char)random_below(256);
    for (unsigned round = 0; round < 200; round++) {
        uint32_t base = random_below(2) ? 0xffffff00u : 77, read = 0, in_order = 0;
        restart(base);
        while (read < sizeof sent && !s.ended) {
            uint32_t at = in_order + random_below(1000);
            at -= at < 500 ? at : 500;
            if (random_below(3) > 0)
                at = in_order;
            uint32_t n = 1 + random_below(1460);
            if (at >= sizeof sent)
                at = (uint32_t)sizeof sent - 1;
            if (n > sizeof sent - at)
                n = (uint32_t)sizeof sent - at;
            struct segment segment = {base + at, n, cursor_over(sent + at, n)};
            bool more = true;
            while (more) {
                more = stream_add(&s, &segment, &events);
                struct cursor c = stream_view(&s);
                CHECK(c.left <= sizeof sent - read && memcmp(c.at, sent + read, c.left) == 0);
                uint32_t taken = more ? c.left : random_below(c.left + 1);
                stream_skip(&s, taken);
                read += taken;
                in_order = read + c.left - taken;
            }
            if (in_order == sizeof sent)
                break;
        }
        CHECK(s.ended || in_order == sizeof sent);
        CHECK_EQ(events.count[EVENT_STREAM_OVERLAP_DIFFERS], 0);
    }
}

int main(void)
{
    test_order();
    test_first_copy_wins();
    test_ranges_are_bounded();
    test_loss_ends_the_stream();
    test_skip();
    test_long_skip();
    test_window();
    test_snapped_segment();
    test_cut();
    test_lines();
    test_random_walk();
    return check_done();
}
