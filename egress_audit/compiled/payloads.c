/* Payloads put side by side: flows/segments.py. */

#include "hot_path.h"

enum { AHEAD = 8 };

/* The first bytes of the payloads of some rows, at most `longest` of each, one behind the other;
   sizes: how many they are. A payload that does not lie in the buffer has none. Returns how many
   bytes there are, for which `out` has room. size: bytes of the buffer. */
EXPORTED uint64_t join_beginnings(const uint8_t *buffer, uint64_t size, const int64_t *payload,
                                  const int64_t *captured, const int64_t *rows, uint64_t count,
                                  uint64_t longest, uint8_t *out, int64_t *sizes)
{
    uint64_t used = 0;

    for (uint64_t at = 0; at < count; at++) {
        if (at + AHEAD < count)
            __builtin_prefetch((const void *)((uintptr_t)buffer +
                                              (uintptr_t)payload[rows[at + AHEAD]]));
        int64_t place = payload[rows[at]], there = captured[rows[at]];
        sizes[at] = 0;
        if (place < 0 || there < 0 || (uint64_t)place > size ||
            (uint64_t)there > size - (uint64_t)place)
            continue;
        uint64_t taken = (uint64_t)there < longest ? (uint64_t)there : longest;
        memcpy(out + used, buffer + place, taken);
        sizes[at] = (int64_t)taken;
        used += taken;
    }
    return used;
}
