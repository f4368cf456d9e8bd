/* See capture.h. The one allocation is the copy of a refused packet. */
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND 1000000000
/* Past this many seconds a time no longer fits a signed 64-bit count of ns. */
#define LAST_SECOND (INT64_MAX / SECOND - 1)

struct batch {
    struct capture *capture;
    capture_sink sink;
    void *owner;
    int64_t shift;
    unsigned taken;
    bool refused;
};

static void start(struct capture *c, pcap_t *pcap, bool owned)
{
    memset(c, 0, sizeof(*c));
    c->pcap = pcap;
    c->owned = owned;
    if (pcap) {
        c->live = pcap_file(pcap) == NULL;
        c->nanoseconds = pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO;
    }
}

static void set_error(struct capture *c, const char *text)
{
    snprintf(c->error, sizeof(c->error), "%s", text);
}

enum capture_status capture_open_file(struct capture *c, const char *path)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_open_offline_with_tstamp_precision(path, PCAP_TSTAMP_PRECISION_NANO, error);

    start(c, pcap, true);
    set_error(c, error);
    return pcap ? CAPTURE_OK : CAPTURE_FAILED;
}

static enum capture_status activation(int code)
{
    switch (code) {
    case PCAP_ERROR_NO_SUCH_DEVICE:
        return CAPTURE_ABSENT;
    case PCAP_ERROR_IFACE_NOT_UP:
        return CAPTURE_DOWN;
    case PCAP_ERROR_PERM_DENIED:
    case PCAP_ERROR_PROMISC_PERM_DENIED:
        return CAPTURE_FORBIDDEN;
    default:
        return code < 0 ? CAPTURE_FAILED : CAPTURE_OK; /* above 0: warnings */
    }
}

enum capture_status capture_open_live(struct capture *c, const struct capture_live_options *o)
{
    char error[PCAP_ERRBUF_SIZE] = "";
    pcap_t *pcap = pcap_create(o->interface, error);
    enum capture_status status = CAPTURE_FAILED;
    int code, refused;

    start(c, NULL, true);
    set_error(c, error);
    if (!pcap)
        return CAPTURE_FAILED;
    refused = pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
    (void)refused; /* by some devices: microseconds serve as well */
    code = pcap_set_snaplen(pcap, o->snap_length);
    if (code == 0)
        code = pcap_set_promisc(pcap, o->promiscuous);
    if (code == 0)
        code = pcap_set_buffer_size(pcap, o->buffer);
    if (code == 0)
        code = pcap_set_timeout(pcap, CAPTURE_TIMEOUT_MS);
    if (code == 0)
        code = pcap_activate(pcap);
    status = activation(code);
    if (status == CAPTURE_OK && pcap_setnonblock(pcap, 1, error) < 0)
        status = CAPTURE_FAILED;
    if (status == CAPTURE_OK) {
        start(c, pcap, true);
        return CAPTURE_OK;
    }
    set_error(c, *pcap_geterr(pcap) ? pcap_geterr(pcap) : pcap_statustostr(code));
    pcap_close(pcap);
    return status;
}

void capture_borrow(struct capture *c, pcap_t *pcap)
{
    start(c, pcap, false);
}

void capture_close(struct capture *c)
{
    if (c->pcap && c->owned)
        pcap_close(c->pcap);
    c->pcap = NULL;
    free(c->kept_bytes);
    c->kept_bytes = NULL;
    c->kept_size = 0;
    c->has_kept = false;
}

enum capture_status capture_set_filter(struct capture *c, const char *filter)
{
    struct bpf_program program;
    int code = pcap_compile(c->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN);

    if (code == 0) {
        code = pcap_setfilter(c->pcap, &program);
        pcap_freecode(&program);
    }
    if (code == 0)
        return CAPTURE_OK;
    set_error(c, pcap_geterr(c->pcap));
    return CAPTURE_FAILED;
}

/* Hostile files hold any seconds and any fraction. libpcap reads the 32-bit seconds of a
 * classic file as signed, so that those after 2038 arrive negative. */
static uint64_t packet_time(const struct batch *b, const struct timeval *tv)
{
    int64_t seconds = tv->tv_sec, rest = (uint32_t)tv->tv_usec, time;

    if (seconds < 0)
        seconds = seconds >= INT32_MIN ? seconds + ((int64_t)1 << 32) : 0;
    if (seconds > LAST_SECOND)
        seconds = LAST_SECOND;
    if (!b->capture->nanoseconds)
        rest = rest % 1000000 * 1000;
    time = seconds * SECOND + rest % SECOND;
    if (b->shift > 0)
        return (uint64_t)(time > INT64_MAX - b->shift ? INT64_MAX : time + b->shift);
    return (uint64_t)(time + b->shift < 0 ? 0 : time + b->shift);
}

static bool keep(struct capture *c, const struct capture_packet *packet)
{
    if (packet->captured_length > c->kept_size) {
        uint8_t *bytes = realloc(c->kept_bytes, packet->captured_length);
        if (!bytes)
            return false;
        c->kept_bytes = bytes;
        c->kept_size = packet->captured_length;
    }
    if (packet->captured_length)
        memcpy(c->kept_bytes, packet->bytes, packet->captured_length);
    c->kept = *packet;
    c->kept.bytes = c->kept_bytes;
    c->has_kept = true;
    return true;
}

static void on_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
    struct batch *b = (struct batch *)(void *)user;
    struct capture *c = b->capture;
    struct capture_packet packet = {packet_time(b, &header->ts), header->len, header->caplen,
                                    bytes};

    if (!b->refused && b->sink(b->owner, &packet)) {
        b->taken++;
        return;
    }
    b->refused = true;
    pcap_breakloop(c->pcap);
    /* pcap_breakloop stops before the next packet, so that there is one to keep at most. */
    if (!keep(c, &packet)) {
        c->broken = true;
        set_error(c, "no memory left to keep a packet");
    }
}

static void dispatch(struct batch *b, unsigned limit)
{
    struct capture *c = b->capture;
    int code;

    do /* a break that came too late for the last call ends the next one before it begins */
        code = pcap_dispatch(c->pcap, (int)limit, on_packet, (u_char *)(void *)b);
    while (code == PCAP_ERROR_BREAK && !b->refused && b->taken == 0);
    if (code < 0 && code != PCAP_ERROR_BREAK && !c->broken) {
        c->broken = true;
        set_error(c, pcap_geterr(c->pcap));
    }
}

enum capture_status capture_read(struct capture *c, unsigned limit, int64_t shift,
                                 capture_sink sink, void *owner, unsigned *taken)
{
    struct batch b = {c, sink, owner, shift, 0, false};

    *taken = 0;
    if (c->has_kept) {
        if (!sink(owner, &c->kept))
            return CAPTURE_OK;
        c->has_kept = false;
        *taken = 1;
    }
    if (limit > INT32_MAX)
        limit = INT32_MAX;
    if (limit <= *taken)
        return CAPTURE_OK;
    if (!c->broken)
        dispatch(&b, limit - *taken);
    *taken += b.taken;
    if (*taken || b.refused)
        return c->broken && b.refused && !c->has_kept ? CAPTURE_FAILED : CAPTURE_OK;
    if (c->broken)
        return CAPTURE_FAILED;
    return c->live ? CAPTURE_OK : CAPTURE_END;
}

uint64_t capture_position(const struct capture *c)
{
    FILE *file = c->pcap ? pcap_file(c->pcap) : NULL;
    off_t at = file ? ftello(file) : 0;

    return at > 0 ? (uint64_t)at : 0;
}
