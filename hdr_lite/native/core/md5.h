/* MD5 (RFC 1321), for JA3 only: a fingerprint's name, not a protection. */
#ifndef HDR_LITE_MD5_H
#define HDR_LITE_MD5_H

#include <stdint.h>

struct md5 {
    uint32_t state[4];
    uint64_t length; /* bytes so far */
    uint8_t block[64];
};

void md5_begin(struct md5 *m);
void md5_add(struct md5 *m, const void *bytes, uint32_t length);
void md5_end(struct md5 *m, uint8_t digest[16]);

#endif
