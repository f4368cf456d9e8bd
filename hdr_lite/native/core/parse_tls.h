/* TLS handshakes (RFC 8446, 5246): what both hellos say in the clear.
 *
 * Fingerprints: JA3 and JA3S (Salesforce), JA4 (FoxIO; the TLS client fingerprint
 * alone). A record is told when the server's hello was read, when it refused, or
 * when the flow ends.
 */
#ifndef HDR_LITE_PARSE_TLS_H
#define HDR_LITE_PARSE_TLS_H

#include "application_internal.h"

#define TLS_CIPHERS 192u
#define TLS_EXTENSIONS 96u
#define TLS_GROUPS 48u
#define TLS_SIGNATURES 64u
#define TLS_FORMATS 8u
#define TLS_NAME 255u
#define TLS_ALPN 32u

struct tls_side { /* where the reader of one direction stands */
    uint8_t phase;
    uint8_t fragments; /* records that the message was spread over */
    bool finished;
    uint16_t record_left; /* bytes of the record under way */
    uint16_t extension, extension_length;
    uint32_t skip; /* handshake bytes to pass over first */
    uint32_t message_left, list_left;
};

struct tls_state {
    uint64_t ts;
    struct tls_side side[2]; /* client, server */
    bool client_read, server_read, has_name, has_versions, resumed, too_long;
    bool retry, retried, psk; /* the server's */
    uint16_t client_version, client_best, server_version, server_legacy, cipher;
    uint8_t session_length, name_length, alpn_length, alpn_last, server_alpn_length, ja3s_count;
    uint8_t session[32], name[TLS_NAME], alpn[TLS_ALPN], server_alpn[TLS_ALPN];
    uint8_t ja3[16];
    char ja4[40];
    uint8_t cipher_count, extension_count, group_count, signature_count, format_count;
    uint16_t ciphers[TLS_CIPHERS], extensions[TLS_EXTENSIONS], groups[TLS_GROUPS];
    uint16_t signatures[TLS_SIGNATURES];
    uint16_t server_extensions[TLS_EXTENSIONS / 2];
    uint8_t formats[TLS_FORMATS];
};

/* client_silent: the client's hello is of a form that is not read (SSLv2's). */
void tls_begin(struct tls_state *s, uint64_t now, bool client_silent);
enum parse_result tls_parse(struct tls_state *s, const struct exchange *x);
void tls_end(struct tls_state *s, const struct exchange *x);

#endif
