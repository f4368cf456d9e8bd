/* A libpcap handle that feeds packets, one after the other, to a sink.
 *
 * The handle is opened here, or borrowed from whoever opened it (pypcap). Times come
 * out as integer nanoseconds whatever the file or the kernel counts in. A sink that
 * has no room refuses a packet; it is kept, as a copy, and offered again first.
 * Errors are told in words in `error`; a broken input is told once all packets
 * before the break are delivered. pcap(3PCAP) has the rest.
 */
#ifndef HDR_LITE_CAPTURE_H
#define HDR_LITE_CAPTURE_H

#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>

struct capture_packet {
    uint64_t time; /* ns since the epoch */
    uint32_t wire_length, captured_length;
    const uint8_t *bytes; /* valid during the call only */
};

/* Takes a packet; false: it has no room now, and the packet counts as not delivered. */
typedef bool (*capture_sink)(void *owner, const struct capture_packet *packet);

enum capture_status {
    CAPTURE_OK = 0,
    CAPTURE_END,    /* the file is read to its end */
    CAPTURE_FAILED, /* see error */
    CAPTURE_ABSENT, /* no such interface */
    CAPTURE_DOWN,
    CAPTURE_FORBIDDEN,
};

struct capture {
    pcap_t *pcap; /* NULL once closed */
    bool owned;   /* closing it is ours to do */
    bool live;
    bool nanoseconds; /* what libpcap's tv_usec counts */
    bool broken;      /* the input broke; error tells how */
    char error[PCAP_ERRBUF_SIZE];
    /* The packet that was refused: its bytes are ours, in a buffer that grows as needed. */
    bool has_kept;
    struct capture_packet kept;
    uint8_t *kept_bytes;
    uint32_t kept_size;
};

struct capture_live_options {
    const char *interface;
    int snap_length, promiscuous, buffer; /* bytes; flag; bytes */
};

/* The kernel hands packets over when a block is full or this many milliseconds old. */
#define CAPTURE_TIMEOUT_MS 10

enum capture_status capture_open_file(struct capture *c, const char *path);
enum capture_status capture_open_live(struct capture *c, const struct capture_live_options *o);
/* Use a handle that somebody else owns and keeps open. */
void capture_borrow(struct capture *c, pcap_t *pcap);
void capture_close(struct capture *c);

enum capture_status capture_set_filter(struct capture *c, const char *filter);
/* Give up to `limit` packets to the sink, each time moved by `shift` ns; *taken says how many it
 * took. Fewer than limit: the sink is full, or (live) no more packets are there. */
enum capture_status capture_read(struct capture *c, unsigned limit, int64_t shift,
                                 capture_sink sink, void *owner, unsigned *taken);
/* Bytes of the file that were read; 0 when live. */
uint64_t capture_position(const struct capture *c);

#endif
