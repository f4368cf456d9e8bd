/* flow_table.c: finding both directions, the timeouts' order, eviction, uids. */
#include "flow_table.h"

#include <stdlib.h>

#include "check.h"

#define SLOTS 100

static const uint8_t SECRET[16] = "sixteen bytes!!";
static const uint64_t TIMEOUTS[FLOW_LISTS] = {
    [LIST_ATTEMPT] = 5, [LIST_CLOSED] = 16, [LIST_TCP] = 320, [LIST_UDP] = 160, [LIST_ICMP] = 160};

static struct flow_table table;

static struct flow_key key_of(uint32_t n)
{
    struct flow_key key = {.sport = (uint16_t)n, .dport = 80, .proto = IP_PROTO_TCP};
    key.src[12] = (uint8_t)(n >> 8);
    key.src[15] = (uint8_t)n;
    key.dst[15] = 9;
    return key;
}

static struct flow *add(uint32_t n, enum flow_list list, uint64_t now)
{
    struct flow_key key = key_of(n);
    return flow_table_add(&table, &key, flow_key_hash(&key, SECRET), list, now);
}

static struct flow *find(uint32_t n)
{
    struct flow_key key = key_of(n);
    enum direction direction = ORIG;
    return flow_table_find(&table, &key, flow_key_hash(&key, SECRET), &direction);
}

static void test_both_directions_find_the_flow(void)
{
    struct flow_key key = key_of(1), other = key;
    enum direction direction = RESP;
    struct flow *flow = add(1, LIST_TCP, 0);
    CHECK(flow_table_find(&table, &key, flow_key_hash(&key, SECRET), &direction) == flow);
    CHECK_EQ(direction, ORIG);
    memcpy(other.src, key.dst, 16);
    memcpy(other.dst, key.src, 16);
    other.sport = key.dport;
    other.dport = key.sport;
    CHECK(flow_table_find(&table, &other, flow_key_hash(&other, SECRET), &direction) == flow);
    CHECK_EQ(direction, RESP);
    CHECK(find(2) == NULL);
    flow_table_remove(&table, flow);
    CHECK(find(1) == NULL);
    CHECK_EQ(table.used, 0);
}

static void test_a_list_expires_in_order_and_a_touch_defers(void)
{
    struct flow *one = add(1, LIST_TCP, 0), *two = add(2, LIST_TCP, 10);
    flow_table_touch(&table, one, LIST_TCP, 15); /* less than a sixteenth: it stays in place */
    CHECK(flow_table_due(&table, 339) == NULL);
    CHECK(flow_table_due(&table, 340) == one);
    flow_table_touch(&table, one, LIST_TCP, 100);
    CHECK(flow_table_due(&table, 349) == NULL);
    CHECK(flow_table_due(&table, 350) == two);
    flow_table_remove(&table, two);
    CHECK(flow_table_due(&table, 439) == NULL);
    CHECK(flow_table_due(&table, 440) == one);
    flow_table_remove(&table, one);
}

static void test_an_attempt_counts_from_its_start(void)
{
    struct flow *flow = add(1, LIST_ATTEMPT, 100);
    flow_table_touch(&table, flow, LIST_ATTEMPT, 104);
    CHECK(flow_table_due(&table, 104) == NULL);
    CHECK(flow_table_due(&table, 105) == flow);
    flow_table_touch(&table, flow, LIST_CLOSED, 105);
    CHECK(flow_table_due(&table, 121) == NULL);
    CHECK(flow_table_due(&table, 122) == flow);
    flow_table_remove(&table, flow);
}

static void test_the_stalest_goes_first(void)
{
    struct flow *tcp = add(1, LIST_TCP, 0), *udp = add(2, LIST_UDP, 1);
    struct flow *flood = add(3, LIST_ATTEMPT, 2);
    (void)add(4, LIST_ATTEMPT, 3);
    CHECK(flow_table_stalest(&table) == flood); /* its class holds most */
    struct flow *closed = add(5, LIST_CLOSED, 4);
    CHECK(flow_table_stalest(&table) == closed);
    CHECK(flow_table_first(&table) == flood);
    flow_table_remove(&table, closed);
    flow_table_remove(&table, find(4));
    flow_table_remove(&table, flood);
    CHECK(flow_table_stalest(&table) == tcp);
    flow_table_remove(&table, tcp);
    CHECK(flow_table_stalest(&table) == udp);
    flow_table_remove(&table, udp);
    CHECK(flow_table_stalest(&table) == NULL);
    CHECK(flow_table_first(&table) == NULL);
}

static void test_full_and_used_again(void)
{
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < SLOTS; i++)
            CHECK(add(i, LIST_UDP, round) != NULL);
        CHECK(add(SLOTS, LIST_UDP, round) == NULL);
        CHECK_EQ(table.used, SLOTS);
        CHECK_EQ(table.lists[LIST_UDP].count, SLOTS);
        for (uint32_t i = 0; i < SLOTS; i++) {
            CHECK(find(i) != NULL);
            flow_table_remove(&table, find(i));
        }
        CHECK_EQ(table.used, 0);
    }
}

static void test_a_uid_is_content(void)
{
    char one[19], two[19];
    struct flow *flow = add(1, LIST_TCP, 0);
    flow->start = 123456789;
    flow_uid(flow, SECRET, one);
    flow_uid(flow, SECRET, two);
    CHECK_STR(one, two);
    CHECK_EQ(strlen(one), 18);
    CHECK_EQ(one[0], 'C');
    flow->serial++;
    flow_uid(flow, SECRET, two);
    CHECK(strcmp(one, two) != 0);
    flow->serial--;
    flow_uid(flow, (const uint8_t *)"another secret..", two);
    CHECK(strcmp(one, two) != 0);
    flow_table_remove(&table, flow);
}

static void test_a_uid_is_the_same_on_every_machine(void)
{
    char uid[19];
    struct flow flow = {.key = key_of(258), .start = 1700000000123456789u, .serial = 7};
    flow_uid(&flow, SECRET, uid);
    CHECK_STR(uid, "CVwYB6VlwXr7FOdHOU");
}

int main(void)
{
    void *memory = aligned_alloc(64, (flow_table_bytes(SLOTS) + 63) & ~(size_t)63);
    memset(memory, 0, flow_table_bytes(SLOTS));
    flow_table_init(&table, memory, SLOTS, TIMEOUTS);
    test_both_directions_find_the_flow();
    test_a_list_expires_in_order_and_a_touch_defers();
    test_an_attempt_counts_from_its_start();
    test_the_stalest_goes_first();
    test_full_and_used_again();
    test_a_uid_is_content();
    test_a_uid_is_the_same_on_every_machine();
    free(memory);
    return check_done();
}
