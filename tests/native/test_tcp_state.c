/* tcp_state.c: packets in, Zeek's conn_state, history, bytes and fate out.
 *
 * A case is a line of packets. `>` is from the originator, `<` from the responder, then flags
 * (S A F R P, `-` none), then optional sN (sequence number from the side's initial one), aN
 * (acknowledgement from the other side's initial one), nN (payload bytes), w (zero window).
 * Without sN and aN a packet continues where its side left off and acknowledges all.
 */
#include "tcp_state.h"

#include <stdlib.h>

#include "check.h"

#define ORIG_START 0xfffffff0u /* wraps within the first bytes */
#define RESP_START 5000u

struct ends {
    uint32_t next[2]; /* where each side goes on, relative */
};

static uint8_t parse_flags(const char **at)
{
    static const char LETTERS[] = "FSRPAU";
    uint8_t flags = 0;
    for (; **at != '\0' && strchr("FSRPAU-", **at) != NULL; (*at)++) {
        const char *letter = strchr(LETTERS, **at);
        if (letter != NULL)
            flags |= (uint8_t)(1u << (letter - LETTERS));
    }
    return flags;
}

/* One packet of the case, up to the next blank. */
static enum direction parse_packet(const char **at, struct ends *ends, struct packet *p)
{
    static const uint32_t START[2] = {ORIG_START, RESP_START};
    enum direction from = *(*at)++ == '>' ? ORIG : RESP;
    memset(p, 0, sizeof *p);
    p->proto = IP_PROTO_TCP;
    p->tcp_window = 1000;
    p->tcp_flags = parse_flags(at);
    uint32_t seq = ends->next[from], ack = ends->next[!from];
    bool given = false;
    for (char *end; **at != ' ' && **at != '\0'; *at = end) {
        char what = *(*at)++;
        uint32_t value = (uint32_t)strtoul(*at, &end, 10);
        if (what == 's') {
            seq = value;
            given = true;
        } else if (what == 'a') {
            ack = value;
        } else if (what == 'n') {
            p->payload_length = value;
        } else {
            p->tcp_window = 0;
        }
    }
    p->tcp_seq = START[from] + seq;
    p->tcp_ack = p->tcp_flags & TCP_ACK ? START[!from] + ack : 0;
    if (!given)
        ends->next[from] = seq + p->payload_length + ((p->tcp_flags & TCP_SYN) != 0) +
                           ((p->tcp_flags & TCP_FIN) != 0);
    return from;
}

static struct flow flow;
static enum flow_fate fate;

static void run(const char *packets)
{
    struct ends ends = {{0, 0}};
    memset(&flow, 0, sizeof flow);
    fate = FATE_PENDING;
    for (const char *at = packets; *at != '\0'; at += *at == ' ') {
        struct packet p;
        enum direction from = parse_packet(&at, &ends, &p);
        tcp_take(&flow, from, &p);
        flow.side[from].packets++;
        if (from == RESP && fate == FATE_PENDING)
            fate = tcp_fate(&flow, &p);
    }
}

