/* DNS messages to records (RFC 1035; types from RFC 3596, 2782).
 *
 * Names are decoded with a bound on the number of pointers, so that no loop goes on, and with one
 * on the labels of all names together, so that no message costs more than its bytes are worth;
 * pointers that lead forward are followed too (nmap's probes have them). Answers are rendered into
 * one buffer of the table first, because a msgpack array starts with its length; those that would
 * not fit a record are left out. EDNS is an additional record and as such not looked at.
 */
#include "parse_dns.h"

#define HEADER_BYTES 12u
#define NAME_MAX_BYTES 253u /* in dotted form, RFC 1035, 3.1 */
#define NAME_POINTERS 32u
#define MESSAGE_STEPS 1024u /* labels and pointers followed in all names of a message */
#define QUESTIONS_MAX 32u   /* multicast DNS asks for many things at once */
#define ANSWERS_MAX 64u
#define ANSWER_BYTES 1020u  /* of one answer's text in the record */
#define ANSWERS_BYTES 6000u /* of all of them, ttls included */
#define WELL EVENT_COUNT    /* what functions that name a defect return when there is none */

enum dns_flag {
    FLAG_QR = 0x8000,
    FLAG_AA = 0x0400,
    FLAG_TC = 0x0200,
    FLAG_RD = 0x0100,
    FLAG_RA = 0x0080
};

enum dns_type {
    TYPE_A = 1,
    TYPE_NS = 2,
    TYPE_CNAME = 5,
    TYPE_SOA = 6,
    TYPE_PTR = 12,
    TYPE_MX = 15,
    TYPE_TXT = 16,
    TYPE_AAAA = 28,
    TYPE_SRV = 33,
    TYPE_DNAME = 39,
};

struct dns_name {
    uint8_t length;
    uint8_t bytes[NAME_MAX_BYTES + 2];
};

/* A message, and how much of its names may still be followed: pointers let a few bytes stand for
 * a long name as often as they like. */
struct dns_bytes {
    struct cursor all;
    unsigned steps;
};

struct dns_header {
    uint16_t id, flags, questions, answers;
};

struct dns_question {
    struct flow *flow;
    uint32_t *head; /* of the flow's list */
    uint64_t ts;
    uint32_t older, newer, next; /* index + 1: of all, by age; of the flow, newest first */
    uint16_t id, type;
    uint8_t asker; /* enum direction */
    bool recursion_desired;
    struct dns_name name;
};

struct dns_answers {
    unsigned count;
    uint32_t used, budget; /* bytes of text; bytes of record still free */
    uint32_t ttl[ANSWERS_MAX];
    uint16_t start[ANSWERS_MAX], length[ANSWERS_MAX];
    uint8_t text[4096];
};

struct dns_table {
    uint32_t size, fresh, spare; /* slots; never used ones start here; list of free ones */
    uint32_t oldest, newest;
    struct dns_answers answers; /* of the message under way */
    struct dns_question question[];
};

/* What one transaction record says beyond its question. */
struct dns_reply {
    bool present;
    uint16_t flags;
    const struct dns_answers *answers;
};

uint64_t dns_table_bytes(uint32_t questions)
{
    return sizeof(struct dns_table) + (uint64_t)questions * sizeof(struct dns_question);
}

struct dns_table *dns_table_init(void *memory, uint32_t questions)
{
    struct dns_table *table = memory;
    table->size = questions;
    table->fresh = table->spare = table->oldest = table->newest = 0;
    return table;
}

static bool is_dns_port(uint16_t port)
{
    return port == 53 || port == 5353 || port == 5355;
}

bool dns_port(const struct flow_key *key)
{
    return is_dns_port(key->dport) || is_dns_port(key->sport);
}

/* Text of enumerations. */

static const char *type_name(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } known[] = {
        {1, "A"},       {2, "NS"},     {5, "CNAME"},     {6, "SOA"},         {10, "NULL"},
        {11, "WKS"},    {12, "PTR"},   {13, "HINFO"},    {15, "MX"},         {16, "TXT"},
        {17, "RP"},     {18, "AFSDB"}, {24, "SIG"},      {25, "KEY"},        {28, "AAAA"},
        {29, "LOC"},    {33, "SRV"},   {35, "NAPTR"},    {39, "DNAME"},      {41, "OPT"},
        {43, "DS"},     {44, "SSHFP"}, {45, "IPSECKEY"}, {46, "RRSIG"},      {47, "NSEC"},
        {48, "DNSKEY"}, {49, "DHCID"}, {50, "NSEC3"},    {51, "NSEC3PARAM"}, {52, "TLSA"},
        {53, "SMIMEA"}, {55, "HIP"},   {59, "CDS"},      {60, "CDNSKEY"},    {61, "OPENPGPKEY"},
        {64, "SVCB"},   {65, "HTTPS"}, {99, "SPF"},      {249, "TKEY"},      {250, "TSIG"},
        {251, "IXFR"},  {252, "AXFR"}, {255, "ANY"},     {256, "URI"},       {257, "CAA"},
    };
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].type == type)
            return known[i].name;
    return NULL;
}

