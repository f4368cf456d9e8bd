/* Records as msgpack arrays (record.h). The format is msgpack's specification,
 * sections "Formats": nil, bool, the unsigned integers, str and array; every
 * value takes its shortest form. The buffer belongs to the caller.
 */
#include "record.h"

#include <string.h>

static const char HEX[] = "0123456789abcdef";

/* Room for n more bytes, or NULL and the writer has failed for good. */
static uint8_t *reserve(struct record_writer *w, uint32_t n)
{
    if (w->failed || (size_t)(w->end - w->at) < n) {
        w->failed = true;
        return NULL;
    }
    uint8_t *at = w->at;
    w->at += n;
    return at;
}

static void put_u8(struct record_writer *w, uint8_t byte)
{
    uint8_t *at = reserve(w, 1);
    if (at != NULL)
        *at = byte;
}

/* A format byte and a big-endian number of `bytes` bytes. */
static void put_number(struct record_writer *w, uint8_t format, uint64_t value, unsigned bytes)
{
    uint8_t *at = reserve(w, 1 + bytes);
    if (at == NULL)
        return;
    *at++ = format;
    for (unsigned i = bytes; i-- > 0;)
        *at++ = (uint8_t)(value >> (8 * i));
}

void record_begin(struct record_writer *w, uint8_t *buffer, uint32_t size, unsigned fields)
{
    w->at = w->start = buffer;
    w->end = buffer + size;
    w->failed = false;
    record_array(w, fields);
}

uint32_t record_finish(const struct record_writer *w)
{
    return w->failed ? 0 : (uint32_t)(w->at - w->start);
}

void record_nil(struct record_writer *w)
{
    put_u8(w, 0xc0);
}

void record_bool(struct record_writer *w, bool value)
{
    put_u8(w, value ? 0xc3 : 0xc2);
}

void record_uint(struct record_writer *w, uint64_t value)
{
    if (value < 0x80)
        put_u8(w, (uint8_t)value);
    else if (value <= UINT8_MAX)
        put_number(w, 0xcc, value, 1);
    else if (value <= UINT16_MAX)
        put_number(w, 0xcd, value, 2);
    else if (value <= UINT32_MAX)
        put_number(w, 0xce, value, 4);
    else
        put_number(w, 0xcf, value, 8);
}

void record_array(struct record_writer *w, unsigned elements)
{
    if (elements < 16)
        put_u8(w, (uint8_t)(0x90 | elements));
    else if (elements <= UINT16_MAX)
        put_number(w, 0xdc, elements, 2);
    else
        put_number(w, 0xdd, elements, 4);
}

static void put_text_head(struct record_writer *w, uint32_t length)
{
    if (length < 32)
        put_u8(w, (uint8_t)(0xa0 | length));
    else if (length <= UINT8_MAX)
        put_number(w, 0xd9, length, 1);
    else if (length <= UINT16_MAX)
        put_number(w, 0xda, length, 2);
    else
        put_number(w, 0xdb, length, 4);
}

void record_text(struct record_writer *w, const char *text, uint32_t length)
{
    put_text_head(w, length);
    uint8_t *at = reserve(w, length);
    if (at != NULL && length > 0)
        memcpy(at, text, length);
}

void record_cstring(struct record_writer *w, const char *text)
{
    record_text(w, text, (uint32_t)strlen(text));
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

void record_wire_text(struct record_writer *w, const uint8_t *bytes, uint32_t length, uint32_t most)
{
    uint32_t used = 0, size = 0;
    for (; used < length; used++) {
        uint32_t step = is_plain(bytes[used]) ? 1 : 4;
        if (size > most || step > most - size)
            break; /* an escape is never cut in two */
        size += step;
    }
    put_text_head(w, size);
    uint8_t *at = reserve(w, size);
    if (at == NULL)
        return;
    for (uint32_t i = 0; i < used; i++) {
        if (is_plain(bytes[i])) {
            *at++ = bytes[i];
            continue;
        }
        *at++ = '\\';
        *at++ = 'x';
        *at++ = (uint8_t)HEX[bytes[i] >> 4];
        *at++ = (uint8_t)HEX[bytes[i] & 15];
    }
}

static char *decimal(char *out, unsigned value)
{
    if (value >= 100)
        *out++ = (char)('0' + value / 100);
    if (value >= 10)
        *out++ = (char)('0' + value / 10 % 10);
    *out++ = (char)('0' + value % 10);
    return out;
}

static char *hexadecimal(char *out, unsigned value)
{
    for (unsigned shift = 16; shift > 4;) {
        shift -= 4;
        if (value >> shift != 0)
            *out++ = HEX[value >> shift & 15];
    }
    *out++ = HEX[value & 15];
    return out;
}

static bool is_ipv4(const uint8_t address[16])
{
    static const uint8_t MAPPED[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(address, MAPPED, sizeof MAPPED) == 0;
}

/* The longest run of two or more zero groups, the first among equals (RFC 5952, 4.2). */
static void longest_zeros(const unsigned group[8], unsigned *from, unsigned *run)
{
    *from = 8;
    *run = 1;
    for (unsigned i = 0; i < 8;) {
        unsigned j = i;
        while (j < 8 && group[j] == 0)
            j++;
        if (j - i > *run) {
            *from = i;
            *run = j - i;
        }
        i = j + 1;
    }
}

static char *ipv6_text(char *out, const uint8_t address[16])
{
    unsigned group[8], from, run;
    for (unsigned i = 0; i < 8; i++)
        group[i] = (unsigned)address[2 * i] << 8 | address[2 * i + 1];
    longest_zeros(group, &from, &run);
    for (unsigned i = 0; i < 8; i++) {
        if (i == from) {
            *out++ = ':';
            *out++ = ':';
            i += run - 1;
            continue;
        }
        if (i > 0 && i != from + run)
            *out++ = ':';
        out = hexadecimal(out, group[i]);
    }
    return out;
}

unsigned address_text(char *out, const uint8_t address[16])
{
    char *at = out;
    if (is_ipv4(address)) {
        for (unsigned i = 12; i < 16; i++) {
            if (i > 12)
                *at++ = '.';
            at = decimal(at, address[i]);
        }
    } else {
        at = ipv6_text(at, address);
    }
    *at = '\0';
    return (unsigned)(at - out);
}

void record_address(struct record_writer *w, const uint8_t address[16])
{
    char text[46];
    unsigned length = address_text(text, address);
    record_text(w, text, length);
}

void record_mac(struct record_writer *w, const uint8_t mac[6])
{
    char text[17];
    for (unsigned i = 0; i < 6; i++) {
        text[3 * i] = HEX[mac[i] >> 4];
        text[3 * i + 1] = HEX[mac[i] & 15];
        if (i < 5)
            text[3 * i + 2] = ':';
    }
    record_text(w, text, sizeof text);
}

void record_mac_if(struct record_writer *w, const uint8_t mac[6], bool known)
{
    static const uint8_t NONE[6];
    if (known && memcmp(mac, NONE, sizeof NONE) != 0)
        record_mac(w, mac);
    else
        record_cstring(w, "");
}
