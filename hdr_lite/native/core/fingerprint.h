/* JA3, JA3S and JA4: names for what a TLS hello offers.
 *
 * JA3(S): https://github.com/salesforce/ja3. JA4: the TLS client fingerprint of
 * https://github.com/FoxIO-LLC/ja4 (BSD 3-clause), nothing else of JA4+.
 */
#ifndef HDR_LITE_FINGERPRINT_H
#define HDR_LITE_FINGERPRINT_H

#include "parse_tls.h"

#define JA4_LENGTH 36u

/* Reserved values that clients sprinkle in (RFC 8701). */
bool tls_grease(uint16_t value);
void ja3(const struct tls_state *s, uint8_t digest[16]);
void ja3s(const struct tls_state *s, uint8_t digest[16]);
/* JA4_LENGTH characters and a NUL. Sorts the state's ciphers and extensions: ja3() goes first. */
void ja4(struct tls_state *s, char out[JA4_LENGTH + 1]);
/* Two lower case digits a byte. */
void hex_text(char *out, const uint8_t *bytes, unsigned length);

#endif
