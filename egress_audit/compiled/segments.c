/* The few segments that are looked at for names: flows/segments.py, flows/second_readings.py.

   Of a side, twice a flow and one more for its originator, the first segments are. Rows are put
   down whether they are wanted or not, and the next one over those that are not: which ones are is
   as good as random to a processor. */

#include "hot_path.h"

enum { TCP = 6, SYN = 0x02, RST = 0x04 };
enum { NEW, BEGUN, SATED, SEEN };

struct segment_columns {
    const uint8_t *proto;
    const uint8_t *tcp_flags;
    const int64_t *payload_len;
    const int64_t *flow;    /* negative for none */
    const uint8_t *by_orig;
};

struct row_columns {
    int64_t *payload;
    int64_t *hungry;
    int64_t *first;
    int64_t *syn;
};

/* Side of each packet, and rows: of segments with payload, of those whose side is not sated, of the
   first of each side that is new, and of SYNs. stage: of `sides` sides; the same afterwards.
   counts: of the four. */
EXPORTED uint64_t rows_of_segments(const struct segment_columns *in, uint64_t count,
                                   uint8_t *stage, uint64_t sides, int64_t *side,
                                   const struct row_columns *out, uint64_t *counts)
{
    uint64_t payloads = 0, hungry = 0, firsts = 0, syns = 0;

    for (uint64_t row = 0; row < count; row++) {
        uint64_t number = (uint64_t)in->flow[row] * 2 + (in->by_orig[row] != 0);
        side[row] = (int64_t)number;
        /* Of no flow is a very large number without sign. */
        unsigned known = (in->proto[row] == TCP) & (number < sides);
        unsigned flags = in->tcp_flags[row];
        out->payload[payloads] = (int64_t)row;
        payloads += known & (in->payload_len[row] > 0) & ((flags & RST) == 0);
        out->syn[syns] = (int64_t)row;
        syns += known & ((flags & SYN) != 0);
    }
    for (uint64_t at = 0; at < payloads; at++) {
        int64_t row = out->payload[at], number = side[row];
        out->hungry[hungry] = row;
        hungry += stage[number] != SATED;
        if (stage[number] == NEW) {
            out->first[firsts++] = row;
            stage[number] = SEEN;
        }
    }
    for (uint64_t at = 0; at < firsts; at++)
        stage[side[out->first[at]]] = NEW;
    counts[0] = payloads;
    counts[1] = hungry;
    counts[2] = firsts;
    counts[3] = syns;
    return payloads;
}

/* What is remembered of how streams began. */
struct begun_columns {
    const uint8_t *printed;      /* whether anything is */
    const uint8_t *contradicted; /* whether nothing more is to be found */
    const uint32_t *origin;      /* sequence number of the first byte */
};

/* Of rows of segments with payload those that begin before the first `remembered` bytes of their
   stream end, and how far behind its first one; returns how many. A side is below `sides`, and a
   row is one of the columns. */
EXPORTED uint64_t near_beginnings(const uint8_t *tcp_flags, const uint32_t *tcp_seq,
                                  const int64_t *side, const int64_t *rows, uint64_t count,
                                  const struct begun_columns *begun, uint64_t sides,
                                  uint64_t remembered, int64_t *near, int32_t *offset)
{
    uint64_t found = 0;

    for (uint64_t at = 0; at < count; at++) {
        int64_t row = rows[at];
        uint64_t number = (uint64_t)side[row];
        if (number >= sides || !begun->printed[number] || begun->contradicted[number])
            continue;
        uint32_t apart = tcp_seq[row] + ((tcp_flags[row] & SYN) != 0) - begun->origin[number];
        int32_t behind;
        memcpy(&behind, &apart, sizeof behind);
        near[found] = row;
        offset[found] = behind;
        found += behind < (int64_t)remembered;
    }
    return found;
}
