/* The few segments that are looked at for names: flows/segments.py, flows/origins.py,
   flows/second_readings.py.

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

enum { NOT_KNOWN, FROM_DATA, FROM_SYN, FROM_THIS_SYN, FROM_THIS_DATA };

/* Where streams begin, and how that is known. */
struct origin_columns {
    uint32_t *origin;
    uint8_t *from;
};

/* What SYNs say of sides of which nothing is known: where the first of each does, unless payload
   came before it. */
static void note_origins(const uint32_t *tcp_seq, const int64_t *side, const int64_t *syns,
                         uint64_t count, const int64_t *payloads, uint64_t others,
                         const struct origin_columns *known)
{
    /* For a moment the row of the first SYN stands where its number will. */
    for (uint64_t at = 0; at < count; at++) {
        int64_t number = side[syns[at]];
        if (known->from[number] == NOT_KNOWN) {
            known->from[number] = FROM_THIS_SYN;
            known->origin[number] = (uint32_t)syns[at];
        }
    }
    for (uint64_t at = 0; at < others; at++) {
        int64_t row = payloads[at], number = side[row];
        if (known->from[number] == FROM_THIS_SYN && row < (int64_t)known->origin[number]) {
            known->from[number] = FROM_THIS_DATA;
            known->origin[number] = tcp_seq[row];
        }
    }
    for (uint64_t at = 0; at < count; at++) {
        int64_t number = side[syns[at]];
        if (known->from[number] == FROM_THIS_DATA)
            known->from[number] = FROM_DATA;
        if (known->from[number] == FROM_THIS_SYN) {
            known->from[number] = FROM_SYN;
            known->origin[number] = tcp_seq[syns[at]] + 1;
        }
    }
}

/* Notes what SYNs say, and returns how many of them say something else than is known of their side,
   further in front of it than `limit` if that is known from data; odd: their sides. syns, payloads:
   rows below 2^32 of sides that are there. */
EXPORTED uint64_t note_syns(const uint32_t *tcp_seq, const int64_t *side, const int64_t *syns,
                            uint64_t count, const int64_t *payloads, uint64_t others,
                            const struct origin_columns *known, uint64_t limit, int64_t *odd)
{
    uint64_t found = 0;

    note_origins(tcp_seq, side, syns, count, payloads, others, known);
    for (uint64_t at = 0; at < count; at++) {
        int64_t number = side[syns[at]];
        /* A SYN that was recorded after its data begins at these, or not far before. */
        uint32_t apart = known->origin[number] - (tcp_seq[syns[at]] + 1);
        odd[found] = number;
        found += apart >= (known->from[number] == FROM_DATA ? limit : 1);
    }
    return found;
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
