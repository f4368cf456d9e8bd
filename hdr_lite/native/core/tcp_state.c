/* TCP states, history letters and byte counts (tcp_state.h).
 *
 * Sequence numbers are RFC 9293's, compared modulo 2^32. first_seq is the SYN's; of a
 * side seen in the middle it is one less than its first byte's, as if a SYN had gone
 * before. Payload is counted as next_seq moves on, so each byte counts once, missed
 * ones too, SYN and FIN never.
 */
#include "tcp_state.h"

enum { /* bits of flow_side.letters: each letter once, F R S again under a new number */
       LETTER_SYN = 1,
       LETTER_FIN = 2,
       LETTER_RST = 4,
       LETTER_DATA = 8,
       LETTER_ACK = 16,
       LETTER_FIN_RST = 32,
       LETTER_MANY = 64,
};

/* An acknowledgement of zero far ahead of what was sent is a broken one, not a long connection. */
#define LARGE_JUMP 1048576

static int32_t seq_delta(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b);
}

static bool has(uint8_t flags, uint8_t all)
{
    return (flags & all) == all;
}

static void add_letter(struct flow *flow, enum direction side, char letter)
{
    flow_history_add(flow, side == ORIG ? letter : (char)(letter + ('a' - 'A')));
}

/* True when the side had the letter before. */
static bool add_letter_once(struct flow *flow, enum direction from, uint8_t bit, char letter)
{
    struct flow_side *side = &flow->side[from];
    if (side->letters & bit)
        return true;
    side->letters |= bit;
    add_letter(flow, from, letter);
    return false;
}

/* A letter for the first, tenth, hundredth ... time. */
static void add_letter_by_decade(struct flow *flow, enum direction side, uint16_t *count,
                                 char letter)
{
    if (*count == UINT16_MAX)
        return;
    uint16_t n = ++*count;
    if (n == 1 || n == 10 || n == 100 || n == 1000 || n == 10000)
        add_letter(flow, side, letter);
}

static void note_flags(struct flow *flow, enum direction from, const struct packet *p,
                       uint32_t payload)
{
    struct flow_side *side = &flow->side[from];
    uint8_t control = p->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST);
    uint32_t fin = p->tcp_seq + payload;

    switch (control) {
    case 0:
        if (payload > 0)
            (void)add_letter_once(flow, from, LETTER_DATA, 'D');
        else if (p->tcp_flags & TCP_ACK)
            (void)add_letter_once(flow, from, LETTER_ACK, 'A');
        return;
    case TCP_SYN: {
        char letter = p->tcp_flags & TCP_ACK ? 'H' : 'S';
        if (add_letter_once(flow, from, LETTER_SYN, letter) && p->tcp_seq != side->first_seq)
            add_letter(flow, from, letter);
        return;
    }
    case TCP_FIN:
        if (add_letter_once(flow, from, LETTER_FIN, 'F') && fin != side->last_fin)
            add_letter(flow, from, 'F');
        side->last_fin = fin;
        return;
    case TCP_RST:
        if (add_letter_once(flow, from, LETTER_RST, 'R') && p->tcp_seq != side->last_reset)
            add_letter(flow, from, 'R');
        side->last_reset = p->tcp_seq;
        return;
    default:
        if (has(control, TCP_FIN | TCP_RST))
            (void)add_letter_once(flow, from, LETTER_FIN_RST, 'I');
        else
            (void)add_letter_once(flow, from, LETTER_MANY, 'Q');
    }
}

static void note_window(struct flow *flow, enum direction from, const struct packet *p)
{
    struct flow_side *side = &flow->side[from];
    if (p->tcp_window == 0 && !(p->tcp_flags & TCP_RST) && side->state != TCP_END_RESET &&
        flow->side[!from].state != TCP_END_CLOSED)
        add_letter_by_decade(flow, from, &side->zero_windows, 'W');
}

/* Would the receiver of this RST accept it (RFC 9293, 3.10.7)? Where packets are missing by design
 * conntrack has seen them all, and shows no RST outside the window: any number ahead will do. */
