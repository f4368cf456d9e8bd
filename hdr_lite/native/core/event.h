/* Named malformed events: every way in which input can be wrong has its own name
 * and its own counter, so that a test can assert it and a person can look it up.
 *
 * To add one, add a line to EVENTS; names are lower case, `layer.what`.
 */
#ifndef HDR_LITE_EVENT_H
#define HDR_LITE_EVENT_H

#include <stdint.h>

#define EVENTS(X)                                                                                  \
    X(EVENT_LINK_TRUNCATED, "link.truncated")                                                      \
    X(EVENT_LAYERS_EXCEEDED, "link.layers_exceeded")                                               \
    X(EVENT_VLAN_TRUNCATED, "vlan.truncated")                                                      \
    X(EVENT_MACSEC_TRUNCATED, "macsec.truncated")                                                  \
    X(EVENT_NSH_TRUNCATED, "nsh.truncated")                                                        \
    X(EVENT_NSH_BAD_LENGTH, "nsh.bad_length")                                                      \
    X(EVENT_LLC_TRUNCATED, "llc.truncated")                                                        \
    X(EVENT_MPLS_TRUNCATED, "mpls.truncated")                                                      \
    X(EVENT_PPPOE_TRUNCATED, "pppoe.truncated")                                                    \
    X(EVENT_PPPOE_BAD_VERSION, "pppoe.bad_version")                                                \
    X(EVENT_PPPOE_BAD_LENGTH, "pppoe.bad_length")                                                  \
    X(EVENT_PPP_TRUNCATED, "ppp.truncated")                                                        \
    X(EVENT_NFLOG_TRUNCATED, "nflog.truncated")                                                    \
    X(EVENT_NFLOG_BAD_LENGTH, "nflog.bad_length")                                                  \
    X(EVENT_RADIOTAP_TRUNCATED, "radiotap.truncated")                                              \
    X(EVENT_RADIOTAP_BAD_LENGTH, "radiotap.bad_length")                                            \
    X(EVENT_WLAN_TRUNCATED, "wlan.truncated")                                                      \
    X(EVENT_PPI_TRUNCATED, "ppi.truncated")                                                        \
    X(EVENT_PPI_BAD_LENGTH, "ppi.bad_length")                                                      \
    X(EVENT_GRE_TRUNCATED, "gre.truncated")                                                        \
    X(EVENT_GRE_BAD_VERSION, "gre.bad_version")                                                    \
    X(EVENT_ETHERIP_TRUNCATED, "etherip.truncated")                                                \
    X(EVENT_VXLAN_TRUNCATED, "vxlan.truncated")                                                    \
    X(EVENT_GENEVE_TRUNCATED, "geneve.truncated")                                                  \
    X(EVENT_GTP_TRUNCATED, "gtp.truncated")                                                        \
    X(EVENT_GTP_BAD_LENGTH, "gtp.bad_length")                                                      \
    X(EVENT_TEREDO_TRUNCATED, "teredo.truncated")                                                  \
    X(EVENT_L2TP_TRUNCATED, "l2tp.truncated")                                                      \
    X(EVENT_L2TP_BAD_LENGTH, "l2tp.bad_length")                                                    \
    X(EVENT_AYIYA_TRUNCATED, "ayiya.truncated")                                                    \
    X(EVENT_CAPWAP_TRUNCATED, "capwap.truncated")                                                  \
    X(EVENT_ARP_TRUNCATED, "arp.truncated")                                                        \
    X(EVENT_ARP_NOT_ETHERNET_IPV4, "arp.not_ethernet_ipv4")                                        \
    X(EVENT_IP_BAD_VERSION, "ip.bad_version")                                                      \
    X(EVENT_IPV4_TRUNCATED, "ipv4.truncated")                                                      \
    X(EVENT_IPV4_BAD_VERSION, "ipv4.bad_version")                                                  \
    X(EVENT_IPV4_BAD_HEADER_LENGTH, "ipv4.bad_header_length")                                      \
    X(EVENT_IPV4_BAD_TOTAL_LENGTH, "ipv4.bad_total_length")                                        \
    X(EVENT_IPV6_TRUNCATED, "ipv6.truncated")                                                      \
    X(EVENT_IPV6_BAD_VERSION, "ipv6.bad_version")                                                  \
    X(EVENT_IPV6_BAD_PAYLOAD_LENGTH, "ipv6.bad_payload_length")                                    \
    X(EVENT_IPV6_MAPPED_ADDRESS, "ipv6.mapped_address")                                            \
    X(EVENT_IPV6_EXTENSION_TRUNCATED, "ipv6.extension_truncated")                                  \
    X(EVENT_IPV6_EXTENSIONS_EXCEEDED, "ipv6.extensions_exceeded")                                  \
    X(EVENT_TCP_TRUNCATED, "tcp.truncated")                                                        \
    X(EVENT_TCP_BAD_DATA_OFFSET, "tcp.bad_data_offset")                                            \
    X(EVENT_UDP_TRUNCATED, "udp.truncated")                                                        \
    X(EVENT_UDP_BAD_LENGTH, "udp.bad_length")                                                      \
    X(EVENT_SCTP_TRUNCATED, "sctp.truncated")                                                      \
    X(EVENT_ICMP_TRUNCATED, "icmp.truncated")                                                      \
    X(EVENT_ICMP6_TRUNCATED, "icmp6.truncated")                                                    \
    X(EVENT_STREAM_GAP, "stream.gap")                                                              \
    X(EVENT_STREAM_TOO_MANY_RANGES, "stream.too_many_ranges")                                      \
    X(EVENT_STREAM_OVERLAP_DIFFERS, "stream.overlap_differs")                                      \
    X(EVENT_DNS_TRUNCATED, "dns.truncated")                                                        \
    X(EVENT_DNS_BAD_HEADER, "dns.bad_header")                                                      \
    X(EVENT_DNS_BAD_NAME, "dns.bad_name")                                                          \
    X(EVENT_DNS_BAD_POINTER, "dns.bad_pointer")                                                    \
    X(EVENT_DNS_POINTER_LOOP, "dns.pointer_loop")                                                  \
    X(EVENT_DNS_NAME_TOO_LONG, "dns.name_too_long")                                                \
    X(EVENT_DNS_TOO_MANY_LABELS, "dns.too_many_labels")                                            \
    X(EVENT_DNS_BAD_QUESTION, "dns.bad_question")                                                  \
    X(EVENT_DNS_BAD_RECORD, "dns.bad_record")                                                      \
    X(EVENT_DNS_BAD_RDATA, "dns.bad_rdata")                                                        \
    X(EVENT_TLS_BAD_RECORD, "tls.bad_record")                                                      \
    X(EVENT_TLS_BAD_HANDSHAKE, "tls.bad_handshake")                                                \
    X(EVENT_TLS_BAD_CLIENT_HELLO, "tls.bad_client_hello")                                          \
    X(EVENT_TLS_BAD_SERVER_HELLO, "tls.bad_server_hello")                                          \
    X(EVENT_TLS_BAD_EXTENSION, "tls.bad_extension")                                                \
    X(EVENT_TLS_HELLO_TOO_LONG, "tls.hello_too_long")                                              \
    X(EVENT_TLS_TOO_MANY_FRAGMENTS, "tls.too_many_fragments")                                      \
    X(EVENT_HTTP_BAD_REQUEST_LINE, "http.bad_request_line")                                        \
    X(EVENT_HTTP_BAD_STATUS_LINE, "http.bad_status_line")                                          \
    X(EVENT_HTTP_BAD_HEADER, "http.bad_header")                                                    \
    X(EVENT_HTTP_BAD_LENGTH, "http.bad_length")                                                    \
    X(EVENT_HTTP_CONFLICTING_LENGTH, "http.conflicting_length")                                    \
    X(EVENT_HTTP_BAD_CHUNK, "http.bad_chunk")                                                      \
    X(EVENT_HTTP_LINE_TOO_LONG, "http.line_too_long")                                              \
    X(EVENT_HTTP_TOO_MANY_HEADERS, "http.too_many_headers")                                        \
    X(EVENT_SSH_BAD_IDENTIFICATION, "ssh.bad_identification")                                      \
    X(EVENT_SSH_BAD_PACKET, "ssh.bad_packet")

enum event {
#define X(name, text) name,
    EVENTS(X)
#undef X
        EVENT_COUNT
};

/* How often each event was met; owned by whoever decodes. */
struct events {
    uint64_t count[EVENT_COUNT];
};

static inline void event_note(struct events *events, enum event event)
{
    events->count[event]++;
}

/* The name of an event, as above. */
const char *event_name(enum event event);

#endif
