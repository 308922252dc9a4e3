/* The compiled hot path: what its files share.

   Plain C11 functions on columns that numpy owns. Nothing is allocated, opened or kept, and nothing
   calls itself. A capture may be hostile: whatever is read from it lies between the bounds that
   came as arguments, numbers that it states are compared before they are added to anything, and
   sums are made in 64 bits. Every rule of decoding lives in the Python files that are named above
   each function; what is not of the common form is left to them.

   Numbers in captures may lie anywhere, so they are read through memcpy. */

#ifndef EGRESS_AUDIT_HOT_PATH_H
#define EGRESS_AUDIT_HOT_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__BYTE_ORDER__) || __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the compiled hot path is for little-endian processors; numpy alone is used on others"
#endif
_Static_assert(sizeof(void *) == 8, "the compiled hot path is for 64-bit processors");

#define EXPORTED __attribute__((visibility("default")))

static inline uint32_t little32(const uint8_t *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t little64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint16_t big16(const uint8_t *at)
{
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

static inline uint32_t big32(const uint8_t *at)
{
    return __builtin_bswap32(little32(at));
}

static inline uint64_t big64(const uint8_t *at)
{
    return __builtin_bswap64(little64(at));
}

/* A word of a file whose byte order is that of this machine, or the other one. */
static inline uint32_t word32(const uint8_t *at, bool swapped)
{
    return swapped ? big32(at) : little32(at);
}

#endif
