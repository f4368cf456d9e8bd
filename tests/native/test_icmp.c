/* icmp.c: what types and codes mean, and that a reply has its request's key. */
#include "icmp.h"

#include "check.h"

static struct packet message(uint8_t proto, uint16_t type, uint16_t code)
{
    return (struct packet){.proto = proto, .sport = type, .dport = code};
}

static void test_requests_and_errors(void)
{
    static const struct {
        uint8_t proto, type, code;
        bool request, error, refusal;
    } CASES[] = {
        {1, 8, 0, true, false, false},    {1, 13, 0, true, false, false},
        {1, 17, 0, true, false, false},   {1, 0, 0, false, false, false},
        {1, 3, 1, false, true, true},     {1, 3, 4, false, true, false}, /* too big */
        {1, 11, 0, false, true, false},   {1, 128, 0, false, false, false},
        {58, 128, 0, true, false, false}, {58, 129, 0, false, false, false},
        {58, 1, 4, false, true, true},    {58, 2, 0, false, true, false},
        {58, 4, 0, false, true, false},   {58, 8, 0, false, false, false},
    };
    for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct packet p = message(CASES[i].proto, CASES[i].type, CASES[i].code);
        CHECK(is_icmp(p.proto));
        CHECK_EQ(icmp_is_request(&p), CASES[i].request);
        CHECK_EQ(icmp_is_error(&p), CASES[i].error);
        if (CASES[i].error)
            CHECK_EQ(icmp_is_refusal(&p), CASES[i].refusal);
    }
    CHECK(!is_icmp(IP_PROTO_TCP));
}

static void test_a_missing_protocol(void)
{
    struct packet p = message(IP_PROTO_ICMP, 3, 2);
    CHECK(!icmp_lacks_protocol(&p)); /* of nothing that is known */
    p.quoted.proto = IP_PROTO_SCTP;
    CHECK(icmp_lacks_protocol(&p));
    p.dport = 3;
    CHECK(!icmp_lacks_protocol(&p));
}

static struct flow_key key_of(uint8_t proto, uint16_t type, uint16_t code, uint16_t identifier)
{
    struct flow_key key = {.proto = proto};
    icmp_set_ports(&key, type, code, identifier);
    return key;
}

static void test_a_reply_has_the_key_of_its_request(void)
{
    static const struct {
        uint8_t proto, request, reply;
    } PAIRS[] = {{1, 8, 0}, {1, 13, 14}, {1, 15, 16}, {1, 17, 18}, {58, 128, 129}};
    for (unsigned i = 0; i < sizeof PAIRS / sizeof PAIRS[0]; i++) {
        struct flow_key asked = key_of(PAIRS[i].proto, PAIRS[i].request, 0, 77);
        struct flow_key told = key_of(PAIRS[i].proto, PAIRS[i].reply, 0, 77);
        CHECK_EQ(asked.sport, 77);
        CHECK_EQ(asked.dport, PAIRS[i].request << 8);
        CHECK_EQ(told.sport, asked.dport);
        CHECK_EQ(told.dport, asked.sport);
    }
}

static void test_what_has_no_reply_goes_by_type_and_code(void)
{
    struct flow_key redirect = key_of(1, 5, 1, 77), advertisement = key_of(58, 134, 0, 77);
    CHECK_EQ(redirect.sport, 0);
    CHECK_EQ(redirect.dport, 5 << 8 | 1);
    CHECK_EQ(advertisement.sport, 0);
    CHECK_EQ(advertisement.dport, 134 << 8);
}

int main(void)
{
    test_requests_and_errors();
    test_a_missing_protocol();
    test_a_reply_has_the_key_of_its_request();
    test_what_has_no_reply_goes_by_type_and_code();
    return check_done();
}
