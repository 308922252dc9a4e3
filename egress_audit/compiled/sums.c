/* What the packets of each run add to its flow: flows/sums.py. */

#include "hot_path.h"

enum { TCP = 6, FIN = 0x01, RST = 0x04 };
enum { RESET = 1, LOW_FIN = 2, HIGH_FIN = 4 };

struct counted_columns {
    const int64_t *ip_len;
    const int64_t *ts_ns;
    const int64_t *frame;
    const uint8_t *proto;
    const uint8_t *tcp_flags;
    const uint8_t *swapped;
};

/* Runs of packets of one flow each; run r has the sorted rows from starts[r] to starts[r + 1]. */
struct run_columns {
    const int64_t *order;  /* row of the packet in the batch, for each sorted row */
    const int64_t *starts; /* one more than there are runs */
    const int64_t *target; /* flow of each run */
};

/* The rows of flows. Counters have 32 bits each, or all of them 64. */
struct flow_columns {
    void *orig_pkts;
    void *resp_pkts;
    void *orig_octets;
    void *resp_octets;
    void *last_frame;
    int64_t *ts_ns;
    int64_t *last_ts_ns;
    int64_t *previous_ts_ns;
    uint8_t *direction_known;
    uint8_t *closing;
    const uint8_t *orig_turned; /* whether the originator's packets are turned round */
};

struct assigned_columns {
    int64_t *flow;          /* of each packet, in the order of the batch */
    uint8_t *by_orig;
    int64_t *sorted_flow;   /* the same, in the order of the runs */
    uint8_t *sorted_by_orig;
};

/* What a run comes to. Wherever they come from, lengths are added without sign: their sum may only
   wrap round. */
struct sums {
    uint64_t orig_pkts, resp_pkts, orig_octets, resp_octets;
    int64_t earliest, latest;
    uint8_t closing;
};

static uint64_t count_at(const void *counters, bool wide, int64_t flow)
{
    return wide ? (uint64_t)((const int64_t *)counters)[flow]
                : (uint64_t)((const int32_t *)counters)[flow];
}

static void set_count(void *counters, bool wide, int64_t flow, uint64_t count)
{
    if (wide)
        ((int64_t *)counters)[flow] = (int64_t)count;
    else
        ((int32_t *)counters)[flow] = (int32_t)(uint32_t)count;
}

static void add_count(void *counters, bool wide, int64_t flow, uint64_t more)
{
    set_count(counters, wide, flow, count_at(counters, wide, flow) + more);
}

/* What a packet contributes to the end of its connection. */
static uint8_t closing_bits(unsigned flags, unsigned swapped)
{
    unsigned fin = (flags & FIN) != 0, reset = (flags & RST) != 0;
    return (uint8_t)(reset * RESET | fin * (swapped ? HIGH_FIN : LOW_FIN));
}

/* Sums the sorted rows from `first` on to `end`, and says of each of these packets which flow it
   is of and who sent it. */
static struct sums sums_of(const struct counted_columns *in, const int64_t *order, uint64_t first,
                           uint64_t end, int64_t flow, unsigned orig_turned,
                           const struct assigned_columns *out)
{
    struct sums sums = {.earliest = INT64_MAX, .latest = INT64_MIN};

    for (uint64_t at = first; at < end; at++) {
        int64_t row = order[at], ts_ns = in->ts_ns[row];
        unsigned swapped = in->swapped[row] != 0, by_orig = swapped == orig_turned;
        uint64_t ip_len = (uint64_t)in->ip_len[row];
        sums.orig_pkts += by_orig;
        sums.resp_pkts += !by_orig;
        sums.orig_octets += by_orig ? ip_len : 0;
        sums.resp_octets += by_orig ? 0 : ip_len;
        sums.earliest = ts_ns < sums.earliest ? ts_ns : sums.earliest;
        sums.latest = ts_ns > sums.latest ? ts_ns : sums.latest;
        sums.closing |= closing_bits(in->tcp_flags[row], swapped);
        out->flow[row] = out->sorted_flow[at] = flow;
        out->by_orig[row] = out->sorted_by_orig[at] = (uint8_t)by_orig;
    }
    return sums;
}

static void add_sums(const struct flow_columns *flows, bool wide, int64_t flow,
                     const struct sums *sums)
{
    add_count(flows->orig_pkts, wide, flow, sums->orig_pkts);
    add_count(flows->resp_pkts, wide, flow, sums->resp_pkts);
    add_count(flows->orig_octets, wide, flow, sums->orig_octets);
    add_count(flows->resp_octets, wide, flow, sums->resp_octets);
    if (sums->earliest < flows->ts_ns[flow])
        flows->ts_ns[flow] = sums->earliest;
    if (sums->latest > flows->last_ts_ns[flow])
        flows->last_ts_ns[flow] = sums->latest;
    flows->closing[flow] |= sums->closing;
}

/* Adds runs to the rows of their flows. wide: counters have 64 bits. */
EXPORTED uint64_t add_runs(const struct counted_columns *in, const struct run_columns *runs,
                           uint64_t count, const struct flow_columns *flows, uint64_t wide,
                           const struct assigned_columns *out)
{
    /* A copy, which bytes that are written cannot change: it need not be read anew each time. */
    const struct counted_columns columns = *in;
    const struct assigned_columns assigned = *out;

    for (uint64_t run = 0; run < count; run++) {
        uint64_t first = (uint64_t)runs->starts[run], end = (uint64_t)runs->starts[run + 1];
        int64_t flow = runs->target[run];
        if (first == end)
            continue;
        struct sums sums = sums_of(&columns, runs->order, first, end, flow,
                                   flows->orig_turned[flow] != 0, &assigned);
        int64_t last = runs->order[end - 1];
        /* Who stands first in the file need not have sent first; of TCP the handshake says. */
        if (sums.earliest < flows->ts_ns[flow] && columns.proto[runs->order[first]] != TCP)
            flows->direction_known[flow] = 0;
        add_sums(flows, wide != 0, flow, &sums);
        flows->previous_ts_ns[flow] = columns.ts_ns[last];
        set_count(flows->last_frame, wide != 0, flow, (uint64_t)columns.frame[last]);
    }
    return count;
}
