/* Streams told apart by how they begin, and what whole ClientHellos say: names/first_bytes.py and
   names/plain_hello.py. All of a stream that is looked at here came in one payload. */

#include "hot_path.h"

/* What is known of a stream by the first payload. */
enum kind {
    OPEN,        /* readers must be asked */
    SILENT,      /* nothing is said in it, ever */
    PLAIN_HELLO, /* a whole ClientHello, read */
    OTHER_HELLO, /* a whole one that is not plain: it must be read elsewhere */
};

/* Of every packet. */
struct payload_columns {
    const int64_t *payload; /* into the buffer */
    const int64_t *payload_cap;
    const int64_t *payload_len;
    const int64_t *frame;
    const int64_t *ts_ns;
    const int64_t *side; /* twice the flow, plus one for the originator */
};

/* Of every plain hello, and the bytes of their hosts, one behind the other. */
struct hello_columns {
    int64_t *flow;
    int64_t *frame;
    int64_t *ts_ns;
    uint8_t *outer;
    int64_t *host_size;
    uint8_t *hosts;
};

/* A ClientHello, and what is known of it so far. */
struct hello {
    const uint8_t *stream;
    uint64_t end;
    uint64_t host; /* into the stream, as `end` is */
    uint64_t host_size;
    bool outer; /* it stands in front of an Encrypted ClientHello */
};

enum { SEEN = 16, ALERT = 21, HANDSHAKE = 22, CLIENT_HELLO = 1, MAX_FRAGMENT = (1 << 14) + 2048 };
enum { FIRST_KIND = 20, LAST_KIND = 24, LAST_MINOR = 4, SHORTEST_DNS = 17, LONGEST_DNS = 4096 };
enum { RECORD_HEADER = 5, HELLO_HEADER = 9, SESSION_ID_AT = HELLO_HEADER + 2 + 32 };
enum { SERVER_NAME = 0, ALPN = 16, ECH = 0xFE0D, HOST_NAME = 0, EXTENSION_HEADER = 4 };
enum { NAME_HEADER = 5, MAX_BODY = 260, MAX_ALPN_MARKS = 8 };
enum { LINE = 64, AHEAD = 8, LINES = 6 };

static const uint64_t NOWHERE = UINT64_MAX;

/* A record of TLS begins, whatever is in it. (RFC 8446, 5.1) */
static bool is_record(const uint8_t *first)
{
    bool known = first[0] >= FIRST_KIND && first[0] <= LAST_KIND && first[1] == 3;
    uint16_t size = big16(first + 3);

    return known && (first[2] <= LAST_MINOR || first[0] == HANDSHAKE) && size > 0 &&
           size <= MAX_FRAGMENT;
}

/* A request, or a line of plain text, may begin: with a word, and a blank behind it. What methods
   are made of can be printed, so that one kind of word is enough. */
static bool may_be_words(const uint8_t *first)
{
    uint64_t at = 0;

    if (first[0] == '<')
        return true;
    while (at < SEEN && first[at] > 0x20 && first[at] < 0x7F)
        at++;
    return at == SEEN || first[at] == ' ' || (first[at] >= '\t' && first[at] <= '\r');
}

/* A protocol may begin that has lengths and codes in front. */
static bool may_be_numbers(const uint8_t *first)
{
    uint8_t begin = first[0];
    uint16_t size = big16(first);

    if (begin >= 0x80 && first[2] == 1 && (first[3] == 0 || first[3] == 3))
        return true;
    if (begin == 4 || begin == 5 || begin == '0' || ((begin == 0 || begin == 3) && first[1] == 0))
        return true;
    if (begin >= FIRST_KIND && begin <= LAST_KIND && first[1] == 3 && big16(first + 3) == 0)
        return true; /* a record with nothing in it */
    return size >= SHORTEST_DNS && size <= LONGEST_DNS && first[6] == 0 && first[7] == 1;
}

/* No reader finds a name, and no further byte can change that. */
static bool says_nothing(const uint8_t *first)
{
    if (is_record(first))
        return first[0] != ALERT && !(first[0] == HANDSHAKE && first[5] == CLIENT_HELLO);
    return memcmp(first, "HTTP/1.", 7) == 0 || !(may_be_words(first) || may_be_numbers(first));
}

/* Where a ClientHello ends that is alone in one record, and maybe not all there; else NOWHERE. */
static uint64_t end_of_hello(const uint8_t *stream)
{
    uint64_t record = big16(stream + 3);
    uint64_t end = HELLO_HEADER + ((uint64_t)stream[6] << 16 | big16(stream + 7));

    if (stream[0] != HANDSHAKE || stream[1] != 3 || stream[5] != CLIENT_HELLO)
        return NOWHERE;
    return end - RECORD_HEADER == record && record <= MAX_FRAGMENT ? end : NOWHERE;
}

/* Where the extensions begin, which is the end if there are none; NOWHERE if a length is out of
   order. (RFC 8446, 4.1.2) */