static const struct {
    const char *packets, *state, *history;
    unsigned orig_bytes, resp_bytes;
    enum flow_fate fate;
    bool handshake;
} CASES[] = {
    {">S", "S0", "S", 0, 0, FATE_PENDING, false},
    {">S >Ss0", "S0", "S", 0, 0, FATE_PENDING, false},
    {">S >Ss7", "S0", "SS", 0, 0, FATE_PENDING, false},
    {">S <RA", "REJ", "Sr", 0, 0, FATE_REFUSED, false},
    {">S <SA", "S1", "Sh", 0, 0, FATE_ANSWERED, false},
    {">S <SA >A", "S1", "ShA", 0, 0, FATE_ANSWERED, true},
    {">S <SA >R", "RSTO", "ShR", 0, 0, FATE_ANSWERED, false},
    {">S <SA >A >PAn10 <A <PAn20 >A >FA <A <FA >A", "SF", "ShADadFf", 10, 20, FATE_ANSWERED, true},
    {">S <SA >A >FA <A", "S2", "ShAFa", 0, 0, FATE_ANSWERED, true},
    {">S <SA >A <FA >A", "S3", "ShAf", 0, 0, FATE_ANSWERED, true},
    {">S <SA >A >PAn5 >R", "RSTO", "ShADR", 5, 0, FATE_ANSWERED, true},
    {">S <SA >A >PAn5 <R", "RSTR", "ShADr", 5, 0, FATE_ANSWERED, true},
    {">S >R", "RSTOS0", "SR", 0, 0, FATE_PENDING, false},
    {">S >F", "SH", "SF", 0, 0, FATE_PENDING, false},
    {"<SA", "OTH", "h", 0, 0, FATE_ANSWERED, false},
    {"<SA <R", "RSTRH", "hr", 0, 0, FATE_ANSWERED, false},
    {"<SA <FA", "SHR", "hf", 0, 0, FATE_ANSWERED, false},
    {">PAn10", "OTH", "D", 10, 0, FATE_PENDING, false},
    {">PAn10 <PAn4", "OTH", "Dd", 10, 4, FATE_ANSWERED, false},
    /* Probes of scans: NULL, FIN, XMAS, ACK, Maimon; and what a closed port says. */
    {">-", "OTH", "", 0, 0, FATE_PENDING, false},
    {">- <RAa0", "RSTRH", "r", 0, 0, FATE_REFUSED, false},
    {">F", "SH", "F", 0, 0, FATE_PENDING, false},
    {">F <RAa1", "RSTR", "Fr", 0, 0, FATE_REFUSED, false},
    {">FPU <RAa1", "RSTR", "Fr", 0, 0, FATE_REFUSED, false},
    {">Aa77 <Rs77", "RSTRH", "Ar", 0, 0, FATE_REFUSED, false},
    {">FAa77 <Rs77", "RSTR", "Fr", 0, 0, FATE_REFUSED, false},
    {">SF", "SH", "Q", 0, 0, FATE_PENDING, false},
    {">S >FR", "OTH", "SI", 0, 0, FATE_PENDING, false},
    /* A forged RST outside the window ends nothing; nor does one that answers no SYN. */
    {">S <SA >A <Rs900000", "S1", "ShAr", 0, 0, FATE_ANSWERED, true},
    {">S <SA >A >Rs900000", "S1", "ShAR", 0, 0, FATE_ANSWERED, true},
    {">S <Rs1", "S0", "Sr", 0, 0, FATE_PENDING, false},
    {">S <RAa99", "S0", "Sr", 0, 0, FATE_PENDING, false},
    {">S <RAa99 <SA >A", "S1", "SrhA", 0, 0, FATE_ANSWERED, true},
    {">S <SA >A >PAn9 <A <Rs60000", "RSTR", "ShADar", 9, 0, FATE_ANSWERED, true},
    /* A forged SYN-ACK, a forged ACK, a SYN inside the connection. */
    {">S <SAa99", "S0", "Sh", 0, 0, FATE_PENDING, false},
    {">S <SA >Aa999", "S1", "ShAg", 0, 998, FATE_ANSWERED, false},
    {">S <SA >A >Ss4000 >PAn3", "S1", "ShASD", 3, 0, FATE_ANSWERED, true},
    /* An old ACK is no answer to a SYN; the RST that follows it is believed. */
    {">S <Aa99", "S0", "Sa", 0, 0, FATE_PENDING, false},
    /* SYN behind its SYN-ACK. */
    {"<SAa1 >S >A", "S1", "hSA", 0, 0, FATE_ANSWERED, true},
    /* Retransmission, a gap that is filled, one that is not, and a zero window. */
    {">S <SA >A >PAn10 >PAs1n10 <A", "S1", "ShADTa", 10, 0, FATE_ANSWERED, true},
    {">S <SA >A >PAs11n10 >PAs1n10 <Aa21", "S1", "ShADTa", 20, 0, FATE_ANSWERED, true},
    {">S <SA >A >PAs11n10 <Aa21", "S1", "ShADaG", 20, 0, FATE_ANSWERED, true},
    {">S <SA >Aw", "S1", "ShAW", 0, 0, FATE_ANSWERED, true},
    /* Data in the SYN (RFC 7413); FIN sent again; FIN then RST. */
    {">Sn4 <SAa5 >A", "S1", "ShA", 4, 0, FATE_ANSWERED, true},
    {">S <SA >A >FA >FAs1 <A", "S2", "ShAFa", 0, 0, FATE_ANSWERED, true},
    {">S <SA >A >FA >R <FA", "SF", "ShAFRf", 0, 0, FATE_ANSWERED, true},
    {">S <SA >A >PAn2 >PAn2 >PAn2 >PAn2", "S1", "ShAD", 8, 0, FATE_ANSWERED, true},
};

