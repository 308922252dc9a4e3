/* What datagrams may be by their ports and first bytes: flows/datagrams.py, decode/tunnels.py.

   Most are neither a tunnel's nor spoken names, and a look at a few bytes tells. */

#include "hot_path.h"

enum { UDP = 17, UDP_LITE = 136, PROTOCOLS = 256, DNS_PORT = 53, AHEAD = 16 };
enum { IPV4_HEADER = 20, IPV6_HEADER = 40 };

struct datagram_columns {
    const uint8_t *proto;
    const uint16_t *sport;
    const uint16_t *dport;
    const int64_t *payload;
    const int64_t *payload_cap;
    const int64_t *payload_len;
};

/* The captured payload of a packet, none of it if it does not lie in the buffer. */
struct payload {
    const uint8_t *bytes;
    uint64_t size;
};

static struct payload payload_of(const uint8_t *buffer, uint64_t size,
                                 const struct datagram_columns *in, uint64_t row)
{
    int64_t start = in->payload[row], captured = in->payload_cap[row];
    struct payload found = {buffer, 0};

    if (start < 0 || captured < 0 || (uint64_t)start > size ||
        (uint64_t)captured > size - (uint64_t)start)
        return found;
    found.bytes = buffer + start;
    found.size = (uint64_t)captured;
    return found;
}

/* Rows of the packets of some protocols, ascending; returns how many. Without branches: which
   protocol comes next is as good as random to a processor. wanted: 256, 0 or 1. */
static uint64_t rows_of(const struct datagram_columns *in, uint64_t count, const uint8_t *wanted,
                        int64_t *rows)
{
    uint64_t found = 0;

    for (uint64_t row = 0; row < count; row++) {
        rows[found] = (int64_t)row;
        found += wanted[in->proto[row]];
    }
    return found;
}

/* Asks for the payload of a row that comes soon. The address is not read from. */
static void expect(const uint8_t *buffer, const struct datagram_columns *in, const int64_t *rows,
                   uint64_t at, uint64_t count)
{
    if (at + AHEAD < count)
        __builtin_prefetch((const void *)((uintptr_t)buffer +
                                          (uintptr_t)in->payload[rows[at + AHEAD]]));
}

/* True for the form of WireGuard's messages, on whatever port but the DNS's. */
static bool is_like_wireguard(const uint8_t *buffer, uint64_t size,
                              const struct datagram_columns *in, uint64_t row)
{
    struct payload payload = payload_of(buffer, size, in, row);
    int64_t length = in->payload_len[row];

    if (payload.size < 4 || in->sport[row] == DNS_PORT || in->dport[row] == DNS_PORT)
        return false;
    switch (little32(payload.bytes)) {
    case 1:
        return length == 148;
    case 2:
        return length == 92;
    case 3:
        return length == 64;
    case 4:
        return length >= 32 && length % 16 == 0;
    default:
        return false;
    }
}

/* True if a datagram is as long as an IP packet says that it is, with which it would begin.
   (RFC 791, 3.1; RFC 8200, 3) */
static bool may_be_packet(const uint8_t *buffer, uint64_t size, const struct datagram_columns *in,
                          uint64_t row)
{
    struct payload payload = payload_of(buffer, size, in, row);
    int64_t length = in->payload_len[row];

    if (payload.size < IPV4_HEADER)
        return false;
    if (payload.bytes[0] >> 4 == 4)
        return (payload.bytes[0] & 15) >= IPV4_HEADER / 4 && big16(payload.bytes + 2) == length;
    return payload.bytes[0] >> 4 == 6 && payload.size >= IPV6_HEADER &&
           big16(payload.bytes + 4) + IPV6_HEADER == length;
}

/* Rows of the packets that are a tunnel's and carry something, and which tunnel's that is; returns
   how many. size: bytes of the buffer; of_protocol: 256, of_port: 65536, 0 where there is none;
   wireguard, packet: numbers of what is known by its form; passes_over: 256, 1 for the numbers that
   give way to these. */
