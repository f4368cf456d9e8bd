/* The examples of FIPS 180-2, B.1 to B.3, and every split of a text. */
#include "sha256.h"

#include "check.h"

static void hex(const uint8_t digest[32], char out[65])
{
    for (int i = 0; i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static void digest_of(const char *text, size_t split, char out[65])
{
    struct sha256 s;
    uint8_t digest[32];
    sha256_begin(&s);
    sha256_add(&s, text, (uint32_t)split);
    sha256_add(&s, text + split, (uint32_t)(strlen(text) - split));
    sha256_end(&s, digest);
    hex(digest, out);
}

static void check_million(void)
{
    char text[1000], out[65];
    uint8_t digest[32];
    struct sha256 s;
    memset(text, 'a', sizeof text);
    sha256_begin(&s);
    for (int i = 0; i < 1000; i++)
        sha256_add(&s, text, sizeof text);
    sha256_end(&s, digest);
    hex(digest, out);
    CHECK_STR(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
    static const struct {
        const char *text, *digest;
    } suite[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char digest[65];
    for (unsigned i = 0; i < sizeof suite / sizeof suite[0]; i++)
        for (size_t split = 0; split <= strlen(suite[i].text); split++) {
            digest_of(suite[i].text, split, digest);
            CHECK_STR(digest, suite[i].digest);
        }
    check_million();
    return check_done();
}
