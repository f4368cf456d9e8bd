/* Published examples: JA3 from Salesforce's README, JA3S from its
 * article "TLS Fingerprinting with JA3 and JA3S", another from pyJA3's, JA4 from
 * FoxIO's technical details. */
#include "fingerprint.h"

#include <stdlib.h>

#include "check.h"

static struct tls_state s;

static uint8_t numbers(uint16_t *list, const char *text, const char *separator, int base)
{
    static char copy[512];
    uint8_t n = 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *word = strtok(copy, separator); word; word = strtok(NULL, separator))
        list[n++] = (uint16_t)strtoul(word, NULL, base);
    return n;
}

static void check_digest(const uint8_t digest[16], const char *expected)
{
    char text[33] = {0};
    hex_text(text, digest, 16);
    CHECK_STR(text, expected);
}

static void check_ja3(uint16_t version, const char *ciphers, const char *extensions,
                      const char *groups, bool format, const char *expected)
{
    uint8_t digest[16];
    memset(&s, 0, sizeof s);
    s.client_version = version;
    s.cipher_count = numbers(s.ciphers, ciphers, "-", 10);
    s.extension_count = numbers(s.extensions, extensions, "-", 10);
    s.group_count = numbers(s.groups, groups, "-", 10);
    s.format_count = format;
    ja3(&s, digest);
    check_digest(digest, expected);
}

static void test_ja3(void)
{
    check_ja3(769, "47-53-5-10-49161-49162-49171-49172-50-56-19-4", "0-10-11", "23-24-25", true,
              "ada70206e40642a3e4461f35503241d5");
    check_ja3(769, "4-5-10-9-100-98-3-6-19-18-99", "", "", false,
              "de350869b8c85de67a350c8d186f11e6");
    check_ja3(769,
              "255-49162-49172-136-135-57-56-49167-49157-132-53-49159-49161-49169-49171-69-68-51-"
              "50-49164-49166-49154-49156-150-65-4-5-47-49160-49170-22-19-49165-49155-65279-10",
              "0-10-11-35", "23-24-25", true, "2aef69b4ba1938c3a400de4188743185");
}

static void test_ja3s(void)
{
    uint8_t digest[16];
    memset(&s, 0, sizeof s);
    s.server_legacy = 769;
    s.cipher = 49172;
    s.ja3s_count = numbers(s.server_extensions, "65281-11", "-", 10);
    ja3s(&s, digest);
    check_digest(digest, "623de93db17d313345d7ea481e7443cf"); /* a Trickbot server's */
}

static void set_alpn(const char *bytes, uint8_t n)
{
    memcpy(s.alpn, bytes, n);
    s.alpn_length = n;
    s.alpn_last = n > 0 ? (uint8_t)bytes[n - 1] : 0;
}

static void browser(void)
{
    memset(&s, 0, sizeof s);
    s.client_version = 0x0303;
    s.client_best = 0x0304;
    s.has_name = true;
    set_alpn("h2", 2);
    s.cipher_count = numbers(s.ciphers,
                             "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,"
                             "002f,0035",
                             ",", 16);
    s.extension_count = numbers(s.extensions,
                                "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,"
                                "ff01,000b,000a,0015",
                                ",", 16);
    s.signature_count = numbers(s.signatures, "0403,0804,0401,0503,0805,0501,0806,0601", ",", 16);
}

static void test_ja4(void)
{
    char text[JA4_LENGTH + 1];
    browser();
    ja4(&s, text);
    CHECK_STR(text, "t13d1516h2_8daaf6152771_e5627efa2ab1");
    browser();
    s.signature_count = 0;
    ja4(&s, text);
    CHECK_STR(text, "t13d1516h2_8daaf6152771_6d807ffa2a79");
    memset(&s, 0, sizeof s);
    ja4(&s, text);
    CHECK_STR(text, "t00i000000_000000000000_000000000000");
    s.client_best = 0x0303;
    s.has_name = true;
    s.extension_count = 2; /* 0 and 16 are counted, and not hashed */
    s.extensions[1] = 16;
    set_alpn("http/1.1", 8);
    ja4(&s, text);
    CHECK_STR(text, "t12d0002h1_000000000000_000000000000");
}

static void test_ja4_protocol(void)
{
    static const struct {
        const char *bytes, *characters;
        uint8_t n;
    } examples[] = {{"", "00", 0},
                    {"x", "xx", 1},
                    {"\xab", "ab", 1},
                    {"\xab\xcd", "ad", 2},
                    {"\x30\xab", "3b", 2},
                    {"\x30\x31\xab\xcd", "3d", 4},
                    {"\x30\xab\xcd\x31", "01", 4}};
    char text[JA4_LENGTH + 1];
    for (unsigned i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        browser();
        set_alpn(examples[i].bytes, examples[i].n);
        ja4(&s, text);
        text[10] = '\0';
        CHECK_STR(text + 8, examples[i].characters);
    }
}

static void test_grease(void)
{
    CHECK(tls_grease(0x0a0a) && tls_grease(0xfafa) && tls_grease(0x5a5a));
    CHECK(!tls_grease(0x0a1a) && !tls_grease(0x0a0b) && !tls_grease(0x1301) && !tls_grease(0));
}

int main(void)
{
    test_ja3();
    test_ja3s();
    test_ja4();
    test_ja4_protocol();
    test_grease();
    return check_done();
}