EXPORTED uint64_t tunnels_of_packets(const uint8_t *buffer, uint64_t size,
                                     const struct datagram_columns *in, uint64_t count,
                                     const uint8_t *of_protocol, const uint8_t *of_port,
                                     uint64_t wireguard, uint64_t packet,
                                     const uint8_t *passes_over, int64_t *rows, uint8_t *tunnel)
{
    uint8_t wanted[PROTOCOLS] = {[UDP] = 1};
    uint64_t tunnels = 0;

    for (int proto = 0; proto < PROTOCOLS; proto++)
        wanted[proto] |= of_protocol[proto] != 0;
    uint64_t some = rows_of(in, count, wanted, rows);
    for (uint64_t at = 0; at < some; at++) {
        expect(buffer, in, rows, at, some);
        uint64_t row = (uint64_t)rows[at];
        uint8_t found = of_protocol[in->proto[row]];
        if (in->proto[row] == UDP) {
            found = of_port[in->dport[row]];
            if (found == 0)
                found = of_port[in->sport[row]];
            if (passes_over[found] && is_like_wireguard(buffer, size, in, row))
                found = (uint8_t)wireguard;
            if (passes_over[found] && may_be_packet(buffer, size, in, row))
                found = (uint8_t)packet;
        }
        if (found == 0 || in->payload_len[row] == 0)
            continue;
        rows[tunnels] = (int64_t)row;
        tunnel[tunnels++] = found;
    }
    return tunnels;
}

/* Kinds of datagrams that are known by their first bytes, as flows/datagrams.py numbers them. */
enum kind { NOBODY_READS = -1, OTHER_QUIC, SSDP = 4, DNS, QUIC, GQUIC, DTLS, LIKE_DNS };

enum { LONG_HEADER = 0x80, GOOGLE_FLAGS = 0x89, GOOGLE_VERSION_AT = 9 };
enum { LEAST_OF_QUIC = 0xC0 }; /* below it are media beside QUIC; RFC 9443, section 3 */
enum { RESERVED_BITS = 0x0F0F0F0F, RESERVED = 0x0A0A0A0A, INITIAL = 0xC };
enum { LEAST_INITIAL = 1200, LEAST_ID = 8, LONGEST_ID = 20 };
enum { FIRST_RECORD = 20, HANDSHAKE_RECORD = 22, LAST_RECORD = 26 };
enum { LENGTH_AT = 11, HANDSHAKE_AT = 13, CLIENT_HELLO = 1 };
enum { SIZE_AT = 22, HANDSHAKE_HEADER = 12, DTLS_MAJOR = 0xFE, BEFORE_DTLS = 0x0100 };
enum { DNS_HEADER = 12, DNS_RESPONSE = 0x8000, NOT_IN_DNS_FLAGS = 0x7800 };
enum { FLAGS_AT = 2, OPERATION = 0x78, LAST_OPERATION = 6 << 3 };

/* Version words that are looked for. */
struct versions {
    const uint32_t *quic;
    const uint32_t *gquic;
    uint64_t quics;
    uint64_t gquics;
};

static bool is_among(uint32_t word, const uint32_t *known, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        if (known[i] == word)
            return true;
    return false;
}

/* A client's Initial of a version that forces a negotiation. Others' bytes often look like one: so
   few octets are in no such datagram, nor in its connection ID. (RFC 9000, sections 7.2, 14.1, 15
   and 17.2.2) */
static bool may_force(struct payload payload, uint32_t version)
{
    return (version & RESERVED_BITS) == RESERVED && payload.size >= LEAST_INITIAL &&
           payload.bytes[0] >> 4 == INITIAL && payload.bytes[5] >= LEAST_ID &&
           payload.bytes[5] <= LONGEST_ID;
}

/* Of a packet that names its version. (RFC 8999, section 5.1) */
static int kind_of_long(struct payload payload, const struct versions *versions)
{
    if (payload.size <= 4)
        return NOBODY_READS;
    uint32_t version = big32(payload.bytes + 1);
    if (is_among(version, versions->gquic, versions->gquics))
        return GQUIC;
    bool known = is_among(version, versions->quic, versions->quics);
    return known || may_force(payload, version) ? QUIC : NOBODY_READS;
}

/* "Q0" and two digits. */
static bool is_google(const uint8_t *word)
{
    return word[0] == 'Q' && word[1] == '0' && word[2] >= '0' && word[2] <= '9' &&
           word[3] >= '0' && word[3] <= '9';
}

/* True if another handshake message stands behind the first one of a record. */
static bool has_several(struct payload payload, unsigned size)
{
    return payload.bytes[0] == HANDSHAKE_RECORD && payload.size > SIZE_AT + 2 &&
           size > HANDSHAKE_HEADER + (big32(payload.bytes + SIZE_AT - 1) & 0xFFFFFF);
}

