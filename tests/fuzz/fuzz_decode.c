/* A frame of any link type: the first byte of the input chooses it, the second how many bytes the
 * capture left out. Whatever the frame is, what the packet says stays within it. */
#include "decode.h"

#include <stddef.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int linktypes[] = {0,   1,   9,   51,  101, 104, 105, 107, 108, 113,
                                127, 129, 166, 192, 228, 229, 239, 276, 220};

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_payload(const struct packet *p, const uint8_t *frame, uint32_t length)
{
    require(p->payload_length >= p->payload.left);
    require(p->payload_length <= p->wire_length);
    if (p->payload.left == 0)
        return;
    require(p->payload.at >= frame);
    require((size_t)(p->payload.at - frame) + p->payload.left <= length);
}

static void check_packet(const struct packet *p)
{
    require(p->kind <= PACKET_IMPOSSIBLE);
    require(p->outers <= 2);
    require(p->vlan < 4096);
    if (p->kind != PACKET_IP)
        return;
    require(p->ip_version == 4 || p->ip_version == 6);
    require(p->layers & (p->ip_version == 4 ? LAYER_IP4 : LAYER_IP6));
    require(p->fragment || !p->later_fragment);
    require(p->fragment || !p->last_fragment);
    require(!p->later_fragment || !p->has_transport);
    require(p->ip_length <= p->wire_length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t kinds = sizeof linktypes / sizeof *linktypes;
    struct events events = {0};
    struct packet p = {0};
    uint64_t noted = 0;

    if (size < 2 || size > 65536)
        return 0;
    uint32_t length = (uint32_t)size - 2;
    p.captured_length = length;
    p.wire_length = length + data[1];
    unsigned defects = decode_packet(&p, linktypes[data[0] % kinds], data + 2, length, &events);
    for (unsigned i = 0; i < EVENT_COUNT; i++)
        noted += events.count[i];
    require(noted == defects);
    check_payload(&p, data + 2, length);
    check_packet(&p);
    return 0;
}
