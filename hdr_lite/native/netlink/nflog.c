/* nfnetlink_log messages to packets (nflog.h). */
#include "nflog.h"

enum { /* linux/netfilter/nfnetlink.h, nfnetlink_log.h */
       SUBSYSTEM = 4,
       MESSAGE_PACKET = SUBSYSTEM << 8 | 0,
       ATTRIBUTE_PACKET_HEADER = 1,
       ATTRIBUTE_TIMESTAMP = 3,
       ATTRIBUTE_IN_INDEX = 4,
       ATTRIBUTE_OUT_INDEX = 5,
       ATTRIBUTE_HARDWARE_ADDRESS = 8,
       ATTRIBUTE_PAYLOAD = 9,
       ATTRIBUTE_SEQUENCE = 12,
       ATTRIBUTE_HARDWARE_TYPE = 15,
       ATTRIBUTE_HARDWARE_HEADER = 16,
};

#define LINK_ETHERNET 1
#define LINK_RAW 101
#define HARDWARE_ETHERNET 1
#define MICROSECOND 1000u
#define SECOND UINT64_C(1000000000)

struct logged {
    struct cursor payload, link; /* link: the hardware header */
    uint32_t in, out, sequence;
    uint64_t time; /* ns since the epoch, 0 unknown */
    uint16_t protocol, hardware;
    bool has_payload, has_sequence;
    uint8_t mac[6];
    bool has_mac;
};

void nflog_init(struct nflog *n, uint16_t group, struct interfaces *interfaces)
{
    memset(n, 0, sizeof *n);
    n->group = group;
    n->interfaces = interfaces;
}

static bool take_header(struct cursor value, struct logged *out)
{
    return cursor_u16(&value, &out->protocol);
}

/* Seconds and microseconds; nonsense is no time. */
static bool take_time(struct cursor value, struct logged *out)
{
    struct cursor seconds, rest;
    uint64_t s, us;
    if (!cursor_take(&value, 8, &seconds) || !cursor_take(&value, 8, &rest) ||
        !netlink_u64(seconds, &s) || !netlink_u64(rest, &us))
        return false;
    if (s < UINT64_MAX / 4 / SECOND && us < 1000000)
        out->time = s * SECOND + us * MICROSECOND;
    return true;
}

/* Length, two bytes of padding, the address of who sent the frame. */
static bool take_address(struct cursor value, struct logged *out)
{
    uint16_t length;
    if (!cursor_u16(&value, &length) || !cursor_skip(&value, 2))
        return false;
    out->has_mac = length == 6 && cursor_bytes(&value, out->mac, 6);
    return true;
}

static bool take_attribute(uint16_t type, struct cursor value, struct logged *out)
{
    switch (type) {
    case ATTRIBUTE_PACKET_HEADER:
        return take_header(value, out);
    case ATTRIBUTE_TIMESTAMP:
        return take_time(value, out);
    case ATTRIBUTE_IN_INDEX:
        return netlink_u32(value, &out->in);
    case ATTRIBUTE_OUT_INDEX:
        return netlink_u32(value, &out->out);
    case ATTRIBUTE_HARDWARE_ADDRESS:
        return take_address(value, out);
    case ATTRIBUTE_PAYLOAD:
        out->payload = value;
        out->has_payload = true;
        return true;
    case ATTRIBUTE_SEQUENCE:
        out->has_sequence = true;
        return netlink_u32(value, &out->sequence);
    case ATTRIBUTE_HARDWARE_TYPE:
        return netlink_u16(value, &out->hardware);
    case ATTRIBUTE_HARDWARE_HEADER:
        out->link = value;
        return true;
    default:
        return true;
    }
}

static bool parse(struct cursor body, uint16_t group, struct logged *out)
{
    struct cursor value;
    uint8_t family, version;
    uint16_t type, resource;
    enum netlink_step step;
    memset(out, 0, sizeof *out);
    if (!cursor_u8(&body, &family) || !cursor_u8(&body, &version) ||
        !cursor_u16(&body, &resource) || resource != group)
        return false;
    while ((step = netlink_attribute(&body, &type, &value)) == NETLINK_TAKEN) {
        if (!take_attribute(type, value, out))
            return false;
    }
    return step == NETLINK_END && out->has_payload;
}

/* What the kernel counted and we did not get. A number that goes back is a new count: the group
 * was bound anew. */
static void count_sequence(struct nflog *n, uint32_t sequence)
{
    uint32_t missing = sequence - n->sequence;
    if (n->counting && missing < UINT32_C(1) << 31)
        n->counters.lost += missing;
    n->counting = true;
    n->sequence = sequence + 1;
}

/* The datagram's length by its own header; what was sent when that is not to be had. */
static uint32_t ip_length(struct cursor ip)
{
    uint32_t sent = ip.left, length = 0;
    uint8_t first = 0, h[6];
    if (cursor_peek_u8(&ip, 0, &first) && cursor_bytes(&ip, h, sizeof h))
        length = first >> 4 == 4 ? be16(h + 2) : first >> 4 == 6 ? 40u + be16(h + 4) : 0;
    return length > sent ? length : sent;
}

/* Ethernet's header for the frame: both addresses as they were, or the sender's alone, and the
 * protocol that the kernel found behind VLAN tags and PPPoE. */
static uint32_t put_link(uint8_t *frame, const struct logged *packet)
{
    struct cursor link = packet->link;
    memset(frame, 0, 12);
    if (packet->hardware != HARDWARE_ETHERNET)
        return 0;
    if (!cursor_bytes(&link, frame, 12)) {
        if (!packet->has_mac)
            return 0;
        memcpy(frame + 6, packet->mac, 6);
    }
    frame[12] = (uint8_t)(packet->protocol >> 8);
    frame[13] = (uint8_t)packet->protocol;
    return 14;
}

static uint64_t time_of(const struct logged *packet, struct nflog_time time)
{
    uint64_t moved = packet->time + (uint64_t)time.shift;
    bool sane = packet->time > 0 && moved < UINT64_MAX / 2;
    return sane ? moved : time.now;
}

static void feed(struct nflog *n, struct meter *m, const struct logged *packet,
                 struct nflog_time time)
{
    struct cursor payload = packet->payload;
    uint32_t index = packet->in ? packet->in : packet->out;
    uint16_t interface = interfaces_number(n->interfaces, index, NULL);
    uint32_t length = ip_length(payload);
    uint32_t head = put_link(n->frame, packet);
    cursor_trim(&payload, NFLOG_MOST_BYTES);
    uint32_t captured = payload.left;
    (void)cursor_bytes(&payload, n->frame + head, captured);
    n->counters.packets++;
    (void)meter_sampled_packet(m, head > 0 ? LINK_ETHERNET : LINK_RAW, interface,
                               time_of(packet, time), head + length, n->frame, head + captured);
}

unsigned nflog_take(struct nflog *n, struct meter *m, struct cursor datagram,
                    struct nflog_time time)
{
    struct netlink_message message;
    struct logged packet;
    enum netlink_step step;
    unsigned taken = 0;
    while ((step = netlink_message(&datagram, &message)) == NETLINK_TAKEN) {
        if (message.type != MESSAGE_PACKET) /* NETLINK_DONE ends a batch */
            continue;
        if (!parse(message.body, n->group, &packet)) {
            n->counters.malformed++;
            continue;
        }
        if (packet.has_sequence)
            count_sequence(n, packet.sequence);
        feed(n, m, &packet, time);
        taken++;
    }
    n->counters.malformed += step == NETLINK_BAD;
    return taken;
}
