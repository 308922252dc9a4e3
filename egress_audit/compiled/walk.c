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
#define NS_OF_SECOND 1000000000

/* Whole pcap records of buffer[start:end], until `room` of them are found, one claims more than
   `longest` bytes, or one is not whole. Returns how many. (draft-ietf-opsawg-pcap, section 5) */
EXPORTED uint64_t pcap_records(const uint8_t *buffer, uint64_t start, uint64_t end,
                               uint64_t swapped, uint64_t longest, uint64_t fraction_ns,
                               uint64_t room, const struct record_columns *out,
                               struct reached *reached)
{
    uint64_t position = start, count = 0, why = NO_ROOM;

    while (count < room) {
        why = NEEDS_MORE;
        if (end - position < RECORD_HEADER)
            break;
        const uint8_t *header = buffer + position;
        uint32_t caplen = word32(header + 8, swapped), wirelen = word32(header + 12, swapped);
        if (caplen > longest) {
            why = DAMAGE;
            break;
        }
        if (end - position - RECORD_HEADER < caplen)
            break;
        /* Both factors have 32 bits, or are a thousand and less: their sum stays below 2^63. */
        int64_t seconds = word32(header, swapped), fraction = word32(header + 4, swapped);
        out->offset[count] = (int64_t)(position + RECORD_HEADER);
        out->caplen[count] = caplen;
        out->wirelen[count] = wirelen > caplen ? wirelen : caplen;
        out->ts_ns[count] = seconds * NS_OF_SECOND + fraction * (int64_t)fraction_ns;
        position += RECORD_HEADER + caplen;
        count++;
        why = NO_ROOM;
    }
    reached->position = position;
    reached->why = why;
    return count;
}

#define EPB 6u
#define SHORTEST_EPB 32u

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
    uint64_t at = start, count = 0;

    while (count < room) {
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