static bool reset_is_believed(const struct flow *flow, enum direction from, const struct packet *p)
{
    const struct flow_side *side = &flow->side[from], *peer = &flow->side[!from];
    if (peer->packets == 0)
        return true; /* nobody has seen what it answers */
    if (side->packets == 0) {
        if (p->tcp_flags & TCP_ACK)
            return seq_delta(p->tcp_ack, peer->first_seq) > 0 &&
                   seq_delta(p->tcp_ack, peer->next_seq) <= 0;
        return (peer->flags & TCP_ACK) && p->tcp_seq == peer->acked;
    }
    bool acked = (peer->flags & TCP_ACK) != 0;
    uint32_t low = acked ? peer->acked : side->first_seq;
    uint32_t high =
        acked && seq_delta(peer->acked, side->next_seq) > 0 ? peer->acked : side->next_seq;
    bool near = flow->sampled || seq_delta(p->tcp_seq, high + TCP_RESET_WINDOW) <= 0;
    return seq_delta(p->tcp_seq, low) >= 0 && near;
}

/* A SYN-ACK that does not acknowledge the SYN that was seen answers nothing. */
static bool answer_is_believed(const struct flow *flow, enum direction from, const struct packet *p)
{
    const struct flow_side *peer = &flow->side[!from];
    if (!has(p->tcp_flags, TCP_SYN | TCP_ACK) || from != RESP || peer->state != TCP_END_SYN_SENT)
        return true;
    return seq_delta(p->tcp_ack, peer->first_seq) > 0 && seq_delta(p->tcp_ack, peer->next_seq) <= 0;
}

/* Begin the side's numbers with its first packet, or with a SYN before anything was settled.
 * True when that was done. */
static bool begin_side(struct flow_side *side, const struct packet *p, uint32_t payload)
{
    bool syn = (p->tcp_flags & TCP_SYN) != 0;
    bool waiting = side->state == TCP_END_SYN_SENT || side->state == TCP_END_SYN_ACK_SENT;
    if (syn && (side->state == TCP_END_INACTIVE || (waiting && p->tcp_seq != side->first_seq))) {
        uint32_t fin = p->tcp_flags & TCP_FIN ? 1 : 0;
        side->first_seq = p->tcp_seq;
        side->next_seq = p->tcp_seq + 1 + payload + fin;
        side->payload_bytes = payload;
        return true;
    }
    if (side->state == TCP_END_INACTIVE && side->packets == 0) {
        side->first_seq = p->tcp_seq - 1;
        side->next_seq = p->tcp_seq;
    }
    return false;
}

static void fill_hole(struct flow_side *side, uint32_t from, uint32_t to)
{
    if (side->hole == side->hole_end || seq_delta(from, side->hole) > 0 ||
        seq_delta(to, side->hole) <= 0)
        return;
    side->hole = seq_delta(to, side->hole_end) > 0 ? side->hole_end : to;
}

static void advance(struct flow *flow, enum direction from, const struct packet *p,
                    uint32_t payload)
{
    struct flow_side *side = &flow->side[from];
    uint32_t fin = p->tcp_flags & TCP_FIN ? 1 : 0;
    uint32_t end = p->tcp_seq + payload + fin;
    int32_t delta = seq_delta(end, side->next_seq);
    if (delta > 0) {
        if (seq_delta(p->tcp_seq, side->next_seq) > 0 && side->hole == side->hole_end) {
            side->hole = side->next_seq;
            side->hole_end = p->tcp_seq;
        }
        side->payload_bytes += (uint32_t)delta - fin;
        side->next_seq = end;
    } else if (payload > 0) {
        fill_hole(side, p->tcp_seq, end);
        add_letter_by_decade(flow, from, &side->retransmissions, 'T');
    }
}

