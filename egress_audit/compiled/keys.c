/* Packets to keys, keys to numbers: flows/keys.py, which says what a key is and how it is hashed.

   The hash is seeded anew in every process by the caller, and the whole key is compared at every
   look-up, so that collisions which a capture provokes cost time and merge nothing. */

#include "hot_path.h"

enum { WORDS = 5, SEEDS = WORDS + 1, NONE = -1 };

struct key {
    uint64_t word[WORDS];
};

struct address_columns {
    const uint64_t *src_hi;
    const uint64_t *src_lo;
    const uint64_t *dst_hi;
    const uint64_t *dst_lo;
    const uint16_t *sport;
    const uint16_t *dport;
    const uint8_t *proto;
    const uint8_t *version;
    const uint8_t *depth;
    const uint8_t *one_way;
};

/* 1 if the receiver's end is the smaller one, which stands first in the key. Without branches: who
   sends is as good as random to a processor. */
static unsigned is_turned_round(const struct address_columns *in, uint64_t row)
{
    unsigned ports = in->sport[row] > in->dport[row];
    unsigned low = in->src_lo[row] > in->dst_lo[row];
    unsigned same_low = in->src_lo[row] == in->dst_lo[row];
    unsigned high = in->src_hi[row] > in->dst_hi[row];
    unsigned same_high = in->src_hi[row] == in->dst_hi[row];

    return (high | (same_high & (low | (same_low & ports)))) & !in->one_way[row];
}

static void write_key(struct key *key, const struct address_columns *in, uint64_t row,
                      unsigned turned)
{
    /* All ones or none: what is different of two ends is put over one and the other, or not. */
    uint64_t swap = 0 - (uint64_t)turned;
    uint64_t hi = (in->src_hi[row] ^ in->dst_hi[row]) & swap;
    uint64_t lo = (in->src_lo[row] ^ in->dst_lo[row]) & swap;
    uint64_t port = (uint64_t)(in->sport[row] ^ in->dport[row]) & swap;
    uint64_t rest = (uint64_t)in->depth[row] << 24 | (uint64_t)in->one_way[row] << 16 |
                    (uint64_t)in->proto[row] << 8 | in->version[row];

    key->word[0] = in->src_hi[row] ^ hi;
    key->word[1] = in->src_lo[row] ^ lo;
    key->word[2] = in->dst_hi[row] ^ hi;
    key->word[3] = in->dst_lo[row] ^ lo;
    key->word[4] = (in->sport[row] ^ port) << 48 | (in->dport[row] ^ port) << 32 | rest;
}

static uint64_t hash_of(const struct key *key, const uint64_t *seeds)
{
    uint64_t mixed = 0;

    for (int word = 0; word < WORDS; word++) {
        mixed ^= key->word[word];
        mixed *= seeds[word];
        mixed ^= mixed >> 29;
    }
    mixed *= seeds[WORDS];
    return mixed ^ mixed >> 32;
}

/* How far a key goes on where a slot is taken: odd, so that it comes by all of them. */
static uint64_t step_of(uint64_t hash)
{
    return hash >> 32 | 1;
}

/* The packets of a batch in groups of one key each. */
struct group_columns {
    struct key *key;  /* of each group, and below its hash */
    uint64_t *hash;
    int32_t *slots;   /* 2^k of them, more than there are packets: groups by hash. All are NONE, and
                         are so again afterwards */
    uint8_t *turned;  /* of each packet, whether it was turned round */
    int32_t *group;   /* of each packet */
    int64_t *starts;  /* where each group begins in `order`, with room for one more than packets */
    int64_t *order;
};

/* Group of a key; a new one, behind the `groups` that there are, if none has it. */
static uint64_t group_of(const struct group_columns *out, uint64_t mask, const struct key *key,
                         uint64_t hash, uint64_t groups)
{
    for (uint64_t slot = hash & mask;; slot = (slot + step_of(hash)) & mask) {
        int32_t group = out->slots[slot];
        if (group == NONE) {
            out->slots[slot] = (int32_t)groups;
            out->key[groups] = *key;
            out->hash[groups] = hash;
            return groups;
        }
        if (out->hash[group] == hash && memcmp(&out->key[group], key, sizeof *key) == 0)
            return (uint64_t)group;
    }
}

/* Puts rows side by side by their groups, as they came. starts: how many are of each group, one
   place behind; afterwards where each begins. */
static void put_in_order(const struct group_columns *out, uint64_t count, uint64_t groups)
{
    int64_t *starts = out->starts;

    /* Sizes become ends, each group's the start of the next; filling it moves a start to its end,
       so that afterwards every start stands one place further on. */
    for (uint64_t g = 1; g < groups; g++)
        starts[g + 1] += starts[g];
    for (uint64_t row = 0; row < count; row++)
        out->order[starts[out->group[row]]++] = (int64_t)row;
    memmove(starts + 1, starts, groups * sizeof *starts);
    starts[0] = 0;
}