static const char *rcode_name(unsigned rcode)
{
    static const char *const known[] = {
        "NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",  "REFUSED",
        "YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",
    };
    return rcode < sizeof known / sizeof known[0] ? known[rcode] : NULL;
}

static void put_named(struct record_writer *w, const char *name, const char *prefix,
                      uint16_t number)
{
    char text[32];
    if (name == NULL) {
        size_t n = strlen(prefix);
        memcpy(text, prefix, n);
        record_text(w, text, (uint32_t)n + fact_number(text + n, number));
        return;
    }
    record_cstring(w, name);
}

/* Reading. */

static bool read_header(struct cursor *c, struct dns_header *out)
{
    return cursor_u16(c, &out->id) && cursor_u16(c, &out->flags) &&
           cursor_u16(c, &out->questions) && cursor_u16(c, &out->answers) && cursor_skip(c, 4);
}

/* Opcodes up to DNS stateful operations; a question section that real messages have. */
static bool header_plausible(const struct dns_header *h)
{
    return ((h->flags >> 11) & 15) <= 6 && h->questions <= 64 &&
           (h->flags & FLAG_QR || h->questions > 0);
}

bool dns_plausible(struct cursor message)
{
    struct dns_header header;
    return read_header(&message, &header) && header_plausible(&header);
}

/* A name at the cursor, which moves behind it; dotted, "." for the root. */
static enum event read_name(struct dns_bytes *message, struct cursor *at, struct dns_name *out)
{
    struct cursor c = *at;
    unsigned pointers = 0;
    out->length = 0;
    for (;;) {
        uint8_t n, low;
        if (!cursor_u8(&c, &n))
            return EVENT_DNS_TRUNCATED;
        if (n == 0)
            break;
        if (message->steps == 0)
            return EVENT_DNS_TOO_MANY_LABELS;
        message->steps--;
        if (n >= 0xc0) {
            if (!cursor_u8(&c, &low))
                return EVENT_DNS_TRUNCATED;
            uint32_t target = ((n & 0x3fu) << 8) | low;
            if (pointers++ == 0)
                *at = c;
            if (target < HEADER_BYTES || target >= message->all.left)
                return EVENT_DNS_BAD_POINTER;
            if (pointers > NAME_POINTERS)
                return EVENT_DNS_POINTER_LOOP;
            c = message->all;
            cursor_skip(&c, target);
            continue;
        }
        if (n >= 0x40)
            return EVENT_DNS_BAD_NAME;
        if (out->length + n + (out->length > 0 ? 1u : 0u) > NAME_MAX_BYTES)
            return EVENT_DNS_NAME_TOO_LONG;
        if (out->length > 0)
            out->bytes[out->length++] = '.';
        if (!cursor_bytes(&c, out->bytes + out->length, n))
            return EVENT_DNS_TRUNCATED;
        out->length = (uint8_t)(out->length + n);
    }
    if (pointers == 0)
        *at = c;
    if (out->length == 0)
        out->bytes[out->length++] = '.';
    return WELL;
}

static bool same_letter(uint8_t a, uint8_t b)
{
    return a == b || ((a ^ b) == 0x20 && (a | 0x20) >= 'a' && (a | 0x20) <= 'z');
}

static bool same_name(const struct dns_name *a, const struct dns_name *b)
{
    if (a->length != b->length)
        return false;
    for (unsigned i = 0; i < a->length; i++)
        if (!same_letter(a->bytes[i], b->bytes[i]))
            return false;
    return true;
}

/* Answers. */

/* Bytes that record_wire_text() will write. */
static uint32_t written_length(const uint8_t *bytes, uint32_t length)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < length; i++)
        n += bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '\\' ? 1 : 4;
    return n < ANSWER_BYTES ? n : ANSWER_BYTES;
}

/* Room for n bytes of text, or NULL. */
static uint8_t *answer_room(struct dns_answers *a, uint32_t n)
{
    return n <= sizeof a->text - a->used ? a->text + a->used : NULL;
}

