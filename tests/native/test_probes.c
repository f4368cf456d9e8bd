/* probes.c: when what a source tries without an answer is told, and when not. */
#include "probes.h"

#include "check.h"
#include "flow_key.h"

#define MS UINT64_C(1000000)

static const uint8_t SECRET[16] = "sixteen bytes!!";
static struct probes burst;
static uint64_t now;

static struct probes_target target_of(uint8_t host, uint16_t port, uint8_t proto)
{
    static uint8_t address[16];
    uint8_t text[18] = {0};
    memset(address, host, sizeof address);
    memcpy(text, address, 16);
    text[16] = (uint8_t)(port >> 8);
    text[17] = (uint8_t)port;
    struct probes_target target = {address, port, proto, siphash(SECRET, text, sizeof text)};
    return target;
}

static bool try_one(uint8_t host, uint16_t port)
{
    struct probes_target target = target_of(host, port, 6);
    now += MS;
    return probes_try(&burst, &target, now);
}

static void answer(uint8_t host, uint16_t port)
{
    struct probes_target target = target_of(host, port, 6);
    probes_answer(&burst, &target);
}

static void restart(void)
{
    memset(&burst, 0, sizeof burst);
    now = 7 * MS;
}

/* How often so many further ports of a host are told. */
static unsigned ports(uint16_t first, uint16_t count)
{
    unsigned told = 0;
    for (uint16_t i = 0; i < count; i++)
        told += try_one(1, (uint16_t)(first + i));
    return told;
}

static void test_ports_of_a_host(void)
{
    restart();
    CHECK_EQ(ports(100, 9), 0);
    CHECK_EQ(ports(109, 1), 1);
    CHECK_EQ(ports(110, 2), 0);
    CHECK_EQ(probes_tried(&burst), 12);
    CHECK(!burst.hosts_differ && burst.ports_differ);
    CHECK_EQ(burst.begin, 8 * MS);
    CHECK_EQ(ports(112, 400), 2);
}

static void test_the_same_port_is_one(void)
{
    restart();
    for (unsigned i = 0; i < 300; i++)
        CHECK(!try_one(1, 443));
    CHECK_EQ(probes_tried(&burst), 1);
}

static void test_what_is_answered_does_not_count(void)
{
    restart();
    for (uint16_t port = 100; port < 130; port++) {
        CHECK(!try_one(1, port));
        if (port < 125)
            answer(1, port);
        answer(1, 100); /* once more: still one */
        answer(2, 101); /* another host's */
    }
    CHECK_EQ(probes_answered(&burst), 25);
    CHECK_EQ(ports(200, 5), 1);
    CHECK_EQ(ports(205, 35), 2); /* those that answered have made room */
    CHECK_EQ(probes_answered(&burst), 25);
    CHECK_EQ(probes_tried(&burst), 25 + 40);
}

static void test_they_have_a_moment_to_answer(void)
{
    unsigned told = 0;
    restart();
    for (uint16_t port = 0; port < 20; port++) {
        struct probes_target target = target_of(1, port, 6);
        told += probes_try(&burst, &target, now);
    }
    CHECK_EQ(told, 0);
    now += 3 * MS; /* and one in try_one() */
    CHECK(try_one(1, 0));
}

static void test_very_many_at_once_need_none(void)
{
    unsigned told = 0;
    restart();
    for (uint16_t port = 0; port < 30; port++) {
        struct probes_target target = target_of(1, port, 6);
        told += probes_try(&burst, &target, now);
    }
    CHECK_EQ(told, 1);
}

static void test_hosts_of_a_port(void)
{
    unsigned told = 0;
    restart();
    for (uint8_t host = 1; host < 100; host++)
        told += try_one(host, 22);
    CHECK_EQ(told, 0);
    for (uint8_t host = 100; host < 120; host++)
        told += try_one(host, 22);
    CHECK_EQ(told, 1);
    CHECK(burst.hosts_differ && !burst.ports_differ);
}

static void test_hosts_that_answer_in_time(void)
{
    restart();
    for (uint8_t host = 1; host < 200; host++) {
        CHECK(!try_one(host, 22));
        if (host > 20)
            answer((uint8_t)(host - 20), 22);
    }
}

static void test_other_targets_begin_anew(void)
{
    restart();
    (void)ports(100, 9);
    CHECK(!try_one(2, 7)); /* neither that host nor its first port */
    CHECK_EQ(probes_tried(&burst), 1);
    CHECK_EQ(ports(109, 9), 0);
    struct probes_target datagram = target_of(1, 109, 17);
    CHECK(!probes_try(&burst, &datagram, now));
    CHECK_EQ(probes_tried(&burst), 1);
}

static void test_the_count_stays_in_bounds(void)
{
    restart();
    for (unsigned port = 0; port < 65536; port++)
        (void)try_one(1, (uint16_t)port);
    CHECK_EQ(probes_tried(&burst), PROBES_MOST);
}

int main(void)
{
    test_ports_of_a_host();
    test_the_same_port_is_one();
    test_what_is_answered_does_not_count();
    test_they_have_a_moment_to_answer();
    test_very_many_at_once_need_none();
    test_hosts_of_a_port();
    test_hosts_that_answer_in_time();
    test_other_targets_begin_anew();
    test_the_count_stays_in_bounds();
    return check_done();
}
