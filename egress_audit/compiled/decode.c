/* Frames of the common form, decoded: decode/link_ethernet.py, network.py and transport.py.

   Common are Ethernet with up to two VLAN tags, IPv4 without options that is no fragment, IPv6 with
   its transport header at once, and TCP or UDP whose header is whole. Whatever is not, however
   little, is left to the code in numpy, which has all the rules. */

#include "hot_path.h"

struct frame_columns {
    const int64_t *offset;
    const int64_t *caplen;
    const int64_t *wirelen;
    const int32_t *linktype;
};

/* What is true of the frames that were decoded. */
struct found {
    uint64_t cut;   /* how many have less of their packet than was on the wire */
    uint64_t stays; /* 1 if one may be of its own machine alone, or for it */
};

struct packet_columns {
    uint8_t *version;
    uint64_t *src_hi;
    uint64_t *src_lo;
    uint64_t *dst_hi;
    uint64_t *dst_lo;
    uint8_t *proto;
    uint16_t *sport;
    uint16_t *dport;
    int64_t *ip_len;
    uint8_t *tcp_flags;
    uint32_t *tcp_seq;
    uint32_t *tcp_ack;
    int64_t *payload;
    int64_t *payload_cap;
    int64_t *payload_len;
};

/* What is known of a packet on the way to its row. Offsets are from the start of the frame. */
struct packet {
    const uint8_t *frame;
    uint64_t end;       /* of its captured bytes, without padding once its length is known */
    uint64_t transport; /* first byte behind the IP header */
    uint64_t behind;    /* bytes behind the IP header, on the wire */
    uint8_t proto;
};

enum { LINKTYPE_ETHERNET = 1, ETHERTYPE_AT = 12, ETHERNET_HEADER = 14, TAG = 4, MAX_TAGS = 2 };
enum { ETHERTYPE_IPV4 = 0x0800, ETHERTYPE_IPV6 = 0x86DD };
enum { IPV4_HEADER = 20, IPV4_NO_OPTIONS = 0x45, PIECES = 0x3FFF, IPV6_HEADER = 40 };
enum { TCP = 6, UDP = 17, TCP_HEADER = 20, UDP_HEADER = 8 };

enum { LINE = 64, AHEAD = 12 };

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* IEEE 802.1Q, 802.1ad, and the number that was in use before it. */
static bool is_tag(uint16_t ethertype)
{
    return ethertype == 0x8100 || ethertype == 0x88A8 || ethertype == 0x9100;
}

/* Where the network header begins, and what the EtherType says it is; 0 if the frame ends before,
   or has more tags. (IEEE 802.3 section 3.2.6) */
static uint64_t network_header(const uint8_t *frame, uint64_t caplen, uint16_t *ethertype)
{
    uint64_t at = ETHERNET_HEADER;

    for (int tags = 0; tags <= MAX_TAGS; tags++, at += TAG) {
        if (caplen < at)
            return 0;
        *ethertype = big16(frame + at - 2);
        if (!is_tag(*ethertype))
            return at;
    }
    return 0;
}

/* True for a header of 20 bytes with a length that can be true, no fragment. (RFC 791) */
static bool read_ipv4(struct packet *packet, uint64_t at, uint64_t row,
                      const struct packet_columns *out)
{
    const uint8_t *header = packet->frame + at;

    if (packet->end - at < IPV4_HEADER || header[0] != IPV4_NO_OPTIONS)
        return false;
    uint64_t ip_len = big16(header + 2);
    if (ip_len < IPV4_HEADER || (big16(header + 6) & PIECES) != 0)
        return false;
    packet->end = least(packet->end, at + ip_len);
    packet->transport = at + IPV4_HEADER;
    packet->behind = ip_len - IPV4_HEADER;
    packet->proto = header[9];
    out->version[row] = 4;
    out->src_hi[row] = out->dst_hi[row] = 0;
    out->src_lo[row] = big32(header + 12);
    out->dst_lo[row] = big32(header + 16);
    out->ip_len[row] = (int64_t)ip_len;
    return true;
}

/* True for a header that states a length. What comes next is seen by its number. (RFC 8200) */
static bool read_ipv6(struct packet *packet, uint64_t at, uint64_t row,
                      const struct packet_columns *out)
{
    const uint8_t *header = packet->frame + at;

    if (packet->end - at < IPV6_HEADER || header[0] >> 4 != 6)
        return false;
    packet->behind = big16(header + 4);
    if (packet->behind == 0)
        return false;
    packet->end = least(packet->end, at + IPV6_HEADER + packet->behind);
    packet->transport = at + IPV6_HEADER;
    packet->proto = header[6];
    out->version[row] = 6;
    out->src_hi[row] = big64(header + 8);
    out->src_lo[row] = big64(header + 16);
    out->dst_hi[row] = big64(header + 24);
    out->dst_lo[row] = big64(header + 32);
    out->ip_len[row] = (int64_t)(IPV6_HEADER + packet->behind);
    return true;
}

/* Bytes of a whole TCP header, with its numbers and flags; 0 for any other. (RFC 9293, 3.1) */
static uint64_t read_tcp(const struct packet *packet, uint64_t row,
                         const struct packet_columns *out)
{
    const uint8_t *header = packet->frame + packet->transport;

    if (packet->end - packet->transport < TCP_HEADER)
        return 0;
    uint64_t length = (uint64_t)(header[12] >> 4) * 4;
    if (length < TCP_HEADER)
        return 0;
    out->tcp_seq[row] = big32(header + 4);
    out->tcp_ack[row] = big32(header + 8);
    out->tcp_flags[row] = header[13];
    return length;
}