/* Keep the n bytes written to the room as an answer, if the record can hold it. */
static void answer_keep(struct dns_answers *a, uint32_t n, uint32_t ttl)
{
    uint32_t cost = written_length(a->text + a->used, n) + 8; /* str and uint prefixes */
    if (a->count == ANSWERS_MAX || cost > a->budget)
        return;
    a->budget -= cost;
    a->start[a->count] = (uint16_t)a->used;
    a->length[a->count] = (uint16_t)n;
    a->ttl[a->count++] = ttl;
    a->used += n;
}

static enum event answer_address(struct dns_answers *a, struct cursor data, bool ip6, uint32_t ttl)
{
    uint8_t address[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    uint8_t *room = answer_room(a, 46);
    if (data.left != (ip6 ? 16u : 4u))
        return EVENT_DNS_BAD_RDATA;
    cursor_bytes(&data, ip6 ? address : address + 12, data.left);
    if (room != NULL)
        answer_keep(a, address_text((char *)room, address), ttl);
    return WELL;
}

/* A name behind `prefix` bytes of rdata. */
static enum event answer_name(struct dns_answers *a, struct dns_bytes *message, struct cursor at,
                              uint32_t length, uint32_t prefix, uint32_t ttl)
{
    struct dns_name name;
    struct cursor c = at;
    if (length < prefix || !cursor_skip(&c, prefix))
        return EVENT_DNS_BAD_RDATA;
    enum event defect = read_name(message, &c, &name);
    if (defect != WELL)
        return defect;
    if (at.left - c.left > length)
        return EVENT_DNS_BAD_RDATA;
    uint8_t *room = answer_room(a, name.length);
    if (room != NULL) {
        memcpy(room, name.bytes, name.length);
        answer_keep(a, name.length, ttl);
    }
    return WELL;
}

/* The strings of a TXT record, joined (RFC 7208, 3.3, and others read them so). */
static enum event answer_text(struct dns_answers *a, struct cursor data, uint32_t ttl)
{
    uint32_t used = 0;
    uint8_t n;
    struct cursor part;
    while (data.left > 0) {
        if (!cursor_u8(&data, &n) || !cursor_take(&data, n, &part))
            return EVENT_DNS_BAD_RDATA;
        uint8_t *room = answer_room(a, used + n);
        if (room == NULL || used + n > ANSWER_BYTES)
            break;
        cursor_bytes(&part, room + used, n);
        used += n;
    }
    answer_keep(a, used, ttl);
    return WELL;
}

/* One record's data; `at` is the message from there on. */
static enum event read_data(struct dns_answers *a, struct dns_bytes *message, struct cursor at,
                            uint16_t type, uint16_t length, uint32_t ttl)
{
    struct cursor data = at;
    cursor_trim(&data, length);
    switch (type) {
    case TYPE_A:
        return answer_address(a, data, false, ttl);
    case TYPE_AAAA:
        return answer_address(a, data, true, ttl);
    case TYPE_NS:
    case TYPE_CNAME:
    case TYPE_DNAME:
    case TYPE_PTR:
    case TYPE_SOA:
        return answer_name(a, message, at, length, 0, ttl);
    case TYPE_MX:
        return answer_name(a, message, at, length, 2, ttl);
    case TYPE_SRV:
        return answer_name(a, message, at, length, 6, ttl);
    case TYPE_TXT:
        return answer_text(a, data, ttl);
    default:
        return WELL;
    }
}

/* Move behind a name, whatever it is worth. */
static bool skip_name(struct cursor *at)
{
    uint8_t n = 1;
    while (n != 0) {
        if (!cursor_u8(at, &n))
            return false;
        if (n >= 0x40)
            return cursor_skip(at, n >= 0xc0 ? 1 : 0);
        if (!cursor_skip(at, n))
            return false;
    }
    return true;
}

/* One record; its owner and type are told as well. What is wrong with a name or with the data is
 * returned as the defect, and the next record is found all the same. */
static bool read_record(struct dns_answers *a, struct dns_bytes *message, struct cursor *at,
                        struct dns_name *owner, uint16_t *type, enum event *defect)
{
    struct cursor name = *at;
    uint16_t class, length;
    uint32_t ttl;
    *defect = read_name(message, &name, owner);
    if (!skip_name(at) || !cursor_u16(at, type) || !cursor_u16(at, &class) ||
        !cursor_u32(at, &ttl) || !cursor_u16(at, &length)) {
        *defect = EVENT_DNS_TRUNCATED;
        return false;
    }
    if (at->left < length) {
        *defect = EVENT_DNS_BAD_RECORD;
        return false;
    }
    enum event data = read_data(a, message, *at, *type, length, ttl);
    *defect = data != WELL ? data : *defect;
    return cursor_skip(at, length);
}

/* The answer section. The first record's owner and type are told as well. */
static enum event read_answers(struct dns_answers *a, struct dns_bytes *message, struct cursor at,
                               uint16_t count, struct dns_name *owner, uint16_t *type)
{
    enum event defect = WELL, further;
    struct dns_name name;
    uint16_t kind;
    bool more = true;
    a->count = a->used = 0;
    a->budget = ANSWERS_BYTES;
    for (unsigned i = 0; more && i < count && a->count < ANSWERS_MAX && message->steps > 0; i++) {
        more =
            read_record(a, message, &at, i == 0 ? owner : &name, i == 0 ? type : &kind, &further);
        if (defect == WELL)
            defect = further;
    }
    return defect;
}

/* Telling. */

static void tell(const struct exchange *x, const struct dns_question *q,
                 const struct dns_reply *reply, uint64_t rtt)
{
    struct record_writer w;
    const struct dns_answers *a = reply->answers;
    unsigned count = a != NULL ? a->count : 0;
    fact_begin(&w, x, 18, q->ts, q->asker);
    record_uint(&w, q->id);
    record_wire_text(&w, q->name.bytes, q->name.length, ANSWER_BYTES);
    put_named(&w, type_name(q->type), "TYPE", q->type);
    if (reply->present)
        put_named(&w, rcode_name(reply->flags & 15), "RCODE", reply->flags & 15);
    else
        record_cstring(&w, "");
    record_uint(&w, rtt);
    record_array(&w, count);
    for (unsigned i = 0; i < count; i++)
        record_wire_text(&w, a->text + a->start[i], a->length[i], ANSWER_BYTES);
    record_array(&w, count);
    for (unsigned i = 0; i < count; i++)
        record_uint(&w, a->ttl[i]);
    record_bool(&w, reply->flags & FLAG_AA);
    record_bool(&w, q->recursion_desired);
    record_bool(&w, reply->flags & FLAG_RA);
    record_bool(&w, reply->flags & FLAG_TC);
    fact_put(&w, x, RECORD_DNS);
}

/* The table of questions. */

static struct dns_question *question_at(struct dns_table *table, uint32_t index)
{
    return &table->question[index - 1];
}

static void unlink_question(struct dns_table *table, uint32_t index)
{
    struct dns_question *q = question_at(table, index);
    uint32_t *link = q->head;
    while (*link != index)
        link = &question_at(table, *link)->next;
    *link = q->next;
    *(q->older ? &question_at(table, q->older)->newer : &table->oldest) = q->newer;
    *(q->newer ? &question_at(table, q->newer)->older : &table->newest) = q->older;
    q->next = table->spare;
    table->spare = index;
}

static void tell_unanswered(struct dns_table *table, const struct exchange *x, uint32_t index)
{
    struct dns_question *q = question_at(table, index);
    struct exchange theirs = *x;
    const struct dns_reply none = {false, 0, NULL};
    theirs.flow = q->flow;
    tell(&theirs, q, &none, 0);
    unlink_question(table, index);
}

static uint32_t free_slot(struct dns_table *table, const struct exchange *x)
{
    if (table->spare == 0 && table->fresh < table->size)
        return ++table->fresh;
    if (table->spare == 0)
        tell_unanswered(table, x, table->oldest);
    uint32_t index = table->spare;
    table->spare = question_at(table, index)->next;
    return index;
}

static uint32_t find_question(struct dns_table *table, const struct dns_question *wanted,
                              uint32_t head)
{
    for (uint32_t i = head; i != 0; i = question_at(table, i)->next) {
        const struct dns_question *q = question_at(table, i);
        if (q->id == wanted->id && q->asker == wanted->asker && q->type == wanted->type &&
            same_name(&q->name, &wanted->name))
            return i;
    }
    return 0;
}

/* The flow's oldest question makes room when it has too many. */
static void bound_flow(struct dns_table *table, const struct exchange *x, uint32_t head)
{
    unsigned count = 0;
    uint32_t last = 0;
    for (uint32_t i = head; i != 0; i = question_at(table, i)->next) {
        last = i;
        count++;
    }
    if (count >= DNS_PENDING_OF_FLOW)
        tell_unanswered(table, x, last);
}

/* A repeated question keeps the time of the first. */
static void ask(struct dns_table *table, const struct exchange *x, uint32_t *head,
                const struct dns_question *asked)
{
    if (find_question(table, asked, *head) != 0)
        return;
    bound_flow(table, x, *head);
    uint32_t index = free_slot(table, x);
    struct dns_question *q = question_at(table, index);
    *q = *asked;
    q->flow = x->flow;
    q->head = head;
    q->next = *head;
    *head = index;
    q->older = table->newest;
    q->newer = 0;
    *(q->older ? &question_at(table, q->older)->newer : &table->oldest) = index;
    table->newest = index;
}

void dns_end(struct dns_table *table, const struct exchange *x, uint32_t *head)
{
    while (*head != 0) {
        uint32_t first = *head;
        while (question_at(table, first)->next != 0)
            first = question_at(table, first)->next;
        tell_unanswered(table, x, first);
    }
}

/* Messages. */

static enum event read_question(struct dns_bytes *message, struct cursor *at,
                                struct dns_question *q)
{
    uint16_t class;
    enum event defect = read_name(message, at, &q->name);
    if (defect != WELL)
        return defect;
    return cursor_u16(at, &q->type) && cursor_u16(at, &class) ? WELL : EVENT_DNS_BAD_QUESTION;
}

static enum event take_questions(struct dns_table *table, const struct exchange *x, uint32_t *head,
                                 struct dns_bytes *message, struct cursor at,
                                 struct dns_question *q, unsigned count)
{
    for (unsigned i = 0; i < count && i < QUESTIONS_MAX; i++) {
        enum event defect = read_question(message, &at, q);
        if (defect != WELL)
            return defect;
        ask(table, x, head, q);
    }
    return WELL;
}

static enum event take_reply(struct dns_table *table, const struct exchange *x, uint32_t *head,
                             struct dns_bytes *message, struct cursor at, struct dns_question *q,
                             const struct dns_header *header)
{
    struct dns_reply reply = {true, header->flags, &table->answers};
    struct dns_name owner = {0};
    uint16_t type = 0;
    enum event defect = WELL;
    table->answers.count = 0;
    q->type = 0;
    q->name.length = 0;
    for (unsigned i = 0; i < header->questions && defect == WELL; i++) {
        struct dns_question further;
        defect = read_question(message, &at, i == 0 ? q : &further);
    }
    if (defect == WELL)
        defect = read_answers(&table->answers, message, at, header->answers, &owner, &type);
    if (header->questions == 0) { /* multicast DNS answers without repeating the question */
        q->name = owner;
        q->type = type;
    }
    uint32_t index = find_question(table, q, *head);
    if (index != 0) {
        const struct dns_question *asked = question_at(table, index);
        tell(x, asked, &reply, x->now > asked->ts ? x->now - asked->ts : 0);
        unlink_question(table, index);
    } else if (q->name.length > 0) {
        tell(x, q, &reply, 0);
    }
    return defect;
}

bool dns_message(struct dns_table *table, const struct exchange *x, uint32_t *head,
                 struct cursor message, bool whole)
{
    struct dns_header header;
    struct dns_question q;
    struct dns_bytes bytes = {message, MESSAGE_STEPS};
    struct cursor at = message;
    if (!read_header(&at, &header) || !header_plausible(&header)) {
        if (whole)
            exchange_note(x,
                          message.left < HEADER_BYTES ? EVENT_DNS_TRUNCATED : EVENT_DNS_BAD_HEADER);
        return false;
    }
    if (!record_wanted(x->context->sink, RECORD_DNS))
        return true;
    bool reply = header.flags & FLAG_QR;
    q.id = header.id;
    q.ts = x->now;
    q.asker = (uint8_t)((x->direction == ORIG) == reply ? RESP : ORIG);
    q.recursion_desired = header.flags & FLAG_RD;
    enum event defect = reply ? take_reply(table, x, head, &bytes, at, &q, &header)
                              : take_questions(table, x, head, &bytes, at, &q, header.questions);
    if (defect != WELL && whole)
        exchange_note(x, defect);
    return true;
}

/* A message longer than the window is read as far as the window goes. */
enum parse_result dns_stream(struct dns_table *table, const struct exchange *x, uint32_t *head)
{
    struct stream *stream = x->stream[x->direction];
    for (;;) {
        struct cursor view = stream_view(stream);
        uint16_t length;
        bool full = view.left == STREAM_SIZE;
        if (!cursor_u16(&view, &length) || (view.left < length && !full))
            return PARSE_MORE;
        bool whole = view.left >= length;
        cursor_trim(&view, length);
        if (!dns_message(table, x, head, view, whole))
            return PARSE_DONE;
        stream_skip(stream, 2u + length);
    }
}
