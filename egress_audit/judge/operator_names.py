"""The operator groups that a profile may name, with their roles and jurisdictions in the tables.

A name that no table ever answers with would never match, and its claim could never hold: `Amazon`
for `Amazon AWS` must be an error. So must one that is allowed and denied by all that it is.

Source: `lists/operators.csv` and `lists/anycast.csv`; a test holds this to them.
"""

from egress_audit.values import dataclass


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tables have an operator down for."""

    roles: frozenset[str]
    """Of one address or another."""
    jurisdiction: str
    """ISO 3166-1 alpha-2, the same everywhere; '' where the tables leave it open."""


_STANDINGS = {
    "114DNS": ("anycast-dns", "CN"),
    "21Vianet": ("cloud", "CN"),
    "AS112": ("anycast-dns", ""),
    "AWS China (NWCD)": ("cloud", "CN"),
    "AWS China (Sinnet)": ("cloud", "CN"),
    "AdGuard": ("anycast-dns dns", "CY"),
    "Akamai": ("cdn-front", "US"),
    "Akamai Linode": ("cloud", "US"),
    "Alibaba": ("anycast-dns cloud", "CN"),
    "Amazon (China entity)": ("cloud", "CN"),
    "Amazon AWS": ("cloud", "US"),
    "Amazon CloudFront": ("cdn-front", "US"),
    "Anthropic": ("ai-vendor", "US"),
    "Apple": ("cloud", "US"),
    "Aruba": ("cloud", "IT"),
    "Baidu": ("cloud", "CN"),
    "Bunny": ("cdn-front", "SI"),
    "ByteDance": ("cloud", "CN"),
    "CERNET": ("state-network", "CN"),
    "CNNIC": ("state-network", "CN"),
    "CSTNET": ("state-network", "CN"),
    "Capitalonline": ("cloud", "CN"),
    "China Broadcasting Network": ("state-telecom", "CN"),
    "China Mobile": ("state-telecom", "CN"),
    "China Telecom": ("state-telecom", "CN"),
    "China Telecom (Tianyi/CTyun cloud)": ("cloud", "CN"),
    "China Unicom": ("state-telecom", "CN"),
    "Chunghwa Telecom": ("telecom", "TW"),
    "Cisco OpenDNS": ("anycast-dns dns", "US"),
    "CleanBrowsing": ("anycast-dns", ""),
    "Cloud.ru (Sber)": ("cloud", "RU"),
    "Cloudflare": ("anycast-dns cdn-front", "US"),
    "Cogent": ("anycast-dns telecom", "US"),
    "Contabo": ("cloud", "DE"),
    "CoreWeave": ("ai-host", "US"),
    "Crusoe": ("ai-host", "US"),
    "DNS.SB": ("anycast-dns", ""),
    "Datacamp/CDN77": ("cdn-front", "GB"),
    "DigitalOcean": ("cloud", "US"),
    "Edgio/Limelight": ("cdn-front", "US"),
    "Equinix Metal": ("cloud", "US"),
    "Exoscale": ("cloud", "CH"),
    "Fastly": ("cdn-front", "US"),
    "Fly.io": ("cdn-front", "US"),
    "Gcore": ("cdn-front", "LU"),
    "GitHub": ("dev-platform", "US"),
    "Google": ("anycast-dns cloud", "US"),
    "Google Fiber": ("isp", "US"),
    "Groq": ("ai-vendor", "US"),
    "HGC": ("telecom", "HK"),
    "Hetzner": ("cloud", "DE"),
    "Huawei": ("cloud", "CN"),
    "Hurricane Electric": ("telecom", "US"),
    "IBM Cloud": ("cloud", "US"),
    "ICANN": ("anycast-dns", "US"),
    "IONOS": ("cloud", "DE"),
    "ISC": ("anycast-dns", "US"),
    "Imperva": ("cdn-front", "US"),
    "Infomaniak": ("cloud", "CH"),
    "JD": ("cloud", "CN"),
    "KT": ("telecom", "KR"),
    "Kakao": ("internet-company", "KR"),
    "Kingsoft Cloud": ("cloud", "CN"),
    "Kuaishou": ("internet-company", "CN"),
    "Lambda": ("ai-host", "US"),
    "Leaseweb": ("cloud", "NL"),
    "Lumen/Level3": ("telecom", "US"),
    "Meta": ("cloud", "US"),
    "Microsoft (China entity)": ("cloud", "CN"),
    "Microsoft Azure": ("cdn-front cloud", "US"),
    "Mistral AI": ("ai-vendor", "FR"),
    "Mullvad": ("anycast-dns", ""),
    "NASA": ("anycast-dns", "US"),
    "NAVER": ("cloud", "KR"),
    "NHN": ("cloud", "KR"),
    "NTT": ("telecom", "JP"),
    "NVIDIA": ("ai-vendor", "US"),
    "Nebius": ("ai-host", "NL"),
    "NetEase": ("cloud", "CN"),
    "Netnod": ("anycast-dns", "SE"),
    "NextDNS": ("anycast-dns", ""),
    "OVHcloud": ("cloud", "FR"),
    "Oracle Cloud": ("cloud", "US"),
    "PCCW": ("telecom", "HK"),
    "Qiniu": ("cloud", "CN"),
    "Quad9": ("anycast-dns dns", "CH"),
    "RIPE NCC": ("anycast-dns registry", "NL"),
    "Reliance Jio": ("telecom", "IN"),
    "Rostelecom": ("state-telecom", "RU"),
    "SK Telecom": ("telecom", "KR"),
    "Sakura": ("cloud", "JP"),
    "SambaNova": ("ai-vendor", "US"),
    "Scaleway": ("cloud", "FR"),
    "Selectel": ("cloud", "RU"),
    "Singtel": ("telecom", "SG"),
    "T-Systems": ("cloud", "DE"),
    "TWNIC": ("anycast-dns", "TW"),
    "Tata Communications": ("telecom", "IN"),
    "Tencent": ("anycast-dns cloud", "CN"),
    "TikTok US (USDS)": ("cloud", "US"),
    "Timeweb": ("cloud", "RU"),
    "UCloud": ("cloud", "CN"),
    "US Army Research Lab": ("anycast-dns", "US"),
    "US Department of Defense": ("anycast-dns", "US"),
    "USC-ISI": ("anycast-dns", "US"),
    "University of Maryland": ("anycast-dns", "US"),
    "UpCloud": ("cloud", "FI"),
    "VK / Mail.ru": ("cloud", "RU"),
    "Verisign": ("anycast-dns", "US"),
    "Vultr": ("cloud", "US"),
    "WIDE": ("anycast-dns", "JP"),
    "Wangsu/CDNetworks": ("cdn-front", "CN"),
    "Wikimedia": ("nonprofit", "US"),
    "X/xAI": ("ai-vendor", "US"),
    "Xiaomi": ("internet-company", "CN"),
    "Yandex": ("cloud", "RU"),
    "Yotta": ("cloud", "IN"),
    "Zenlayer": ("cdn-front", "US"),
    "Zscaler": ("proxy", "US"),
    "iQIYI": ("internet-company", "CN"),
}

OPERATORS = {
    name: Standing(frozenset(roles.split()), jurisdiction)
    for name, (roles, jurisdiction) in _STANDINGS.items()
}
"""By name of the group."""
