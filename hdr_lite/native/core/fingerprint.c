/* Fingerprints over the lists that parse_tls.c has collected, GREASE already left out. */
#include "fingerprint.h"

#include "md5.h"
#include "sha256.h"

static const char HEX[] = "0123456789abcdef";

enum extension_number { EXT_SERVER_NAME = 0, EXT_ALPN = 16 };

bool tls_grease(uint16_t value)
{
    return (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
}

void hex_text(char *out, const uint8_t *bytes, unsigned length)
{
    for (unsigned i = 0; i < length; i++) {
        out[2 * i] = HEX[bytes[i] >> 4];
        out[2 * i + 1] = HEX[bytes[i] & 15];
    }
}

static void add_number(struct md5 *m, uint32_t value)
{
    char text[20];
    unsigned length = fact_number(text, value);
    md5_add(m, text, length);
}

static void add_numbers(struct md5 *m, const uint16_t *list, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            md5_add(m, "-", 1);
        add_number(m, list[i]);
    }
}

void ja3(const struct tls_state *s, uint8_t digest[16])
{
    struct md5 m;
    md5_begin(&m);
    add_number(&m, s->client_version);
    md5_add(&m, ",", 1);
    add_numbers(&m, s->ciphers, s->cipher_count);
    md5_add(&m, ",", 1);
    add_numbers(&m, s->extensions, s->extension_count);
    md5_add(&m, ",", 1);
    add_numbers(&m, s->groups, s->group_count);
    md5_add(&m, ",", 1);
    for (unsigned i = 0; i < s->format_count; i++) {
        if (i > 0)
            md5_add(&m, "-", 1);
        add_number(&m, s->formats[i]);
    }
    md5_end(&m, digest);
}

void ja3s(const struct tls_state *s, uint8_t digest[16])
{
    struct md5 m;
    md5_begin(&m);
    add_number(&m, s->server_legacy);
    md5_add(&m, ",", 1);
    add_number(&m, s->cipher);
    md5_add(&m, ",", 1);
    add_numbers(&m, s->server_extensions, s->ja3s_count);
    md5_end(&m, digest);
}

/* Insertion sort: the lists are short and bounded. */
static void sort(uint16_t *list, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        uint16_t value = list[i];
        unsigned at = i;
        for (; at > 0 && list[at - 1] > value; at--)
            list[at] = list[at - 1];
        list[at] = value;
    }
}

/* Four hex digits each, commas between; SNI and ALPN are left out where asked. Returns how many. */
static unsigned add_hex_list(struct sha256 *h, const uint16_t *list, unsigned count, bool all)
{
    unsigned added = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!all && (list[i] == EXT_SERVER_NAME || list[i] == EXT_ALPN))
            continue;
        uint8_t bytes[2] = {(uint8_t)(list[i] >> 8), (uint8_t)list[i]};
        char text[5] = ",";
        hex_text(text + 1, bytes, 2);
        sha256_add(h, added > 0 ? text : text + 1, added > 0 ? 5 : 4);
        added++;
    }
    return added;
}

/* The first 12 digits of the digest, or zeros for an empty list. */
static void put_digest(char *out, struct sha256 *h, unsigned listed)
{
    uint8_t digest[32] = {0};
    if (listed > 0)
        sha256_end(h, digest);
    hex_text(out, digest, 6);
}

static void put_version(char *out, uint16_t version)
{
    static const struct {
        uint16_t version;
        const char text[3];
    } known[] = {{0x0304, "13"}, {0x0303, "12"}, {0x0302, "11"},
                 {0x0301, "10"}, {0x0300, "s3"}, {0x0002, "s2"}};
    memcpy(out, "00", 2);
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (known[i].version == version)
            memcpy(out, known[i].text, 2);
}

static void put_count(char *out, unsigned count)
{
    if (count > 99)
        count = 99;
    out[0] = (char)('0' + count / 10);
    out[1] = (char)('0' + count % 10);
}

static bool alphanumeric(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* First and last character of the first protocol, of its hex form where they are no letters. */
static void put_alpn(char *out, const struct tls_state *s)
{
    memcpy(out, "00", 2);
    if (s->alpn_length == 0)
        return;
    uint8_t first = s->alpn[0], last = s->alpn_last;
    bool plain = alphanumeric(first) && alphanumeric(last);
    out[0] = plain ? (char)first : HEX[first >> 4];
    out[1] = plain ? (char)last : HEX[last & 15];
}

void ja4(struct tls_state *s, char out[JA4_LENGTH + 1])
{
    struct sha256 h;
    sort(s->ciphers, s->cipher_count);
    sort(s->extensions, s->extension_count);
    out[0] = 't'; /* TCP */
    put_version(out + 1, s->client_best);
    out[3] = s->has_name ? 'd' : 'i';
    put_count(out + 4, s->cipher_count);
    put_count(out + 6, s->extension_count);
    put_alpn(out + 8, s);
    out[10] = '_';
    sha256_begin(&h);
    put_digest(out + 11, &h, add_hex_list(&h, s->ciphers, s->cipher_count, true));
    out[23] = '_';
    sha256_begin(&h);
    unsigned listed = add_hex_list(&h, s->extensions, s->extension_count, false);
    if (s->signature_count > 0) {
        sha256_add(&h, "_", 1);
        add_hex_list(&h, s->signatures, s->signature_count, true);
    }
    put_digest(out + 24, &h, listed);
    out[JA4_LENGTH] = '\0';
}
