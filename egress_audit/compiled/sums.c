/* What the packets of each run add to its flow: FlowTable._sum in flows/table.py. */

#include "hot_path.h"

struct counted_columns {
    const int64_t *ip_len;
    const int64_t *ts_ns;
    const uint8_t *swapped;
};

/* Runs of packets of one flow each; run r has the sorted rows from starts[r] to starts[r + 1]. */
struct run_columns {
    const int64_t *order;       /* row of the packet in the batch, for each sorted row */
    const int64_t *starts;      /* one more than there are runs */
    const int64_t *target;      /* flow of each run */
    const uint8_t *orig_turned; /* of each run, whether its originator's packets are turned round */
};

struct sum_columns {
    int64_t *orig_pkts;
    int64_t *orig_octets;
    int64_t *octets;
    int64_t *earliest;
    int64_t *latest;
};

struct assigned_columns {
    int64_t *flow;          /* of each packet, in the order of the batch */
    uint8_t *by_orig;
    int64_t *sorted_flow;   /* the same, in the order of the runs */
    uint8_t *sorted_by_orig;
};

/* Sums a run, and says of each of its packets which flow it is of and who sent it. */
static void sum_run(const struct counted_columns *in, const struct run_columns *runs, uint64_t run,
                    const struct sum_columns *sums, const struct assigned_columns *out)
{
    uint64_t first = (uint64_t)runs->starts[run], end = (uint64_t)runs->starts[run + 1];
    int64_t flow = runs->target[run];
    /* Wherever they come from, lengths are added without sign: their sum may only wrap round. */
    uint64_t packets = 0, octets = 0, orig_octets = 0;
    int64_t earliest = INT64_MAX, latest = INT64_MIN;

    for (uint64_t at = first; at < end; at++) {
        int64_t row = runs->order[at], ts_ns = in->ts_ns[row];
        uint8_t by_orig = in->swapped[row] == runs->orig_turned[run];
        uint64_t ip_len = (uint64_t)in->ip_len[row];
        packets += by_orig;
        octets += ip_len;
        orig_octets += by_orig ? ip_len : 0;
        earliest = ts_ns < earliest ? ts_ns : earliest;
        latest = ts_ns > latest ? ts_ns : latest;
        out->flow[row] = out->sorted_flow[at] = flow;
        out->by_orig[row] = out->sorted_by_orig[at] = by_orig;
    }
    sums->orig_pkts[run] = (int64_t)packets;
    sums->octets[run] = (int64_t)octets;
    sums->orig_octets[run] = (int64_t)orig_octets;
    sums->earliest[run] = earliest;
    sums->latest[run] = latest;
}

EXPORTED uint64_t sum_runs(const struct counted_columns *in, const struct run_columns *runs,
                           uint64_t count, const struct sum_columns *sums,
                           const struct assigned_columns *out)
{
    for (uint64_t run = 0; run < count; run++)
        sum_run(in, runs, run, sums, out);
    return count;
}
