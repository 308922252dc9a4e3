/* Sequence numbers of TCP, and the packets that change its state: flows/gaps.py, tcp_events.py.

   A side is twice the row of a flow, plus one for its originator. Numbers are compared modulo 2^32
   (RFC 9293, section 3.4). */

#include "hot_path.h"

enum { TCP = 6, FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };
enum { NEXT_KNOWN = 1, ACKED_KNOWN = 2 };

/* The packets of a batch; columns in the order of the batch, but for the last two. */
struct segment_columns {
    const uint8_t *proto;
    const uint8_t *fragment;
    const uint8_t *tcp_flags;
    const uint32_t *tcp_seq;
    const uint32_t *tcp_ack;
    const int64_t *payload_len;
    const int64_t *order;   /* row of the packet, for each sorted row */
    const uint8_t *by_orig; /* of each sorted row */
};

struct side_columns {
    uint32_t *next;  /* number expected next */
    uint32_t *acked; /* the highest that the peer acknowledged */
    uint8_t *known;  /* which of the two are known */
};

/* Segments that skip bytes, or bring some that lie before what came already. */
struct event_columns {
    int64_t *side;
    int64_t *base;     /* number that the other columns begin to count at */
    int64_t *before;   /* where the next byte was expected */
    int64_t *relative; /* where the segment begins */
    int64_t *length;
    uint8_t *skipped;
};

/* One side within one run. */
struct side {
    bool has_sent, was_acked;
    uint32_t base, acked_base;
    int64_t reach;
    int32_t acked;
};

/* a - b, modulo 2^32, as a number from -2^31 on. */
static int32_t distance(uint32_t a, uint32_t b)
{
    uint32_t difference = a - b;
    int32_t distance;
    memcpy(&distance, &difference, sizeof distance);
    return distance;
}

/* Bytes of the sequence space that a segment takes: SYN and FIN have one each. */
static int64_t sequence_length(const struct segment_columns *in, int64_t row)
{
    uint8_t flags = in->tcp_flags[row];
    return in->payload_len[row] + ((flags & SYN) != 0) + ((flags & FIN) != 0);
}

/* Advances a side by a segment. Returns how many events that makes: one or none. begins: it begins
   a stream, and skips nothing, whatever number it has. */
static uint64_t follow(struct side *side, const struct side_columns *sides, uint64_t number,
                       uint32_t sequence, int64_t length, bool begins, int64_t max_jump,
                       const struct event_columns *out, uint64_t event)
{
    if (!side->has_sent) {
        side->has_sent = true;
        side->reach = 0;
        side->base = (sides->known[number] & NEXT_KNOWN) ? sides->next[number] : sequence;
    }
    int64_t relative = distance(sequence, side->base), before = side->reach;
    if (relative <= -max_jump || relative >= max_jump)
        return 0; /* a broken or forged number */
    if (relative + length > side->reach)
        side->reach = relative + length;
    if (relative == before || (relative < before && length <= 0))
        return 0;
    out->side[event] = (int64_t)number;
    out->base[event] = side->base;
    out->before[event] = before;
    out->relative[event] = relative;
    out->length[event] = length;
    out->skipped[event] = relative > before && !begins;
    return 1;
}

/* Notes what a segment acknowledges to its peer. */
static void acknowledge(struct side *peer, const struct side_columns *sides, uint64_t number,
                        uint32_t acknowledged)
{
    if (!peer->was_acked) {
        peer->was_acked = true;
        peer->acked = 0;
        peer->acked_base = (sides->known[number] & ACKED_KNOWN) ? sides->acked[number]
                                                                : acknowledged;
    }
    int32_t relative = distance(acknowledged, peer->acked_base);
    if (relative > peer->acked)
        peer->acked = relative;
}

static void keep(const struct side *side, const struct side_columns *sides, uint64_t number)
{
    if (side->has_sent) {
        sides->next[number] = side->base + (uint32_t)side->reach;
        sides->known[number] |= NEXT_KNOWN;
    }
    if (side->was_acked) {
        sides->acked[number] = side->acked_base + (uint32_t)side->acked;
        sides->known[number] |= ACKED_KNOWN;
    }
}

/* Follows the numbers of both sides of every flow through its run. Returns how many events there
   were, at most one a packet. starts: one more than there are runs, which are of one flow each;
   target: that flow. */