/* Makes all slots NONE again. The last group first: what lay in its way is still there. */
static void free_slots(const struct group_columns *out, uint64_t mask, uint64_t groups)
{
    enum { MANY = 16 };

    if (groups > mask / MANY) {
        memset(out->slots, 0xFF, (mask + 1) * sizeof *out->slots);
        return;
    }
    while (groups-- > 0) {
        uint64_t hash = out->hash[groups], slot = hash & mask;
        while (out->slots[slot] != (int32_t)groups)
            slot = (slot + step_of(hash)) & mask;
        out->slots[slot] = NONE;
    }
}

/* Puts packets of one key side by side, as they came; groups in the order of their first packets.
   Returns how many groups there are. count: packets, less than 2^31 and than there are slots. */
EXPORTED uint64_t group_packets(const struct address_columns *in, uint64_t count,
                                const uint64_t *seeds, uint64_t mask,
                                const struct group_columns *out)
{
    /* Some keys are made before any of them is looked up, so that no look-up waits for a hash. */
    enum { AT_A_TIME = 32 };
    /* A copy, which bytes that are written cannot change: it need not be read anew each time. */
    const struct address_columns columns = *in;
    struct key keys[AT_A_TIME];
    uint64_t hashes[AT_A_TIME], groups = 0;

    out->starts[0] = 0;
    for (uint64_t first = 0; first < count; first += AT_A_TIME) {
        uint64_t some = count - first < AT_A_TIME ? count - first : AT_A_TIME;
        for (uint64_t i = 0; i < some; i++) {
            unsigned round = is_turned_round(&columns, first + i);
            write_key(&keys[i], &columns, first + i, round);
            hashes[i] = hash_of(&keys[i], seeds);
            __builtin_prefetch(&out->slots[hashes[i] & mask]);
            out->turned[first + i] = (uint8_t)round;
        }
        for (uint64_t i = 0; i < some; i++) {
            uint64_t group = group_of(out, mask, &keys[i], hashes[i], groups);
            if (group == groups)
                out->starts[++groups] = 0;
            out->group[first + i] = (int32_t)group;
            out->starts[group + 1]++;
        }
    }
    put_in_order(out, count, groups);
    free_slots(out, mask, groups);
    return groups;
}

/* The table of all keys, as KeyTable has it. */
struct key_table {
    int32_t *slots;     /* numbers by hash; NONE where there is none */
    uint64_t *hash;     /* of each number */
    uint64_t *key;      /* WORDS rows of `capacity` columns, one a number */
};

/* Number of a key; NONE and the slot that is free for it if it has none. */
static int32_t number_of(const struct key_table *table, uint64_t mask, uint64_t capacity,
                         const struct key *key, uint64_t hash, uint64_t *slot)
{
    for (*slot = hash & mask;; *slot = (*slot + step_of(hash)) & mask) {
        int32_t number = table->slots[*slot];
        if (number == NONE)
            return NONE;
        if (table->hash[number] != hash)
            continue;
        uint64_t different = 0;
        for (uint64_t word = 0; word < WORDS; word++)
            different |= table->key[word * capacity + (uint64_t)number] ^ key->word[word];
        if (different == 0)
            return number;
    }
}

static void add_key(const struct key_table *table, uint64_t capacity, uint64_t number,
                    const struct key *key, uint64_t hash, uint64_t slot)
{
    table->slots[slot] = (int32_t)number;
    table->hash[number] = hash;
    for (uint64_t word = 0; word < WORDS; word++)
        table->key[word * capacity + number] = key->word[word];
}

/* Numbers of the keys of groups from the group `first` on, new ones from `known` on in the order of
   the groups. Ends early where the table is half full or has no room; returns the group that comes
   next. *known: keys in the table, before and after. */
EXPORTED uint64_t number_groups(const struct key *keys, const uint64_t *hashes, uint64_t first,
                                uint64_t groups, const struct key_table *table, uint64_t mask,
                                uint64_t capacity, uint64_t *known, int64_t *number)
{
    enum { AHEAD = 8 };

    for (uint64_t group = first; group < groups; group++) {
        if (group + AHEAD < groups)
            __builtin_prefetch(&table->slots[hashes[group + AHEAD] & mask]);
        uint64_t slot, hash = hashes[group];
        int32_t found = number_of(table, mask, capacity, &keys[group], hash, &slot);
        if (found == NONE) {
            if (*known >= capacity || (*known + 1) * 2 > mask + 1)
                return group;
            found = (int32_t)*known;
            add_key(table, capacity, (*known)++, &keys[group], hash, slot);
        }
        number[group] = found;
    }
    return groups;
}

/* Puts numbers below `count` into free slots, all of which are NONE before. */
EXPORTED uint64_t place_numbers(const uint64_t *hashes, uint64_t count, int32_t *slots,
                                uint64_t mask)
{
    for (uint64_t number = 0; number < count; number++) {
        uint64_t hash = hashes[number], slot = hash & mask;
        while (slots[slot] != NONE)
            slot = (slot + step_of(hash)) & mask;
        slots[slot] = (int32_t)number;
    }
    return count;
}
