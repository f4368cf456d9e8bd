/* HTTP/1: pairs, pipelines, bodies of every kind, and what is wrong with messages. */
#include "facts.h"
#include "stream.h"

static struct facts *f;
static struct flow flow;
static uint64_t now;

static void begin(void)
{
    f = facts_new(4, FACTS_ALL);
    facts_flow(&flow, IP_PROTO_TCP, 40000, 8080);
    now = 1000;
}

static void end(void)
{
    application_end(f->pool, &flow, 9000);
    facts_free(f);
}

static void ask(const char *text)
{
    facts_say(f, &flow, ORIG, now++, text);
}

static void answer(const char *text)
{
    facts_say(f, &flow, RESP, now++, text);
}

/* What was told since the last call. */
static const char *told(void)
{
    static char text[sizeof f->told];
    strcpy(text, f->told);
    facts_forget(f);
    return text;
}

#define GET                                                                                        \
    "GET /a?b HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/8\r\nreferer: http://x/\r\n\r\n"
#define GET_TOLD(depth, rest)                                                                      \
    "http [" depth ",\"GET\",\"example.org\",\"/a?b\",\"1.1\",\"curl/8\",\"http://x/\",0," rest "]"

static void test_pair(void)
{
    begin();
    ask(GET);
    CHECK_EQ(flow.service, SERVICE_HTTP);
    CHECK_STR(told(), "");
    answer(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Type: Text/HTML; charset=x\r\n\r\nhello");
    CHECK_STR(told(), GET_TOLD("1", "200,5,\"Text/HTML\""));
    ask("POST /form HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc");
    answer("HTTP/1.0 404 None\r\n\r\nsome text until the end");
    CHECK_STR(told(), "");
    application_end(f->pool, &flow, 9000);
    CHECK_STR(told(), "http [2,\"POST\",\"\",\"/form\",\"1.0\",\"\",\"\",3,404,23,\"\"]");
    end();
}

static void test_every_piece_size(void)
{
    static const char request[] = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                                  "4;x=y\r\nabcd\r\n0\r\nTrailer: t\r\n\r\n" GET;
    static const char response[] =
        "\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, "
        "chunked\r\n\r\n"
        "a\r\n0123456789\r\n00B\r\n0123456789a\r\n0\r\n\r\nHTTP/1.1 304 Same\r\n"
        "Content-Length: 99\r\n\r\n";
    for (uint32_t piece = 1; piece < sizeof request; piece++) {
        begin();
        for (uint32_t at = 0; at < sizeof request - 1; at += piece) {
            uint32_t left = (uint32_t)sizeof request - 1 - at;
            facts_packet(f, &flow, ORIG, now++, request + at, left < piece ? left : piece);
        }
        for (uint32_t at = 0; at < sizeof response - 1; at += piece) {
            uint32_t left = (uint32_t)sizeof response - 1 - at;
            facts_packet(f, &flow, RESP, now++, response + at, left < piece ? left : piece);
        }
        CHECK_STR(told(),
                  "http [1,\"POST\",\"h\",\"/\",\"1.1\",\"\",\"\",0,200,21,\"\"]\n" GET_TOLD(
                      "2", "304,99,\"\""));
        application_end(f->pool, &flow, 9000);
        CHECK_STR(told(), "");
        CHECK_EQ(f->events.count[EVENT_HTTP_BAD_CHUNK], 0);
        end();
    }
}

/* More requests than wait: the oldest are told alone, and the pairs stay right. */
static void test_pipeline(void)
{
    begin();
    for (int i = 0; i < 6; i++)
        ask("HEAD / HTTP/1.1\r\n\r\n");
    ask(GET);
    CHECK_STR(told(), "http [1,\"HEAD\",\"\",\"/\",\"1.1\",\"\",\"\",0,0,0,\"\"]\n"
                      "http [2,\"HEAD\",\"\",\"/\",\"1.1\",\"\",\"\",0,0,0,\"\"]\n"
                      "http [3,\"HEAD\",\"\",\"/\",\"1.1\",\"\",\"\",0,0,0,\"\"]");
    for (int i = 0; i < 3; i++)
        answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    CHECK_STR(told(), "");
    for (int i = 0; i < 3; i++)
        answer("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"); /* HEAD: no body follows */
    CHECK_STR(told(), "http [4,\"HEAD\",\"\",\"/\",\"1.1\",\"\",\"\",0,200,77,\"\"]\n"
                      "http [5,\"HEAD\",\"\",\"/\",\"1.1\",\"\",\"\",0,200,77,\"\"]\n"
                      "http [6,\"HEAD\",\"\",\"/\",\"1.1\",\"\",\"\",0,200,77,\"\"]");
    answer("HTTP/1.1 204 No\r\n\r\n");
    CHECK_STR(told(), GET_TOLD("7", "204,0,\"\""));
    end();
}

/* A body of many megabytes, of which only some packets were seen. */
static void test_long_body(void)
{
    static uint8_t body[1460];
    begin();
    ask(GET);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n");
    CHECK_STR(told(), GET_TOLD("1", "200,10000000,\"\""));
    uint32_t sent = flow.side[RESP].next_seq - 5001;
    for (uint32_t at = 0; at + 1460 <= 10000000; at += 14600)
        facts_packet_at(f, &flow, RESP, now++, sent + at, body, 100, 1460);
    flow.side[RESP].next_seq += 10000000;
    ask(GET);
    answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    CHECK_STR(told(), GET_TOLD("2", "200,1,\"\""));
    end();
}

static void test_long_lines(void)
{
    static char uri[3 * STREAM_SIZE];
    memset(uri, 'u', sizeof uri - 1);
    begin();
    ask("GET /");
    ask(uri);
    ask(" HTTP/1.1\r\nX: ");
    ask(uri);
    ask("\r\nHost: example.org\r\n\r\n");
    answer("HTTP/1.1 414 Too Long\r\nContent-Length: 0\r\n\r\n");
    CHECK(FACTS_STARTS(f, "http [1,\"GET\",\"example.org\",\"/uuuu"));
    CHECK(strstr(f->told, "u\",\"\",\"\",\"\",0,414,0,\"\"]") != NULL);
    CHECK_EQ(f->events.count[EVENT_HTTP_LINE_TOO_LONG], 2);
    end();
}

/* Fields full of bytes that are written as four: the record still fits. */
static void test_record_bound(void)
{
    static char line[1400];
    begin();
    memset(line, 1, sizeof line - 1);
    ask("GET /");
    line[1100] = '\0';
    ask(line);
    ask(" HTTP/1.1\r\nHost: ");
    line[300] = '\0';
    ask(line);
    ask("\r\nUser-Agent: ");
    ask(line);
    ask("\r\nReferer: ");
    ask(line);
    ask("\r\n\r\n");
    application_end(f->pool, &flow, 9000);
    CHECK(f->largest > 4000 && f->largest <= RECORD_MAX);
    end();
}

static void test_one_side_only(void)
{
    begin();
    answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    CHECK_STR(told(), "http [1,\"\",\"\",\"\",\"\",\"\",\"\",0,200,2,\"\"]");
    answer("HTTP/1.1 500 Bad\r\nContent-Length: 0\r\n\r\n");
    CHECK_STR(told(), "http [2,\"\",\"\",\"\",\"\",\"\",\"\",0,500,0,\"\"]");
    end();
    begin();
    ask(GET GET);
    application_end(f->pool, &flow, 9000);
    CHECK_STR(told(), GET_TOLD("1", "0,0,\"\"") "\n" GET_TOLD("2", "0,0,\"\""));
    end();
}

static void test_tunnel(void)
{
    begin();
    ask("CONNECT example.org:22 HTTP/1.1\r\n\r\n");
    answer("HTTP/1.1 200 Established\r\n\r\n");
    CHECK_STR(told(),
              "http [1,\"CONNECT\",\"\",\"example.org:22\",\"1.1\",\"\",\"\",0,200,0,\"\"]");
    answer("SSH-2.0-server\r\n");
    ask("SSH-2.0-client\r\n");
    CHECK_EQ(flow.service, SERVICE_SSH);
    application_end(f->pool, &flow, 9000);
    CHECK(FACTS_STARTS(f, "ssh [2,\"SSH-2.0-client\",\"SSH-2.0-server\",nil"));
    end();
    begin();
    ask(GET);
    answer("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n");
    CHECK_STR(told(), GET_TOLD("1", "101,0,\"\""));
    end();
}

static void test_targets_with_spaces(void)
{
    begin();
    ask("GET /a b ' or 1=1 HTTP/1.0\r\n\r\n");
    application_end(f->pool, &flow, 9000);
    CHECK_STR(told(), "http [1,\"GET\",\"\",\"/a b ' or 1=1\",\"1.0\",\"\",\"\",0,0,0,\"\"]");
    end();
    begin();
    ask("GET /old\r\n\r\n");
    application_end(f->pool, &flow, 9000);
    CHECK_STR(told(), "http [1,\"GET\",\"\",\"/old\",\"\",\"\",\"\",0,0,0,\"\"]");
    end();
}

static void check_event(const char *request, const char *response, enum event event)
{
    begin();
    ask(request);
    answer(response);
    CHECK_EQ(f->events.count[event], 1);
    if (f->events.count[event] != 1)
        printf("    %s\n", event_name(event));
    end();
}

static void test_malformed(void)
{
    static char many[10000] = "GET / HTTP/1.1\r\n";
    for (int i = 0; i < 300; i++)
        strcat(many, "a: b\r\n");
    check_event(many, "", EVENT_HTTP_TOO_MANY_HEADERS);
    check_event(GET "what is this\r\n", "", EVENT_HTTP_BAD_REQUEST_LINE);
    check_event(GET, "HTP/1.1 200\r\n", EVENT_HTTP_BAD_STATUS_LINE);
    check_event(GET, "HTTP/1.1 2x0\r\n", EVENT_HTTP_BAD_STATUS_LINE);
    check_event("GET / HTTP/1.1\r\nno colon\r\n\r\n", "", EVENT_HTTP_BAD_HEADER);
    check_event("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "", EVENT_HTTP_BAD_LENGTH);
    check_event("GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", "",
                EVENT_HTTP_BAD_LENGTH);
    check_event("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "",
                EVENT_HTTP_CONFLICTING_LENGTH);
    check_event("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "",
                EVENT_HTTP_CONFLICTING_LENGTH);
    check_event(GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                EVENT_HTTP_BAD_CHUNK);
    check_event(GET, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                EVENT_HTTP_BAD_CHUNK);
}

int main(void)
{
    test_pair();
    test_every_piece_size();
    test_pipeline();
    test_long_body();
    test_long_lines();
    test_record_bound();
    test_one_side_only();
    test_tunnel();
    test_targets_with_spaces();
    test_malformed();
    return check_done();
}
