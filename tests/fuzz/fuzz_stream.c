/* A stream against the plainest model: an array of which bytes came first where. Input: rows of
 * (operation, two bytes of place, one of length); every byte sent is a function of its place and
 * of the row, so that a later copy that won would be seen.
 */
#include <stdlib.h>

#include "stream.h"

#define SPACE 8192u

enum { UNSEEN, KNOWN, DOUBTFUL };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stream stream;
static struct events events;
static uint8_t sent[256];

/* Everything in view must be what came first. */
static void check(const uint8_t *known, const uint8_t *state, uint32_t read)
{
    struct cursor view = stream_view(&stream);
    uint8_t byte;
    if (view.left > STREAM_SIZE || stream.ranges > STREAM_RANGES)
        abort();
    for (uint32_t at = read; cursor_u8(&view, &byte); at++)
        if (at >= SPACE || state[at] == UNSEEN || (state[at] == KNOWN && known[at] != byte))
            abort();
}

static void send_segment(uint8_t *known, uint8_t *state, uint32_t read, uint32_t at,
                         uint32_t length, uint8_t row)
{
    memset(sent, row, sizeof sent);
    struct segment segment = {at, length, cursor_over(sent, length)};
    uint32_t end = at + length < SPACE ? at + length : SPACE;
    bool alive = !stream.ended;
    stream_add(&stream, &segment, &events);
    for (uint32_t i = at < read ? read : at; alive && i < end; i++)
        if (state[i] == UNSEEN) {
            state[i] = i - read < STREAM_SIZE ? KNOWN : DOUBTFUL; /* within the window or not */
            known[i] = row;
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t known[SPACE];
    static uint8_t state[SPACE];
    memset(state, UNSEEN, sizeof state);
    stream_begin(&stream, 0);
    uint8_t row = 0;
    for (; size >= 4; data += 4, size -= 4) {
        uint32_t read = (uint32_t)stream_position(&stream);
        uint32_t place = ((uint32_t)data[1] << 8 | data[2]) % (SPACE - 256);
        struct cursor line;
        uint32_t taken;
        row++;
        if (read > SPACE - 2 * STREAM_SIZE)
            break;
        switch (data[0] % 4) {
        case 0:
            stream_skip(&stream, data[3] % (stream_view(&stream).left + 1));
            break;
        case 1:
            if (stream_find_line(&stream, &line, &taken) == LINE_FOUND)
                stream_skip(&stream, taken);
            break;
        default:
            send_segment(known, state, read, data[0] & 4 ? place : read + data[2] * 4u, data[3],
                         row);
        }
        if (!stream.ended)
            check(known, state, (uint32_t)stream_position(&stream));
    }
    return 0;
}
