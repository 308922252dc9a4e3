"""Names of LINKTYPE_ values, for people. Source: tcpdump.org/linktypes.html."""

LINKTYPE_NAMES: dict[int, str] = {
    0: "NULL",
    1: "ETHERNET",
    9: "PPP",
    12: "RAW",
    14: "RAW",
    50: "PPP_HDLC",
    51: "PPP_ETHER",
    101: "RAW",
    104: "C_HDLC",
    105: "IEEE802_11",
    107: "FRELAY",
    108: "LOOP",
    113: "LINUX_SLL",
    119: "IEEE802_11_PRISM",
    127: "IEEE802_11_RADIOTAP",
    147: "USER0",
    149: "USER2",
    189: "USB_LINUX",
    192: "PPI",
    195: "IEEE802_15_4_WITHFCS",
    220: "USB_LINUX_MMAPPED",
    226: "IPNET",
    228: "IPV4",
    229: "IPV6",
    239: "NFLOG",
    249: "USBPCAP",
    252: "WIRESHARK_UPPER_PDU",
    258: "PKTAP",
    276: "LINUX_SLL2",
}


def linktype_name(linktype: int) -> str:
    """`ETHERNET` for 1; `LINKTYPE 999` for a value that has no name here."""
    return LINKTYPE_NAMES.get(linktype, f"LINKTYPE {linktype}")
