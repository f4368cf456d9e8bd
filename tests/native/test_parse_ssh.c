/* SSH: identification, and dialogues whose sizes are those of real tools' captures. */
#include "facts.h"

#include "parse_ssh.h"

#define MS 1000000u

static struct facts *f;
static struct flow flow;
static uint64_t now;
static uint32_t wanted = FACTS_ALL;

static void begin(void)
{
    f = facts_new(4, wanted);
    facts_flow(&flow, IP_PROTO_TCP, 40000, 2222);
    now = MS;
}

static void end(void)
{
    application_end(f->pool, &flow, now);
    facts_free(f);
}

/* A segment of n encrypted bytes, `delay` ms after the one before. */
static void sealed(enum direction direction, uint32_t n, unsigned delay)
{
    static const uint8_t zeros[4096];
    now += delay * (uint64_t)MS;
    facts_packet(f, &flow, direction, now, zeros, n);
}

/* A key exchange packet in the clear; after it may follow encrypted bytes in the same segment. */
static void clear(enum direction direction, uint8_t message, uint32_t length, uint32_t more)
{
    uint8_t bytes[4096] = {0, 0, (uint8_t)(length >> 8), (uint8_t)length, 4, message};
    facts_packet(f, &flow, direction, now += MS, bytes, 4 + length + more);
}

static void exchange_keys(const char *client)
{
    begin();
    facts_say(f, &flow, RESP, now, "SSH-2.0-OpenSSH_6.7p1 Debian-5+deb8u3\r\n");
    facts_say(f, &flow, ORIG, now, client);
    CHECK_EQ(flow.service, SERVICE_SSH);
    clear(ORIG, 20, 1428, 0);
    clear(RESP, 20, 948, 0);
    clear(ORIG, 30, 44, 0);
    clear(RESP, 31, 260, 0);
    clear(RESP, 21, 12, 120); /* extensions follow at once (RFC 8308) */
    clear(ORIG, 21, 12, 0);
}

/* version, client, server, success, attempts are told; the rest is the flow's. */
static void check_told(const char *expected)
{
    application_end(f->pool, &flow, now);
    char *at = strstr(f->told, "Debian-5+deb8u3\",");
    CHECK(at != NULL);
    if (at != NULL) {
        at += strlen("Debian-5+deb8u3\",");
        at[strcspn(strchr(at, ',') + 1, ",") + (size_t)(strchr(at, ',') + 1 - at)] = '\0';
        CHECK_STR(at, expected);
    }
    facts_free(f);
}

/* hydra: "none", then passwords until the server has had enough and says so in a longer reply. */
static void test_hydra(void)
{
    exchange_keys("SSH-2.0-libssh-0.6.3\r\n");
    sealed(ORIG, 52, 40);
    sealed(RESP, 52, 0);
    sealed(ORIG, 68, 1);
    sealed(RESP, 68, 2);
    for (int i = 0; i < 5; i++) {
        sealed(ORIG, 84, 3);
        sealed(RESP, 68, 2000);
    }
    sealed(ORIG, 84, 3);
    sealed(RESP, 132, 2000);
    check_told("no,6");
}

/* medusa asks for "none" again before each password. */
static void test_medusa(void)
{
    exchange_keys("SSH-2.0-MEDUSA_1.0\r\n");
    sealed(ORIG, 52, 40);
    sealed(RESP, 52, 0);
    for (int i = 0; i < 3; i++) {
        sealed(ORIG, 68, 3);
        sealed(RESP, 68, 0);
        sealed(ORIG, 84, 3);
        sealed(RESP, 68, 2000);
    }
    sealed(ORIG, 68, 3);
    sealed(RESP, 132, 0);
    sealed(ORIG, 52, 0);
    check_told("no,3");
}

/* ncrack begins with a password: the failure comes late, so it was looked at. */
static void test_ncrack(void)
{
    exchange_keys("SSH-2.0-OpenSSH_7.1\r\n");
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 0);
    sealed(ORIG, 84, 2);
    sealed(RESP, 52, 2000);
    sealed(ORIG, 148, 3);
    sealed(RESP, 52, 2000);
    check_told("no,2");
    exchange_keys("SSH-2.0-OpenSSH_7.1\r\n");
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 0);
    sealed(ORIG, 148, 2); /* too long for "none", however quick */
    sealed(RESP, 52, 20);
    check_told("no,1");
}

static void test_login(void)
{
    exchange_keys("SSH-2.0-OpenSSH_7.4p1 Debian-10\r\n");
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 0);
    sealed(ORIG, 60, 1);
    sealed(RESP, 52, 20);
    sealed(ORIG, 148, 5000);
    sealed(RESP, 28, 10);
    for (int i = 0; i < 50; i++) { /* the session: not a reply any more */
        sealed(ORIG, 36, 10);
        sealed(RESP, 44, 1);
    }
    check_told("yes,1");
}