/* The header of one question and, if any, few answers. */
static bool is_like_dns(struct payload payload)
{
    if (payload.size <= DNS_HEADER || big16(payload.bytes + 4) != 1)
        return false;
    unsigned flags = big16(payload.bytes + 2);
    unsigned answers = big16(payload.bytes + 6), authorities = big16(payload.bytes + 8);
    bool is_bare = answers == 0 && authorities == 0 && big16(payload.bytes + 10) < 3;
    return (flags & NOT_IN_DNS_FLAGS) == 0 && ((flags & DNS_RESPONSE) != 0 || is_bare);
}

/* A ClientHello in a record of a version of DTLS, or another record or message that it may stand
   behind. (RFC 6347, section 4) What may be a message of the DNS or its kin is none: an ID looks
   like the kind and the version, or flags do. At their ports that is whatever they may read. */
static bool may_greet(struct payload payload, int by_port)
{
    const uint8_t *record = payload.bytes;
    if (payload.size <= HANDSHAKE_AT || record[0] < FIRST_RECORD || record[0] > LAST_RECORD)
        return false;
    uint16_t version = big16(record + 1);
    bool known = version >> 8 == DTLS_MAJOR || version == BEFORE_DTLS;
    unsigned size = big16(record + LENGTH_AT);
    bool first = record[0] == HANDSHAKE_RECORD && record[HANDSHAKE_AT] == CLIENT_HELLO;
    bool behind = payload.size > 2u * HANDSHAKE_AT + size || has_several(payload, size);
    if (by_port > OTHER_QUIC && by_port != SSDP)
        return known && first && (record[FLAGS_AT] & OPERATION) > LAST_OPERATION;
    return known && (first || behind) && !is_like_dns(payload);
}

/* What a datagram is: by its first bytes, else by its ports, else by the look of a DNS header. */
static int kind_of(struct payload payload, int by_port, const struct versions *versions)
{
    int kind = NOBODY_READS;
    uint8_t first = payload.size > 4 ? payload.bytes[0] : 0;

    if (first & LONG_HEADER)
        kind = kind_of_long(payload, versions);
    else if (may_greet(payload, by_port))
        kind = DTLS;
    else if ((first & GOOGLE_FLAGS) == (GOOGLE_FLAGS & ~LONG_HEADER) &&
             payload.size > GOOGLE_VERSION_AT + 4 && is_google(payload.bytes + GOOGLE_VERSION_AT))
        kind = GQUIC;
    if (kind == NOBODY_READS)
        kind = by_port;
    if (kind == OTHER_QUIC && (first < LEAST_OF_QUIC || big32(payload.bytes + 1) == 0))
        kind = NOBODY_READS;
    return (kind == NOBODY_READS || kind == SSDP) && is_like_dns(payload) ? LIKE_DNS : kind;
}

/* Rows of the datagrams of flows that somebody reads, and their kinds; returns how many. size:
   bytes of the buffer; flow: of each packet, negative for none; of_port: 65536 kinds. */
EXPORTED uint64_t kinds_of_datagrams(const uint8_t *buffer, uint64_t size,
                                     const struct datagram_columns *in, const int64_t *flow,
                                     uint64_t count, const int8_t *of_port,
                                     const struct versions *versions, int64_t *rows, int8_t *kinds)
{
    const uint8_t wanted[PROTOCOLS] = {[UDP] = 1, [UDP_LITE] = 1};
    uint64_t chosen = 0, some = rows_of(in, count, wanted, rows);

    for (uint64_t at = 0; at < some; at++) {
        expect(buffer, in, rows, at, some);
        uint64_t row = (uint64_t)rows[at];
        if (in->payload_len[row] <= 0 || flow[row] < 0)
            continue;
        int of_sender = of_port[in->sport[row]], of_receiver = of_port[in->dport[row]];
        int by_port = of_sender > of_receiver ? of_sender : of_receiver;
        int kind = kind_of(payload_of(buffer, size, in, row), by_port, versions);
        if (kind == NOBODY_READS)
            continue;
        rows[chosen] = (int64_t)row;
        kinds[chosen++] = (int8_t)kind;
    }
    return chosen;
}
