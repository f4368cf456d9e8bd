/* The test suite of RFC 1321, A.5, and every split of a text. */
#include "md5.h"

#include "check.h"

static void digest_of(const char *text, size_t split, char out[33])
{
    struct md5 m;
    uint8_t digest[16];
    md5_begin(&m);
    md5_add(&m, text, (uint32_t)split);
    md5_add(&m, text + split, (uint32_t)(strlen(text) - split));
    md5_end(&m, digest);
    for (int i = 0; i < 16; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

int main(void)
{
    static const struct {
        const char *text, *digest;
    } suite[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
         "0",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    char digest[33];
    for (unsigned i = 0; i < sizeof suite / sizeof suite[0]; i++)
        for (size_t split = 0; split <= strlen(suite[i].text); split++) {
            digest_of(suite[i].text, split, digest);
            CHECK_STR(digest, suite[i].digest);
        }
    return check_done();
}
