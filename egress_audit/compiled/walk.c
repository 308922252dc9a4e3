/* Where the records of a buffer begin: capture/walk.py, capture/lanes.py.

   Records form a linked list. Following it costs one cache miss a record, which C can afford; what
   stands in the record's header is then at hand, and goes into the columns at once. */

#include "hot_path.h"

enum why { NEEDS_MORE, DAMAGE, NO_ROOM };

/* Where and why a walk ended, and how far. */
struct reached {
    uint64_t position;
    uint64_t why;
};

struct record_columns {
    int64_t *offset;
    int64_t *caplen;
    int64_t *wirelen;
    int64_t *ts_ns;
};

#define RECORD_HEADER 16u
#define EPB 6u
#define SHORTEST_EPB 32u
#define NS_OF_SECOND 1000000000

/* What follows only makes walks faster: nothing of it reaches a result.

   A header is known once the one before it has arrived from memory, so a walk waits for each. The
   records of later lanes can be asked for meanwhile, if it is guessed where one of them begins. */
enum { LANES = 16, STRETCH = 2 << 20, LANE = STRETCH / LANES, LOOKED_AT = 4096 };

/* How records look. */
struct look {
    uint64_t end;     /* of the buffer */
    uint64_t longest; /* record that is believed, without its header */
    bool swapped;
    bool blocks;      /* enhanced packet blocks, not records of pcap */
    uint8_t upper_at; /* of pcap: where the upper half of the seconds stands */
    uint16_t upper;   /* and what it is in records of the same 18 hours */
};

static uint16_t half_at(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

/* Bytes of what may be a record, with 16 bytes behind it that may be a header; else 0. */
static uint64_t likely_length(const uint8_t *buffer, uint64_t at, const struct look *look)
{
    uint64_t length = 0, left = look->end - at;

    if (left < RECORD_HEADER)
        return 0;
    if (!look->blocks && half_at(buffer + at + look->upper_at) == look->upper)
        length = RECORD_HEADER + (uint64_t)word32(buffer + at + 8, look->swapped);
    else if (look->blocks && word32(buffer + at, look->swapped) == EPB)
        length = word32(buffer + at + 4, look->swapped);
    bool believed = length >= RECORD_HEADER && length <= look->longest + RECORD_HEADER;
    return believed && left - RECORD_HEADER >= length ? length : 0;
}

/* Where a record may begin in a lane that starts at `at`; the buffer's end for nowhere near. */
static uint64_t guess(const uint8_t *buffer, uint64_t at, const struct look *look)
{
    for (uint64_t last = at + LOOKED_AT; at < last && at < look->end; at++) {
        uint64_t length = likely_length(buffer, at, look);
        if (length != 0 && likely_length(buffer, at + length, look) != 0)
            return at;
    }
    return look->end;
}

/* Asks for the headers of a stretch that begins with the record at `start`, all lanes in step. */
static void expect_headers(const uint8_t *buffer, uint64_t start, const struct look *look)
{
    uint64_t at[LANES], going = LANES;

    at[0] = start;
    for (uint64_t lane = 1; lane < LANES; lane++)
        at[lane] = guess(buffer, start + lane * LANE, look);
    while (going > 1) {
        going = 0;
        for (uint64_t lane = 0; lane < LANES; lane++) {
            uint64_t length = 0;
            if (at[lane] < start + (lane + 1) * LANE && at[lane] < look->end)
                length = likely_length(buffer, at[lane], look);
            if (length == 0)
                continue;
            at[lane] += length;
            __builtin_prefetch(buffer + at[lane]);
            going++;
        }
    }
}

/* Whole pcap records of buffer[start:end], until `room` of them are found, one claims more than
   `longest` bytes, or one is not whole. Returns how many. (draft-ietf-opsawg-pcap, section 5) */
EXPORTED uint64_t pcap_records(const uint8_t *buffer, uint64_t start, uint64_t end,
                               uint64_t swapped, uint64_t longest, uint64_t fraction_ns,
                               uint64_t room, const struct record_columns *out,
                               struct reached *reached)
{
    uint64_t position = start, count = 0, why = NO_ROOM, expected = start;
    struct look look = {.end = end, .longest = longest, .swapped = swapped};

    look.upper_at = swapped ? 0 : 2;
    while (count < room) {
        why = NEEDS_MORE;
        if (end - position < RECORD_HEADER)
            break;
        const uint8_t *header = buffer + position;
        if (position >= expected) {
            look.upper = half_at(header + look.upper_at);
            expect_headers(buffer, position, &look);
            expected = position + STRETCH;
        }
        uint32_t caplen = word32(header + 8, swapped), wirelen = word32(header + 12, swapped);
        if (caplen > longest) {
            why = DAMAGE;
            break;
        }
        if (end - position - RECORD_HEADER < caplen)
            break;
        /* Both have 32 bits, and fraction_ns is a thousand at most: the sum stays below 2^63. */
        int64_t seconds = word32(header, swapped), fraction = word32(header + 4, swapped);
        out->offset[count] = (int64_t)(position + RECORD_HEADER);
        out->caplen[count] = caplen;
        out->wirelen[count] = wirelen;
        out->ts_ns[count] = seconds * NS_OF_SECOND + fraction * (int64_t)fraction_ns;
        position += RECORD_HEADER + caplen;
        count++;
        why = NO_ROOM;
    }
    reached->position = position;
    reached->why = why;
    return count;
}

/* Length of the sound enhanced packet block that begins `left` bytes before the end; 0 if what is
   there is something else, is not whole, or has two lengths. */
static uint64_t epb_length(const uint8_t *block, uint64_t left, bool swapped, uint64_t longest)
{
    if (left < SHORTEST_EPB || word32(block, swapped) != EPB)
        return 0;
    uint64_t length = word32(block + 4, swapped);
    if (length < SHORTEST_EPB || length > longest || length > left || (length & 3) != 0)
        return 0;
    return word32(block + length - 4, swapped) == length ? length : 0;
}

/* Positions of the sound enhanced packet blocks that follow each other from `start` on, at most
   `room` of them. Returns how many. (draft-ietf-opsawg-pcapng, section 4.3) */
EXPORTED uint64_t epb_run(const uint8_t *buffer, uint64_t start, uint64_t end, uint64_t swapped,
                          uint64_t longest, uint64_t room, int64_t *position,
                          struct reached *reached)
{
    const struct look look = {.end = end, .longest = longest, .swapped = swapped, .blocks = true};
    uint64_t at = start, count = 0, expected = start + LANE;

    while (count < room) {
        /* Not before some blocks were sound: a run may be short, and there may be many. */
        if (at >= expected) {
            expect_headers(buffer, at, &look);
            expected = at + STRETCH;
        }
        uint64_t length = epb_length(buffer + at, end - at, swapped, longest);
        if (length == 0)
            break;
        position[count++] = (int64_t)at;
        at += length;
    }
    reached->position = at;
    reached->why = count < room ? NEEDS_MORE : NO_ROOM;
    return count;
}