/* dropbear's success fills 16 bytes; as a real one said it to OpenSSH's client. */
static void test_login_at_dropbear(void)
{
    exchange_keys("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10\r\n");
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 0);
    sealed(ORIG, 60, 1);
    sealed(RESP, 52, 1);
    sealed(ORIG, 84, 19);
    sealed(RESP, 36, 2);
    sealed(ORIG, 52, 1);
    sealed(RESP, 44, 1);
    check_told("yes,1");
}

/* A banner and a key that the server knows are larger replies, and no failures. */
static void test_key_login(void)
{
    exchange_keys("SSH-2.0-OpenSSH_9.2\r\n");
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 0);
    sealed(ORIG, 60, 1);
    sealed(RESP, 700, 2);
    sealed(RESP, 52, 1);
    sealed(ORIG, 500, 5);
    sealed(RESP, 52, 5); /* an unknown key */
    sealed(ORIG, 372, 5);
    sealed(RESP, 332, 5);
    sealed(ORIG, 652, 5);
    sealed(RESP, 28, 5);
    check_told("yes,2");
}

static void test_only_probed(void)
{
    exchange_keys("SSH-2.0-scanner\r\n");
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 0);
    sealed(ORIG, 60, 1);
    sealed(RESP, 52, 2);
    check_told("nil,0");
    exchange_keys("SSH-2.0-scanner\r\n"); /* left without asking */
    check_told("nil,0");
}

/* Repeated segments are counted once. */
static void test_retransmission(void)
{
    static const uint8_t zeros[64];
    exchange_keys("SSH-2.0-libssh-0.6.3\r\n");
    sealed(ORIG, 52, 40);
    sealed(RESP, 52, 0);
    sealed(ORIG, 68, 1);
    uint32_t offset = flow.side[ORIG].next_seq - 1001 - 52;
    facts_packet_at(f, &flow, ORIG, now, offset, zeros, 52, 52);
    sealed(RESP, 68, 2);
    facts_packet_at(f, &flow, ORIG, now, offset, zeros, 52, 52);
    sealed(ORIG, 84, 1);
    sealed(RESP, 68, 2000);
    check_told("no,1");
}

/* How many words on logins are told: refused, let in. */
static void check_words(unsigned refused, unsigned let_in)
{
    unsigned no = 0, yes = 0;
    application_end(f->pool, &flow, now);
    for (const char *at = f->told; (at = strstr(at, "login [")) != NULL; at++) {
        const char *word = strchr(at, ',') + 1;
        no += strncmp(word, "no,", 3) == 0;
        yes += strncmp(word, "yes,", 4) == 0;
    }
    CHECK_EQ(no, refused);
    CHECK_EQ(yes, let_in);
    facts_free(f);
}

static void begin_words(void)
{
    wanted = 1u << RECORD_SSH_LOGIN;
    exchange_keys("SSH-2.0-Go\r\n");
    wanted = FACTS_ALL;
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 30);
}

/* Each refusal is told as it comes, once, with what passed before the question. */
static void test_words(void)
{
    begin_words();
    sealed(ORIG, 60, 1);
    sealed(RESP, 52, 120); /* "none": no slower than a round trip and a little */
    sealed(ORIG, 84, 700);
    CHECK_EQ(f->used, 0);
    sealed(RESP, 52, 5);
    CHECK(FACTS_STARTS(f, "login [\"SSH-2.0-Go\",no,700000000,yes,\"\"]"));
    sealed(RESP, 52, 5); /* not a second time */
    sealed(ORIG, 84, 1);
    sealed(RESP, 52, 5);
    sealed(ORIG, 84, 1);
    sealed(RESP, 28, 5);
    sealed(ORIG, 84, 1); /* a session now */
    sealed(RESP, 52, 5);
    check_words(2, 1);
}

/* Neither keys, nor questions, nor a banner. */
static void test_words_that_are_none(void)
{
    begin_words();
    sealed(ORIG, 60, 1);
    sealed(RESP, 700, 30);
    sealed(RESP, 52, 1);
    for (int i = 0; i < 6; i++) { /* the keys of an agent */
        sealed(ORIG, 132, 1);
        sealed(RESP, 52, 300);
    }
    sealed(ORIG, 84, 1); /* keyboard-interactive asks */
    sealed(RESP, 60, 30);
    sealed(ORIG, 68, 1);
    sealed(RESP, 28, 30);
    check_words(0, 1);
}

/* Without "none", or where extensions come with its refusal, the first reply that may be a refusal
 * is one; a long password is told by the time that its check takes. */
static void test_words_without_none(void)
{
    begin_words();
    sealed(ORIG, 84, 1);
    sealed(RESP, 52, 280);
    sealed(ORIG, 148, 1);
    sealed(RESP, 52, 1031);
    check_words(2, 0);
    begin_words();
    sealed(ORIG, 60, 1);
    sealed(RESP, 300, 30);
    sealed(ORIG, 84, 1);
    sealed(RESP, 52, 5);
    check_words(1, 0);
}