EXPORTED uint64_t follow_numbers(const struct segment_columns *in, const int64_t *starts,
                                 const int64_t *target, uint64_t runs, uint64_t max_jump,
                                 const struct side_columns *sides, const struct event_columns *out)
{
    uint64_t events = 0;

    for (uint64_t run = 0; run < runs; run++) {
        uint64_t first = (uint64_t)target[run] * 2;
        struct side both[2] = {{0}, {0}};
        for (int64_t at = starts[run]; at < starts[run + 1]; at++) {
            int64_t row = in->order[at];
            uint8_t flags = in->tcp_flags[row], own = in->by_orig[at] != 0;
            if (flags == 0 || (flags & RST) != 0 || in->fragment[row])
                continue;
            events += follow(&both[own], sides, first + own, in->tcp_seq[row],
                             sequence_length(in, row), (flags & SYN) != 0, (int64_t)max_jump, out,
                             events);
            if (flags & ACK)
                acknowledge(&both[!own], sides, first + !own, in->tcp_ack[row]);
        }
        keep(&both[0], sides, first);
        keep(&both[1], sides, first + 1);
    }
    return events;
}

/* Sorted rows of the segments that may change a flow's state or history: those with SYN, FIN or
   RST, and of each direction the first plain one with payload and the first without, which `seen`
   notes. Returns how many. flow: of each sorted row; what: flags, payload at bit 8, all twice, and
   one if the originator sent. */
EXPORTED uint64_t changing_segments(const struct segment_columns *in, const int64_t *flow,
                                    uint64_t count, uint8_t *seen, int64_t *found, int64_t *what)
{
    uint64_t events = 0;

    for (uint64_t at = 0; at < count; at++) {
        int64_t row = in->order[at];
        if (in->proto[row] != TCP || in->fragment[row])
            continue;
        unsigned flags = in->tcp_flags[row], by_orig = in->by_orig[at] != 0;
        unsigned payload = in->payload_len[row] > 0;
        if ((flags & (FIN | SYN | RST)) == 0) {
            unsigned bit = 1u << (payload << 1 | by_orig);
            if (seen[flow[at]] & bit)
                continue;
            seen[flow[at]] = (uint8_t)(seen[flow[at]] | bit);
        }
        found[events] = (int64_t)at;
        what[events++] = (int64_t)((payload << 8 | flags) << 1 | by_orig);
    }
    return events;
}

/* What flows have come to, and which cases are known: a case is a state and an event, and leads to
   a state. Each has one slot; what stood there before is forgotten. */
struct state_columns {
    uint8_t *orig;
    uint8_t *resp;
    int32_t *history;
    const int64_t *cases; /* of each slot; no case is negative */
    const int64_t *after; /* the state that it leads to */
};

enum { SLOT_BITS = 14, EVENT_BITS = 10, SIDE_BITS = 3, SIDE_MASK = 7 };

static uint64_t slot_of(uint64_t known)
{
    return (known * 0x9E3779B97F4A7C15u) >> (64 - SLOT_BITS);
}

/* Applies events from `first` on to the states of their flows. Returns the one whose case is not
   known, or how many there are; *missing: that case. */
EXPORTED uint64_t apply_events(const int64_t *flow, const int64_t *what, uint64_t first,
                               uint64_t count, const struct state_columns *states,
                               uint64_t *missing)
{
    for (uint64_t event = first; event < count; event++) {
        int64_t row = flow[event];
        uint64_t history = (uint64_t)states->history[row];
        uint64_t state = (uint64_t)states->resp[row] << SIDE_BITS | states->orig[row];
        uint64_t now = (history << 2 * SIDE_BITS | state) << EVENT_BITS | (uint64_t)what[event];
        uint64_t slot = slot_of(now);
        if ((uint64_t)states->cases[slot] != now) {
            *missing = now;
            return event;
        }
        uint64_t after = (uint64_t)states->after[slot];
        states->orig[row] = after & SIDE_MASK;
        states->resp[row] = after >> SIDE_BITS & SIDE_MASK;
        states->history[row] = (int32_t)(after >> 2 * SIDE_BITS);
    }
    return count;
}

/* The slot of a case. */
EXPORTED uint64_t slot_of_case(uint64_t known)
{
    return slot_of(known);
}