/* The packet acknowledges what the other side sent: a handshake, or bytes that we missed. */
static void acknowledge(struct flow *flow, enum direction from, const struct packet *p)
{
    struct flow_side *side = &flow->side[from], *peer = &flow->side[!from];
    uint32_t ack = p->tcp_ack;
    if (!(side->flags & TCP_ACK) || seq_delta(ack, side->acked) > 0)
        side->acked = ack;
    if (peer->packets == 0) {
        peer->first_seq = ack - 1;
        peer->next_seq = ack;
        return;
    }
    int32_t ahead = seq_delta(ack, peer->next_seq);
    if (from == ORIG && !(p->tcp_flags & TCP_SYN) && has(peer->flags, TCP_SYN | TCP_ACK) &&
        ahead <= 0 && seq_delta(ack, peer->first_seq) > 0)
        flow->handshake = true;
    bool open = peer->state != TCP_END_CLOSED && peer->state != TCP_END_RESET &&
                side->state != TCP_END_CLOSED && !(p->tcp_flags & TCP_FIN);
    bool hole = peer->hole != peer->hole_end && seq_delta(ack, peer->hole) > 0;
    bool counts = peer->state != TCP_END_RESET && peer->state != TCP_END_SYN_SENT;
    bool missed = counts && ahead > 0 && !(ack == 0 && ahead > LARGE_JUMP);
    if (missed) {
        peer->payload_bytes += (uint32_t)ahead;
        peer->next_seq = ack;
    }
    if (open && (missed || hole))
        add_letter_by_decade(flow, !from, &peer->gaps, 'G');
    if (hole)
        peer->hole = peer->hole_end;
}

static void enter(struct flow_side *side, enum tcp_end state)
{
    if (side->state == state)
        return;
    side->previous = side->state;
    side->state = (uint8_t)state;
}

/* The first control packet of a side. */
static void start_side(struct flow *flow, enum direction from, const struct packet *p,
                       uint32_t payload)
{
    struct flow_side *side = &flow->side[from], *peer = &flow->side[!from];
    uint8_t flags = p->tcp_flags;
    if (flags & TCP_SYN) {
        bool late = peer->state == TCP_END_ESTABLISHED && peer->acked == p->tcp_seq + 1;
        if (from == RESP || late) {
            enter(side, TCP_END_ESTABLISHED);
            if (peer->state == TCP_END_SYN_SENT)
                enter(peer, TCP_END_ESTABLISHED);
        } else {
            enter(side, flags & TCP_ACK ? TCP_END_SYN_ACK_SENT : TCP_END_SYN_SENT);
        }
    }
    if (flags & TCP_FIN)
        enter(side, TCP_END_CLOSED);
    if (flags & TCP_RST)
        enter(side, TCP_END_RESET);
    if (side->state != TCP_END_INACTIVE)
        return;
    /* No control flag. Some stacks acknowledge a SYN before they answer it. */
    if (from == RESP && payload == 0 && peer->state == TCP_END_SYN_SENT)
        return;
    bool answers = (flags & TCP_ACK) && peer->state == TCP_END_ESTABLISHED;
    enter(side, answers ? TCP_END_ESTABLISHED : TCP_END_PARTIAL);
}