static uint64_t extensions_of(const struct hello *hello)
{
    uint64_t at = SESSION_ID_AT;

    if (at + 1 > hello->end)
        return NOWHERE;
    at += 1 + (uint64_t)hello->stream[at];
    if (at + 2 > hello->end)
        return NOWHERE;
    at += 2 + (uint64_t)big16(hello->stream + at);
    if (at + 1 > hello->end)
        return NOWHERE;
    at += 1 + (uint64_t)hello->stream[at];
    if (at == hello->end)
        return at;
    if (at + 2 > hello->end || at + 2 + big16(hello->stream + at) != hello->end)
        return NOWHERE;
    return at + 2;
}

/* True for a server_name with one host, which is the only one of its hello. (RFC 6066, 3) */
static bool read_host(struct hello *hello, uint64_t at, uint64_t size)
{
    const uint8_t *body = hello->stream + at;

    if (hello->host_size != 0 || size <= NAME_HEADER || size > MAX_BODY)
        return false;
    hello->host = at + NAME_HEADER;
    hello->host_size = size - NAME_HEADER;
    return body[2] == HOST_NAME && big16(body) == size - 2 && big16(body + 3) == hello->host_size;
}

/* True if the lengths of the first protocols are in order. (RFC 7301, 3.1) */
static bool has_protocols(const uint8_t *body, uint64_t size)
{
    uint64_t at = 2;

    if (size < 2 || size > MAX_BODY || big16(body) != size - 2)
        return false;
    for (int mark = 0; mark < MAX_ALPN_MARKS && at < size; mark++)
        at += 1 + (uint64_t)body[at];
    return at <= size;
}

/* True for a plain hello, which is read then. (RFC 8446, 4.2) */
static bool read_hello(struct hello *hello)
{
    uint64_t at = extensions_of(hello);

    if (at == NOWHERE)
        return false;
    while (hello->end - at >= EXTENSION_HEADER) {
        uint64_t kind = big16(hello->stream + at), size = big16(hello->stream + at + 2);
        at += EXTENSION_HEADER;
        if (size > hello->end - at)
            return false;
        if (kind == SERVER_NAME && !read_host(hello, at, size))
            return false;
        if (kind == ALPN && !has_protocols(hello->stream + at, size))
            return false;
        hello->outer |= kind == ECH;
        at += size;
    }
    return at == hello->end;
}

/* Asks for a payload that comes soon: they lie far apart. The address is not read from, so that it
   may be any. */
static void expect(const uint8_t *buffer, int64_t payload)
{
    for (uintptr_t line = 0; line < LINES; line++)
        __builtin_prefetch((const void *)((uintptr_t)buffer + (uintptr_t)payload + line * LINE));
}

/* What is known of the stream that begins with a payload; if that is a plain hello, it is read.
   needs: bytes with which a hello is whole that is not, else 0. */
static enum kind kind_of(const uint8_t *buffer, uint64_t size, const struct payload_columns *in,
                         int64_t row, struct hello *hello, int64_t *needs)
{
    int64_t payload = in->payload[row], captured = in->payload_cap[row];

    *needs = 0;
    if (payload < 0 || captured < SEEN || (uint64_t)payload > size ||
        (uint64_t)captured > size - (uint64_t)payload)
        return OPEN;
    *hello = (struct hello){.stream = buffer + payload};
    hello->end = end_of_hello(hello->stream);
    if (hello->end == NOWHERE)
        return says_nothing(hello->stream) ? SILENT : OPEN;
    if (hello->end > (uint64_t)captured)
        *needs = (int64_t)hello->end;
    /* What follows may be another hello. */
    if (hello->end != (uint64_t)captured || captured < in->payload_len[row])
        return OPEN;
    return read_hello(hello) ? PLAIN_HELLO : OTHER_HELLO;
}

/* What is known of the streams that begin with the payloads of some rows, `count` of them, and the
   plain hellos among these; needs: as above. Returns how many hellos there are. size: bytes of the
   buffer; room: bytes for the hosts; a hello whose host finds none is another one. */
EXPORTED uint64_t tell_streams_apart(const uint8_t *buffer, uint64_t size,
                                     const struct payload_columns *in, const int64_t *rows,
                                     uint64_t count, uint8_t *kind, int64_t *needs,
                                     const struct hello_columns *out, uint64_t room)
{
    uint64_t plain = 0, used = 0;

    for (uint64_t at = 0; at < count; at++) {
        if (at + AHEAD < count)
            expect(buffer, in->payload[rows[at + AHEAD]]);
        int64_t row = rows[at];
        struct hello hello;
        kind[at] = (uint8_t)kind_of(buffer, size, in, row, &hello, &needs[at]);
        if (kind[at] != PLAIN_HELLO)
            continue;
        if (hello.host_size > room - used) {
            kind[at] = OTHER_HELLO;
            continue;
        }
        out->flow[plain] = in->side[row] >> 1;
        out->frame[plain] = in->frame[row];
        out->ts_ns[plain] = in->ts_ns[row];
        out->outer[plain] = hello.outer;
        out->host_size[plain] = (int64_t)hello.host_size;
        memcpy(out->hosts + used, hello.stream + hello.host, hello.host_size);
        used += hello.host_size;
        plain++;
    }
    return plain;
}