/* However long a server goes on; the login is told at last. */
static void test_words_are_bounded(void)
{
    begin_words();
    sealed(ORIG, 60, 1);
    sealed(RESP, 52, 30);
    for (int i = 0; i < 50; i++) {
        sealed(ORIG, 84, 1);
        sealed(RESP, 52, 5);
    }
    sealed(ORIG, 84, 1);
    sealed(RESP, 28, 5);
    check_words(LOGINS_TOLD - 1, 1);
}

/* A packet of the key exchange of which 460 bytes are there; more lies behind it. */
static void cut(enum direction direction, uint8_t message, uint32_t length, uint32_t behind)
{
    uint8_t bytes[460] = {0, 0, (uint8_t)(length >> 8), (uint8_t)length, 4, message};
    struct flow_side *side = &flow.side[direction];
    uint32_t first = direction == ORIG ? 1001 : 5001;
    facts_packet_at(f, &flow, direction, now += MS, side->next_seq - first, bytes, sizeof bytes,
                    4 + length + behind);
    side->next_seq += 4 + length + behind;
}

/* Of each packet 512 bytes are captured, as the source nflog does: the server's new keys, and the
 * client's second message, are not among them. */
static void test_cut(void)
{
    begin();
    facts_say(f, &flow, RESP, now, "SSH-2.0-OpenSSH_10.0\r\n");
    facts_say(f, &flow, ORIG, now, "SSH-2.0-Go\r\n");
    cut(ORIG, 20, 1428, 1200);
    cut(RESP, 20, 948, 0);
    cut(RESP, 31, 1268, 120);
    clear(ORIG, 21, 12, 0);
    sealed(ORIG, 44, 40);
    sealed(RESP, 44, 30);
    sealed(ORIG, 60, 1);
    sealed(RESP, 52, 30);
    sealed(ORIG, 84, 1);
    sealed(RESP, 52, 5);
    application_end(f->pool, &flow, now);
    CHECK(strstr(f->told, "no,1,") != NULL);
    facts_free(f);
}

static void test_identification(void)
{
    static char lines[4096];
    begin();
    facts_say(f, &flow, ORIG, now, "SSH-2.0-client\n");
    facts_say(f, &flow, RESP, now, "be welcome\r\nSSH-1.99-ser\x01ver\r\n");
    application_end(f->pool, &flow, now);
    CHECK(FACTS_STARTS(f, "ssh [2,\"SSH-2.0-client\",\"SSH-1.99-ser\\x01ver\",nil,0,"));
    facts_free(f);
    begin();
    facts_say(f, &flow, RESP, now, "SSH-1.5-old\r\n");
    facts_say(f, &flow, ORIG, now, "SSH-1.5-older\r\n");
    facts_say(f, &flow, RESP, now, "\1\2\3\4\5\6\7\10\11");
    application_end(f->pool, &flow, now);
    CHECK(FACTS_STARTS(f, "ssh [1,\"SSH-1.5-older\",\"SSH-1.5-old\",nil,0,"));
    CHECK_EQ(f->events.count[EVENT_SSH_BAD_PACKET], 0);
    facts_free(f);
    begin();
    facts_say(f, &flow, RESP, now, "SSH-2.0-server\r\n");
    facts_say(f, &flow, ORIG, now, "GET / HTTP/1.1\r\n");
    CHECK_EQ(f->events.count[EVENT_SSH_BAD_IDENTIFICATION], 1);
    facts_say(f, &flow, RESP, now, "Protocol mismatch.\n");
    CHECK_EQ(f->events.count[EVENT_SSH_BAD_PACKET], 1);
    end();
    begin();
    memset(lines, 'x', sizeof lines - 1);
    memcpy(lines, "SSH-2.0-", 8);
    lines[300] = '\0';
    facts_say(f, &flow, ORIG, now, lines);
    CHECK_EQ(f->events.count[EVENT_SSH_BAD_IDENTIFICATION], 1);
    end();
}

/* The authentication was not seen, but much that was encrypted. */
static void test_long_session_in_part(void)
{
    exchange_keys("SSH-2.0-client\r\n");
    for (int i = 0; i < 4; i++)
        sealed(RESP, 1400, 5);
    check_told("yes,0");
}

int main(void)
{
    test_hydra();
    test_medusa();
    test_ncrack();
    test_login();
    test_login_at_dropbear();
    test_key_login();
    test_only_probed();
    test_retransmission();
    test_words();
    test_words_that_are_none();
    test_words_without_none();
    test_words_are_bounded();
    test_cut();
    test_identification();
    test_long_session_in_part();
    return check_done();
}