static void move_states(struct flow *flow, enum direction from, const struct packet *p,
                        uint32_t payload)
{
    struct flow_side *side = &flow->side[from], *peer = &flow->side[!from];
    uint8_t flags = p->tcp_flags;
    switch ((enum tcp_end)side->state) {
    case TCP_END_INACTIVE:
        start_side(flow, from, p, payload);
        return;
    case TCP_END_SYN_SENT:
    case TCP_END_SYN_ACK_SENT:
    case TCP_END_ESTABLISHED:
    case TCP_END_PARTIAL:
        if (side->state == TCP_END_PARTIAL && peer->state == TCP_END_INACTIVE &&
            (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN)
            enter(side, TCP_END_SYN_SENT);
        if ((flags & TCP_FIN) && !(flags & TCP_RST)) {
            enter(side, TCP_END_CLOSED);
            if (peer->state == TCP_END_RESET && peer->previous == TCP_END_CLOSED)
                enter(peer, TCP_END_CLOSED); /* FIN, then RST: that was an ordinary end */
        }
        if (flags & TCP_RST)
            enter(side, TCP_END_RESET);
        return;
    case TCP_END_CLOSED:
        if ((flags & TCP_RST) && peer->state != TCP_END_CLOSED)
            enter(side, TCP_END_RESET);
        return;
    case TCP_END_RESET:
        return;
    }
}

void tcp_take(struct flow *flow, enum direction from, const struct packet *p)
{
    struct flow_side *side = &flow->side[from];
    bool reset = (p->tcp_flags & TCP_RST) != 0;
    uint32_t payload = reset ? 0 : p->payload_length; /* a RST's text is no part of the stream */
    bool believed = reset ? reset_is_believed(flow, from, p) : answer_is_believed(flow, from, p);

    note_flags(flow, from, p, payload);
    note_window(flow, from, p);
    if (side->packets == 0)
        side->first_flags = p->tcp_flags;
    if (believed && !begin_side(side, p, payload) && !(p->tcp_flags & (TCP_SYN | TCP_RST)) &&
        side->state != TCP_END_RESET)
        advance(flow, from, p, payload);
    if (believed && (p->tcp_flags & TCP_ACK) && !reset)
        acknowledge(flow, from, p);
    side->flags |= believed ? p->tcp_flags : 0;
    if (believed)
        move_states(flow, from, p, payload);
}

enum flow_fate tcp_fate(const struct flow *flow, const struct packet *p)
{
    const struct flow_side *orig = &flow->side[ORIG], *resp = &flow->side[RESP];
    if (resp->state == TCP_END_RESET)
        return FATE_REFUSED;
    if (p->tcp_flags & TCP_RST)
        return FATE_PENDING; /* not believed */
    if (!(orig->first_flags & TCP_SYN))
        return FATE_ANSWERED;
    /* A SYN is answered by what acknowledges it; a lone ACK may be about an older connection. */
    bool acknowledges = (p->tcp_flags & TCP_ACK) && seq_delta(p->tcp_ack, orig->first_seq) > 0 &&
                        seq_delta(p->tcp_ack, orig->next_seq) <= 0;
    bool says = (p->tcp_flags & (TCP_SYN | TCP_FIN)) != 0 || p->payload_length > 0;
    return acknowledges && says ? FATE_ANSWERED : FATE_PENDING;
}

bool tcp_answered(const struct flow *flow)
{
    uint8_t state = flow->side[RESP].state;
    return state != TCP_END_INACTIVE && state != TCP_END_RESET;
}

bool tcp_given_up(const struct flow *flow)
{
    const struct flow_side *orig = &flow->side[ORIG];
    return (orig->first_flags & TCP_SYN) && orig->state == TCP_END_RESET;
}

bool tcp_over(const struct flow *flow)
{
    uint8_t orig = flow->side[ORIG].state, resp = flow->side[RESP].state;
    return orig == TCP_END_RESET || resp == TCP_END_RESET ||
           (orig == TCP_END_CLOSED && resp == TCP_END_CLOSED);
}

bool tcp_reuses(const struct flow *flow, enum direction from, const struct packet *p)
{
    return flow->list == LIST_CLOSED && (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN &&
           (from == RESP || p->tcp_seq != flow->side[ORIG].first_seq);
}

/* A SYN, then a RST of the originator, and nothing of it between that went further. */
static bool aborted_before_answer(const char *history)
{
    if (*history == '^')
        history++;
    if (*history++ != 'S')
        return false;
    for (; *history != '\0' && strchr("HAFGIQ", *history) == NULL; history++) {
        if (*history == 'R')
            return true;
    }
    return false;
}

static bool never_began(uint8_t state)
{
    return state == TCP_END_INACTIVE || state == TCP_END_PARTIAL;
}

static const char *state_after_responder_reset(const struct flow *flow)
{
    uint8_t orig = flow->side[ORIG].state;
    bool empty = flow->side[ORIG].payload_bytes == 0 && flow->side[RESP].payload_bytes == 0;
    if (orig == TCP_END_SYN_SENT || orig == TCP_END_SYN_ACK_SENT ||
        (orig == TCP_END_RESET && empty))
        return "REJ";
    return never_began(orig) ? "RSTRH" : "RSTR";
}

const char *tcp_conn_state(const struct flow *flow)
{
    uint8_t orig = flow->side[ORIG].state, resp = flow->side[RESP].state;
    if (resp == TCP_END_RESET)
        return state_after_responder_reset(flow);
    if (orig == TCP_END_RESET) {
        if (!never_began(resp))
            return "RSTO";
        return aborted_before_answer(flow->history) ? "RSTOS0" : "OTH";
    }
    if (orig == TCP_END_CLOSED && resp == TCP_END_CLOSED)
        return "SF";
    if (orig == TCP_END_CLOSED)
        return never_began(resp) ? "SH" : "S2";
    if (resp == TCP_END_CLOSED)
        return never_began(orig) ? "SHR" : "S3";
    if (orig == TCP_END_SYN_SENT && resp == TCP_END_INACTIVE)
        return "S0";
    if (orig == TCP_END_ESTABLISHED && resp == TCP_END_ESTABLISHED)
        return "S1";
    return "OTH";
}
