/* Flows as records (flow_record.h); the order of fields is that of hdr_lite/records/flow.py. */
#include "flow_record.h"

#include "application.h"
#include "tcp_state.h"

static void put_decimal(struct record_writer *w, unsigned value)
{
    char text[10];
    unsigned at = sizeof text;
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    record_text(w, text + at, (uint32_t)(sizeof text - at));
}

static void put_proto(struct record_writer *w, uint8_t proto)
{
    switch (proto) {
    case IP_PROTO_TCP:
        record_cstring(w, "tcp");
        return;
    case IP_PROTO_UDP:
        record_cstring(w, "udp");
        return;
    case IP_PROTO_ICMP:
        record_cstring(w, "icmp");
        return;
    case IP_PROTO_ICMP6:
        record_cstring(w, "icmp6");
        return;
    default:
        put_decimal(w, proto);
    }
}

/* ts, uid, saddr, sport, daddr, dport, proto: how every record about a flow begins. */
static void put_flow_head(struct record_writer *w, const struct flow *flow,
                          const uint8_t secret[16])
{
    char uid[19];
    bool icmp = flow->key.proto == IP_PROTO_ICMP || flow->key.proto == IP_PROTO_ICMP6;
    flow_uid(flow, secret, uid);
    record_uint(w, flow->start);
    record_cstring(w, uid);
    record_address(w, flow->key.src);
    record_uint(w, icmp ? flow->icmp_type : flow->key.sport);
    record_address(w, flow->key.dst);
    record_uint(w, icmp ? flow->icmp_code : flow->key.dport);
    put_proto(w, flow->key.proto);
}

uint32_t flow_record_conn(uint8_t *buffer, const struct flow *flow, const uint8_t secret[16])
{
    struct record_writer w;
    record_begin(&w, buffer, RECORD_MAX, 12);
    put_flow_head(&w, flow, secret);
    record_uint(&w, flow->side[ORIG].first_flags);
    record_mac_if(&w, flow->side[ORIG].mac, flow->has_mac);
    record_mac_if(&w, flow->side[RESP].mac, flow->has_mac);
    record_uint(&w, flow->vlan);
    record_uint(&w, flow->interface);
    return record_finish(&w);
}

/* Nobody asks so often without an answer: that is a voice, a log, a film. */
#define UDP_STREAM 8

bool flow_went_on(const struct flow *flow)
{
    const struct flow_side *orig = &flow->side[ORIG];
    if (flow->key.proto == IP_PROTO_UDP)
        return orig->packets >= UDP_STREAM;
    return flow->key.proto == IP_PROTO_TCP && (orig->first_flags & TCP_SYN) &&
           (orig->flags & TCP_ACK) && !(orig->first_flags & TCP_ACK);
}

static const char *fate_name(const struct flow *flow)
{
    if (flow->fate == FATE_ANSWERED)
        return "answered";
    if (flow->fate == FATE_REFUSED)
        return "refused";
    if (flow->fate == FATE_ABANDONED)
        return "abandoned";
    if (flow->fate == FATE_LEFT)
        return "left";
    return flow_went_on(flow) ? "unseen" : "unanswered";
}

uint32_t flow_record_fate(uint8_t *buffer, const struct flow *flow, const uint8_t secret[16],
                          uint8_t reply)
{
    struct record_writer w;
    record_begin(&w, buffer, RECORD_MAX, 14);
    put_flow_head(&w, flow, secret);
    record_uint(&w, flow->side[ORIG].first_flags);
    record_cstring(&w, fate_name(flow));
    record_uint(&w, reply);
    record_mac_if(&w, flow->side[ORIG].mac, flow->has_mac);
    record_uint(&w, flow->vlan);
    record_uint(&w, flow->interface);
    record_bool(&w, flow->handshake);
    return record_finish(&w);
}

/* Zeek's conn_state for what has no states of its own. */
static const char *conn_state(const struct flow *flow)
{
    bool orig = flow->side[ORIG].packets > 0, resp = flow->side[RESP].packets > 0;
    if (flow->key.proto == IP_PROTO_TCP)
        return tcp_conn_state(flow);
    if (flow->key.proto != IP_PROTO_UDP)
        return "OTH";
    return orig ? (resp ? "SF" : "S0") : "SHR";
}

static const char *end_name(enum flow_end end)
{
    switch (end) {
    case END_IDLE:
        return "idle";
    case END_ACTIVE:
        return "active";
    case END_OF_FLOW:
        return "end";
    case END_FORCED:
        return "forced";
    case END_RESOURCES:
        return "resources";
    }
    return "";
}

