"""Suffixes below which names belong to anybody: a pattern over one of them would name everybody.

Two kinds, as in the Public Suffix List: those of registries, where domains are sold, and those of
platforms, where customers get a name. Neither table is complete, nor need it be: they keep a
catalogue from slips, and decide nothing about a capture.

Source: the registries' own policies, as far as their second levels are in use; what each platform
says of the names that it gives to customers.
"""

import re

_SECOND_LEVELS = {
    "ae": "ac co gov mil net org sch",
    "ar": "com edu gob int mil net org",
    "at": "ac co gv or",
    "au": "asn com edu gov id net org",
    "bd": "ac com edu gov net org",
    "br": "com edu gov ind jus mil net org",
    "cn": "ac com edu gov mil net org",
    "co": "com edu gov mil net nom org",
    "cr": "ac co ed fi go or",
    "cy": "ac com gov ltd net org",
    "ec": "com edu fin gob net org",
    "eg": "com edu gov net org",
    "gh": "com edu gov org",
    "gr": "com edu gov net org",
    "gt": "com edu gob net org",
    "hk": "com edu gov idv net org",
    "hu": "co org",
    "id": "ac co go net or sch web",
    "il": "ac co gov k12 muni net org",
    "in": "ac co edu firm gen gov ind net nic org res",
    "ir": "ac co gov net org",
    "jp": "ac ad co ed go gr lg ne or",
    "ke": "ac co go ne or sc",
    "kr": "ac co go ne or pe re",
    "kw": "com edu gov net org",
    "lk": "ac com edu gov net org",
    "ma": "ac co gov net org",
    "mm": "com edu gov net org",
    "mo": "com edu gov net org",
    "mx": "com edu gob net org",
    "my": "com edu gov mil net org",
    "ng": "com edu gov net org sch",
    "np": "com edu gov net org",
    "nz": "ac co geek gen govt iwi net org school",
    "om": "co com edu gov net org",
    "pe": "com edu gob net nom org",
    "ph": "com edu gov net org",
    "pk": "com edu gov net org",
    "pl": "com edu gov net org",
    "pt": "com edu gov org",
    "py": "com edu gov net org",
    "qa": "com edu gov net org",
    "ru": "ac com edu gov msk net org spb",
    "sa": "com edu gov med net org sch",
    "sg": "com edu gov net org per",
    "sv": "com edu gob org",
    "th": "ac co go in mi net or",
    "tr": "av bel com edu gen gov k12 net org web",
    "tw": "club com ebiz edu game gov idv net org",
    "tz": "ac co go ne or sc",
    "ua": "com edu gov in kiev kyiv lviv net org",
    "ug": "ac co go ne or sc",
    "uk": "ac co gov ltd me net nhs org plc police sch",
    "uy": "com edu gub mil net org",
    "ve": "co com edu gob net org",
    "vn": "ac com edu gov info net org",
    "za": "ac co edu gov law net nom org web",
    "zm": "ac co com edu gov org",
    "zw": "ac co gov org",
}
"""What registries sell domains below, by top-level domain."""

_REGISTRIES = frozenset(
    f"{second}.{top}" for top, seconds in _SECOND_LEVELS.items() for second in seconds.split()
)

_ANY_SECOND_LEVEL = frozenset({"bd", "ck", "er", "fk", "jm", "kh", "mm", "np", "pg"})
"""Top-level domains that sell domains below every second level, whatever its name is."""
_CITIES = "kawasaki.jp kitakyushu.jp kobe.jp nagoya.jp sapporo.jp sendai.jp yokohama.jp"
"""Below a city of Japan, domains are sold in the fourth level."""

_CUSTOMERS = {
    "Akamai": "akamaiedge.net akamaihd.net akamaized.net edgekey.net edgesuite.net",
    "Alibaba": "aliyuncs.com oss.aliyuncs.com",
    "Amazon": "amazonaws.com amazonaws.com.cn s3.amazonaws.com s3.amazonaws.com.cn "
    "s3-accesspoint.amazonaws.com s3-website.amazonaws.com compute.amazonaws.com "
    "compute-1.amazonaws.com elb.amazonaws.com elb.amazonaws.com.cn execute-api.amazonaws.com "
    "lambda-url.on.aws amplifyapp.com awsapprunner.com cloudfront.net elasticbeanstalk.com",
    "Automattic": "wordpress.com",
    "Baidu": "bcebos.com",
    "BunnyWay": "b-cdn.net",
    "ByteDance": "tos.volces.com volccdn.com",
    "Cloudflare": "cdn.cloudflare.net cloudflarestorage.com pages.dev r2.cloudflarestorage.com "
    "r2.dev workers.dev",
    "Deno": "deno.dev",
    "DigitalOcean": "digitaloceanspaces.com ondigitalocean.app",
    "Fastly": "fastly.net fastlylb.net",
    "Fly.io": "fly.dev",
    "Gcore": "gcdn.co",
    "GitHub": "github.io githubusercontent.com",
    "GitLab": "gitlab.io",
    "Google": "appspot.com blogspot.com cloudfunctions.net firebaseapp.com firebaseio.com run.app "
    "storage.googleapis.com web.app",
    "Huawei": "myhuaweicloud.com obs.myhuaweicloud.com",
    "Hugging Face": "hf.space",
    "KeyCDN": "kxcdn.com",
    "Microsoft": "azure-api.net azureedge.net azurefd.net azurewebsites.net blob.core.windows.net "
    "cloudapp.azure.com cloudapp.net core.windows.net sharepoint.com trafficmanager.net "
    "web.core.windows.net windows.net",
    "Modal": "modal.run",
    "Netlify": "netlify.app",
    "Notion": "notion.site",
    "Railway": "railway.app up.railway.app",
    "Read the Docs": "readthedocs.io",
    "Render": "onrender.com",
    "Replit": "repl.co replit.app",
    "Salesforce": "herokuapp.com",
    "Supabase": "supabase.co",
    "Surge": "surge.sh",
    "Tencent": "cos.myqcloud.com myqcloud.com",
    "Vercel": "vercel.app",
}
"""Where a platform gives names to customers who have nothing to do with each other. Domains of
tunnels are none: whoever the customer is, what is behind them is a tunnel."""

_PLATFORMS = frozenset(name for names in _CUSTOMERS.values() for name in names.split())

_REGIONAL = frozenset(
    name
    for platform in ("Alibaba", "Amazon", "Baidu", "ByteDance", "Huawei", "Tencent")
    for name in _CUSTOMERS[platform].split()
)
"""Where a name like that of a region is one; `us-shop.github.io` is a customer's."""
_REGION = "(?:us-gov|af|ap|ca|cn|eu|il|me|mx|sa|us)-[a-z]+(?:-?[0-9]+)?"
_OF_A_REGION = re.compile(rf"(?<![^.])(?:{_REGION}|dualstack)\.|-{_REGION}(?=\.)")
"""What a cloud puts into a name for each of its regions: `s3.eu-west-1`, `oss-cn-hangzhou`."""


def is_registry_suffix(name: str) -> bool:
    """Whether domains are sold below `name`, lower case: any top-level domain, and `co.uk`."""
    first, _, rest = name.partition(".")
    wild = (rest in _ANY_SECOND_LEVEL and first != "www") or rest in _CITIES.split()
    return not rest or wild or name in _REGISTRIES or name in _CITIES.split()


def is_platform_suffix(name: str) -> bool:
    """Whether a platform gives names below `name`, lower case, to its customers, in a region of its
    or in all."""
    return name in _PLATFORMS or _OF_A_REGION.sub("", name) in _REGIONAL
