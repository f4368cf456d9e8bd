/* interfaces.c: a number stands for a name, whatever index it has. */
#include "interfaces.h"

#include "check.h"

#include <net/if.h>

static struct interfaces all;

static void test_names_keep_their_numbers(void)
{
    bool port = true;
    memset(&all, 0, sizeof all);
    CHECK(interfaces_add(&all, "lan0"));
    CHECK(interfaces_add(&all, "lo"));
    CHECK(interfaces_add(&all, "lan0"));
    CHECK_EQ(all.count, 2);
    uint32_t index = if_nametoindex("lo");
    if (index == 0) /* a machine without: there is nothing to find */
        return;
    CHECK_EQ(interfaces_number(&all, index, &port), 1);
    CHECK(!port);
    all.known[1].index = index + 1000; /* as if it had been another before */
    CHECK_EQ(interfaces_number(&all, index, NULL), 1);
    CHECK_EQ(all.known[1].index, index);
    CHECK_EQ(all.count, 2);
}

static void test_one_that_is_gone(void)
{
    memset(&all, 0, sizeof all);
    CHECK_EQ(interfaces_number(&all, 4000000000u, NULL), 0);
    CHECK_STR(all.known[0].name, "#4000000000");
    CHECK_EQ(interfaces_number(&all, 4000000000u, NULL), 0);
}

static void test_too_many(void)
{
    memset(&all, 0, sizeof all);
    for (uint32_t i = 0; i < INTERFACES_MOST; i++)
        CHECK_EQ(interfaces_number(&all, 3000000000u + i, NULL), i);
    CHECK_EQ(interfaces_number(&all, 3999999999u, NULL), INTERFACE_OTHER);
    CHECK(!interfaces_add(&all, "more"));
    CHECK_EQ(interfaces_number(&all, 3000000001u, NULL), 1);
}

static void test_a_long_name(void)
{
    memset(&all, 0, sizeof all);
    CHECK(interfaces_add(&all, "longer than a name can be"));
    CHECK_EQ(strlen(all.known[0].name), INTERFACE_NAME - 1);
}

static void test_those_that_are_wanted(void)
{
    memset(&all, 0, sizeof all);
    CHECK(interfaces_add(&all, "lan0"));
    CHECK(interfaces_watched(&all, 0) && interfaces_watched(&all, INTERFACE_OTHER));
    all.watched = all.count;
    CHECK(interfaces_watched(&all, 0));
    CHECK(!interfaces_watched(&all, 1) && !interfaces_watched(&all, INTERFACE_OTHER));
}

int main(void)
{
    test_those_that_are_wanted();
    test_names_keep_their_numbers();
    test_one_that_is_gone();
    test_too_many();
    test_a_long_name();
    return check_done();
}