uint32_t flow_record_flow(uint8_t *buffer, const struct flow *flow, const uint8_t secret[16],
                          enum flow_end end, const struct tracking *tracking)
{
    const struct flow_side *orig = &flow->side[ORIG], *resp = &flow->side[RESP];
    struct record_writer w;
    record_begin(&w, buffer, RECORD_MAX, 25);
    put_flow_head(&w, flow, secret);
    record_cstring(&w, service_name((enum service)flow->service));
    record_uint(&w, flow->last - flow->start);
    record_uint(&w, orig->payload_bytes);
    record_uint(&w, resp->payload_bytes);
    record_cstring(&w, conn_state(flow));
    record_text(&w, flow->history, flow->history_length);
    record_uint(&w, orig->packets);
    record_uint(&w, resp->packets);
    record_uint(&w, orig->ip_bytes);
    record_uint(&w, resp->ip_bytes);
    record_mac_if(&w, orig->mac, flow->has_mac);
    record_mac_if(&w, resp->mac, flow->has_mac);
    record_uint(&w, flow->vlan);
    record_uint(&w, flow->interface);
    record_cstring(&w, end_name(end));
    record_bool(&w, flow->handshake);
    if (tracking != NULL && tracking->translated)
        record_address(&w, tracking->outside);
    else
        record_cstring(&w, "");
    record_uint(&w, tracking != NULL ? tracking->outside_port : 0);
    return record_finish(&w);
}

uint32_t flow_record_attempts(uint8_t *buffer, const struct attempts_sum *sum)
{
    const struct attempt *sample = &sum->sample;
    bool is_source = sum->role == ROLE_SOURCE;
    struct record_writer w;
    record_begin(&w, buffer, RECORD_MAX, 15);
    record_uint(&w, sum->first);
    record_uint(&w, sum->last);
    record_cstring(&w, is_source ? "source" : "target");
    if (is_source || !(sum->differs & FIELD_SRC))
        record_address(&w, sample->src);
    else
        record_cstring(&w, "");
    if (sum->differs & FIELD_DST)
        record_cstring(&w, "");
    else
        record_address(&w, sample->dst);
    record_uint(&w, sum->differs & FIELD_PORT ? 0 : sample->port);
    if (sum->differs & FIELD_PROTO)
        record_cstring(&w, "");
    else
        put_proto(&w, sample->proto);
    record_uint(&w, sum->differs & FIELD_FLAGS ? 0 : sample->flags);
    record_uint(&w, sum->attempts);
    record_uint(&w, sum->refused);
    record_uint(&w, sum->unanswered);
    record_uint(&w, sum->addresses);
    record_uint(&w, sum->ports);
    record_mac_if(&w, sample->mac, !(sum->differs & FIELD_MAC));
    record_uint(&w, sample->interface);
    return record_finish(&w);
}

uint32_t flow_record_probes(uint8_t *buffer, const struct probes *probes, const struct flow *flow)
{
    uint32_t tried = probes_tried(probes);
    struct record_writer w;
    record_begin(&w, buffer, RECORD_MAX, 12);
    record_uint(&w, probes->begin);
    record_address(&w, flow->key.src);
    record_uint(&w, flow->key.sport);
    record_address(&w, flow->key.dst);
    record_uint(&w, flow->key.dport);
    put_proto(&w, flow->key.proto);
    record_uint(&w, flow->side[ORIG].first_flags);
    record_uint(&w, probes->hosts_differ ? tried : 1);
    record_uint(&w, probes->ports_differ ? tried : 1);
    record_uint(&w, probes_answered(probes));
    record_mac_if(&w, flow->side[ORIG].mac, flow->has_mac);
    record_uint(&w, flow->interface);
    return record_finish(&w);
}

static void put_ipv4(struct record_writer *w, const uint8_t address[4])
{
    uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff};
    memcpy(mapped + 12, address, 4);
    record_address(w, mapped);
}

uint32_t flow_record_arp(uint8_t *buffer, const struct packet *packet)
{
    const struct arp_fact *arp = &packet->arp;
    struct record_writer w;
    record_begin(&w, buffer, RECORD_MAX, 10);
    record_uint(&w, packet->ts);
    if (arp->operation == 1)
        record_cstring(&w, "request");
    else if (arp->operation == 2)
        record_cstring(&w, "reply");
    else
        put_decimal(&w, arp->operation);
    record_mac(&w, arp->sender_mac);
    put_ipv4(&w, arp->sender_ip);
    record_mac(&w, arp->target_mac);
    put_ipv4(&w, arp->target_ip);
    record_mac_if(&w, packet->smac, packet->has_mac);
    record_mac_if(&w, packet->dmac, packet->has_mac);
    record_uint(&w, packet->vlan);
    record_uint(&w, packet->interface);
    return record_finish(&w);
}
