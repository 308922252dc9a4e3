/* Columns that point into others, looked at before anything is read where they point.

   They are made by our own code, and no capture says what stands in them: what is refused here is a
   defect, which numpy would have answered with an IndexError. */

#include "hot_path.h"

/* 1 if all of `count` indexes are from 0 on and below `limit`, else 0. */
EXPORTED uint64_t are_indexes(const int64_t *index, uint64_t count, uint64_t limit)
{
    uint64_t beyond = 0, last = limit - 1;

    /* Without a way out, and without comparing: one that is negative or beyond the last makes the
       upper bit of itself or of its distance 1. A limit has less than 64 bits. */
    for (uint64_t i = 0; i < count; i++)
        beyond |= (uint64_t)index[i] | (last - (uint64_t)index[i]);
    return beyond >> 63 == 0;
}

/* 1 if all of `count` edges are from 0 on up to `limit`, and none is below the one before it. */
EXPORTED uint64_t are_edges(const int64_t *edge, uint64_t count, uint64_t limit)
{
    uint64_t wrong = count > 0 && (uint64_t)edge[0] > limit;

    for (uint64_t i = 1; i < count; i++)
        wrong |= (uint64_t)edge[i] > limit || edge[i] < edge[i - 1];
    return wrong == 0;
}