/* Bytes of a whole UDP header, 0 for any other; what is behind counts as far as it says.
   (RFC 768) */
static uint64_t read_udp(struct packet *packet, uint64_t row, const struct packet_columns *out)
{
    const uint8_t *header = packet->frame + packet->transport;

    if (packet->end - packet->transport < UDP_HEADER)
        return 0;
    uint64_t stated = big16(header + 4);
    if (stated >= UDP_HEADER)
        packet->behind = least(stated, packet->behind);
    out->tcp_seq[row] = out->tcp_ack[row] = 0;
    out->tcp_flags[row] = 0;
    return UDP_HEADER;
}

/* True if a transport header was read; the row is complete then. offset: of the frame. */
static bool read_transport(struct packet *packet, int64_t offset, uint64_t row,
                           const struct packet_columns *out)
{
    uint64_t header_len = 0;

    if (packet->proto == TCP)
        header_len = read_tcp(packet, row, out);
    else if (packet->proto == UDP)
        header_len = read_udp(packet, row, out);
    if (header_len == 0)
        return false;
    const uint8_t *ports = packet->frame + packet->transport;
    uint64_t payload = packet->transport + header_len;
    uint64_t there = packet->end > payload ? packet->end - payload : 0;
    uint64_t stated = packet->behind > header_len ? packet->behind - header_len : 0;
    out->proto[row] = packet->proto;
    out->sport[row] = big16(ports);
    out->dport[row] = big16(ports + 2);
    out->payload[row] = offset + (int64_t)payload;
    out->payload_len[row] = (int64_t)stated;
    out->payload_cap[row] = (int64_t)least(there, stated);
    return true;
}

/* True for a frame of the common form, whose row is complete then. */
static bool read_frame(const uint8_t *buffer, int64_t offset, uint64_t caplen, uint64_t row,
                       const struct packet_columns *out)
{
    struct packet packet = {.frame = buffer + offset, .end = caplen};
    uint16_t ethertype = 0;
    uint64_t at = network_header(packet.frame, caplen, &ethertype);

    if (at == 0)
        return false;
    if (ethertype == ETHERTYPE_IPV4)
        return read_ipv4(&packet, at, row, out) && read_transport(&packet, offset, row, out);
    if (ethertype == ETHERTYPE_IPV6)
        return read_ipv6(&packet, at, row, out) && read_transport(&packet, offset, row, out);
    return false;
}

/* Asks for the headers of a frame that comes soon: they lie far apart. The address is not read
   from, so that it may be any. */
static void expect(const uint8_t *buffer, const struct frame_columns *frames, uint64_t row)
{
    uintptr_t at = (uintptr_t)buffer + (uintptr_t)frames->offset[row];
    __builtin_prefetch((const void *)at);
    __builtin_prefetch((const void *)(at + LINE));
}

/* True for a loopback address of either version of IP, and for few others: columns.is_loopback. */
static bool may_be_loopback(uint64_t hi, uint64_t lo)
{
    return hi == 0 && (lo == 1 || lo >> 24 == 127 || lo >> 24 == 0xFFFF7F);
}

/* True for a frame without MAC addresses, as the loopback interface of Linux has them. */
static bool is_unaddressed(const uint8_t *frame)
{
    return (big64(frame) | big32(frame + 8)) == 0;
}

/* True for all packets that have no reason to leave their machine, for all whose frames say that it
   sent them, and for few others: decode/astray.py, decode/sent_here.py. */
static bool may_stay(const uint8_t *frame, const struct packet_columns *out, uint64_t row)
{
    uint64_t src_hi = out->src_hi[row], src_lo = out->src_lo[row];
    uint64_t dst_hi = out->dst_hi[row], dst_lo = out->dst_lo[row];

    return (src_lo == dst_lo && src_hi == dst_hi) || may_be_loopback(src_hi, src_lo) ||
           may_be_loopback(dst_hi, dst_lo) || is_unaddressed(frame);
}

/* Decodes frames into rows of their own. Returns how many it left, and which: rows of these hold
   anything. size: bytes of the buffer; count: frames, and the room in every column. */
EXPORTED uint64_t decode_frames(const uint8_t *buffer, uint64_t size,
                                const struct frame_columns *frames, uint64_t count,
                                const struct packet_columns *out, int64_t *left,
                                struct found *found)
{
    uint64_t others = 0, cut = 0, stays = 0;

    for (uint64_t row = 0; row < count; row++) {
        if (row + AHEAD < count)
            expect(buffer, frames, row + AHEAD);
        int64_t offset = frames->offset[row], caplen = frames->caplen[row];
        bool inside = offset >= 0 && caplen >= 0 && (uint64_t)offset <= size &&
                      (uint64_t)caplen <= size - (uint64_t)offset;
        if (!inside || frames->linktype[row] != LINKTYPE_ETHERNET ||
            !read_frame(buffer, offset, (uint64_t)caplen, row, out)) {
            left[others++] = (int64_t)row;
            continue;
        }
        stays |= may_stay(buffer + offset, out, row);
        cut += caplen < frames->wirelen[row] || out->payload_cap[row] < out->payload_len[row];
    }
    *found = (struct found){.cut = cut, .stays = stays};
    return others;
}