static void test_cases(void)
{
    for (unsigned i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        unsigned before = check_failures;
        run(CASES[i].packets);
        CHECK_STR(tcp_conn_state(&flow), CASES[i].state);
        CHECK_STR(flow.history, CASES[i].history);
        CHECK_EQ(flow.side[ORIG].payload_bytes, CASES[i].orig_bytes);
        CHECK_EQ(flow.side[RESP].payload_bytes, CASES[i].resp_bytes);
        CHECK_EQ(fate, CASES[i].fate);
        CHECK_EQ(flow.handshake, CASES[i].handshake);
        if (check_failures != before)
            printf("    in \"%s\"\n", CASES[i].packets);
    }
}

static void test_letters_that_count_come_by_decades(void)
{
    char packets[1024] = ">S <SA >A >PAn10";
    for (unsigned i = 0; i < 10; i++)
        strcat(packets, " >PAs1n10");
    run(packets);
    CHECK_STR(flow.history, "ShADTT");
}

static void test_history_is_bounded(void)
{
    char packets[1024] = ">S";
    for (unsigned i = 1; i < 60; i++)
        snprintf(packets + strlen(packets), sizeof packets - strlen(packets), " >Ss%u", i);
    run(packets);
    CHECK_EQ(strlen(flow.history), sizeof flow.history - 1);
}

static void test_more_than_32_bits_are_counted(void)
{
    struct packet p = {.tcp_flags = TCP_ACK, .payload_length = 1u << 30};
    run(">S <SA >A");
    p.tcp_seq = ORIG_START + 1;
    for (unsigned i = 0; i < 5; i++) {
        tcp_take(&flow, ORIG, &p);
        p.tcp_seq += p.payload_length;
    }
    CHECK_EQ(flow.side[ORIG].payload_bytes, UINT64_C(5) << 30);
}

static void test_over_and_reuse(void)
{
    struct packet syn = {.tcp_flags = TCP_SYN, .tcp_seq = ORIG_START};
    run(">S <SA >A");
    CHECK(!tcp_over(&flow));
    run(">S <SA >A >FA <FA");
    CHECK(tcp_over(&flow));
    CHECK(!tcp_reuses(&flow, ORIG, &syn)); /* not in the list of those that are over */
    flow.list = LIST_CLOSED;
    CHECK(!tcp_reuses(&flow, ORIG, &syn)); /* the same SYN again */
    syn.tcp_seq += 100000;
    CHECK(tcp_reuses(&flow, ORIG, &syn));
    CHECK(tcp_reuses(&flow, RESP, &syn));
    syn.tcp_flags = TCP_SYN | TCP_ACK;
    CHECK(!tcp_reuses(&flow, ORIG, &syn));
    run(">S <RA");
    CHECK(tcp_over(&flow));
}

int main(void)
{
    test_cases();
    test_letters_that_count_come_by_decades();
    test_history_is_bounded();
    test_more_than_32_bits_are_counted();
    test_over_and_reuse();
    return check_done();
}
