/* Frames that repeat one of those just before them: decode/duplicates.py. */

#include "hot_path.h"

enum { HEAD = 96, MARKED = 64, WORD = 8, BACK = 24, WINDOW = 4, AHEAD = 12 };

struct length_columns {
    const int64_t *offset;
    const int64_t *caplen;
    const int64_t *wirelen;
};

/* What is compared of a frame. */
struct head {
    const uint8_t *bytes;
    uint64_t size;    /* captured bytes of them: HEAD at most */
    uint64_t mark;    /* made of some of them: equal if they all are */
    int64_t caplen;
    int64_t wirelen;
};

/* The first bytes of a frame, none if it does not lie in the buffer. Where frames of one program
   differ are the last ones: there stand sequence numbers, checksums or what is carried. */
static struct head head_of(const uint8_t *buffer, uint64_t size, const struct length_columns *in,
                           uint64_t row)
{
    int64_t offset = in->offset[row], caplen = in->caplen[row];
    struct head head = {buffer, 0, 0, caplen, in->wirelen[row]};

    if (offset < 0 || caplen < 0 || (uint64_t)offset > size ||
        (uint64_t)caplen > size - (uint64_t)offset)
        return head;
    head.bytes = buffer + offset;
    head.size = caplen < HEAD ? (uint64_t)caplen : HEAD;
    if (head.size >= BACK) {
        const uint8_t *end = head.bytes + (head.size < MARKED ? head.size : MARKED);
        head.mark = little64(end - BACK) * 0x9E3779B97F4A7C15u ^ little64(end - WORD);
    }
    return head;
}

static bool is_same(const struct head *a, const struct head *b)
{
    return a->mark == b->mark && a->caplen == b->caplen && a->wirelen == b->wirelen &&
           a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Says of every frame whether it repeats one of the WINDOW frames before it. size: bytes of the
   buffer. */
EXPORTED uint64_t repeated_frames(const uint8_t *buffer, uint64_t size,
                                  const struct length_columns *in, uint64_t count,
                                  uint8_t *repeated)
{
    struct head last[WINDOW];

    for (uint64_t row = 0; row < count; row++) {
        if (row + AHEAD < count)
            __builtin_prefetch((const void *)((uintptr_t)buffer +
                                              (uintptr_t)in->offset[row + AHEAD] + MARKED - WORD));
        struct head head = head_of(buffer, size, in, row);
        repeated[row] = false;
        for (uint64_t back = 1; back <= WINDOW && back <= row; back++)
            repeated[row] |= is_same(&head, &last[(row - back) % WINDOW]);
        last[row % WINDOW] = head;
    }
    return count;
}
