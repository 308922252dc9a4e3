"""Makes for every packaged profile a capture in which it holds and one in which it is violated.

Both are the same conversations, seeded by the profile's name; the second has one more, which is the
contradiction. Hosts are those of the profile itself and of the catalogue, addresses stand in the
embedded lists: nothing here was resolved, and no address is said to be that of its host.
"""

from dataclasses import dataclass
from random import Random

from egress_audit.judge.profile import load_profile
from egress_audit.model.claim import Claim

from .captures import Frame, client_hello, dns_answer, dns_query
from .scenes import (
    HERE,
    LOCAL_RESOLVER,
    OURS,
    SECOND_NS,
    START_NS,
    STRANGER,
    exchange,
    later,
    quiet,
    session,
    written,
)

GERMAN, VIRGINIAN, FRANKFURTER = "116.203.1.1", "44.192.0.1", "52.28.1.1"
"""Hetzner in Germany; Amazon in the United States and in Germany."""
TELECOM, ALIBABA, YANDEX = "1.202.0.1", "47.74.0.1", "77.88.8.1"
"""China Telecom in China, Alibaba in Japan, Yandex in Russia."""
MOST_HOSTS = 3
"""Allowed hosts of which a capture has a conversation."""

ASKED_AND_CONTACTED = ("EA001", "EA002")
"""A host that the claim neither allows nor denies."""
DENIED = (*ASKED_AND_CONTACTED, "EA009")
"""One that it denies beside not allowing it."""


@dataclass(frozen=True, slots=True)
class Offence:
    """A host that is contacted against the claim, and the rules that say so."""

    host: str
    rules: tuple[str, ...] = ASKED_AND_CONTACTED
    address: str = VIRGINIAN


@dataclass(frozen=True, slots=True)
class Evidence:
    """Two captures about one profile."""

    holds: bytes
    violated: bytes
    offence: Offence


OFFENCES = {
    # Runtimes call home, or load what should have been there.
    "deepseek-r1-local": Offence("ollama.com"),
    "deepseek-v3-local": Offence("stats.vllm.ai"),
    "gpt4all": Offence("api.mixpanel.com"),
    "gradio": Offence("api.gradio.app"),
    "janus-pro-local": Offence("huggingface.co"),
    "litellm": Offence("raw.githubusercontent.com"),
    "llama-cpp": Offence("huggingface.co"),
    "llamafile": Offence("huggingface.co"),
    "lm-studio": Offence("huggingface.co"),
    "localai": Offence("index.localai.io"),
    "ollama-desktop": Offence("github.com"),
    "ollama-server": Offence("ollama.com"),
    "onnxruntime": Offence("mobile.events.data.microsoft.com"),
    "open-webui": Offence("api.openai.com"),
    "qwen-local": Offence("modelscope.cn"),
    "ray": Offence("usage-stats.ray.io"),
    "sglang": Offence("huggingface.co"),
    "streamlit": Offence("checkip.amazonaws.com"),
    "transformers": Offence("huggingface.co"),
    "vllm": Offence("stats.vllm.ai"),
    # Hosted models come with third parties.
    "anthropic-hosted": Offence("o33249.ingest.sentry.io"),
    "aws-hosted": Offence("somebody.s3.amazonaws.com", DENIED),
    "azure-hosted": Offence("mobile.events.data.microsoft.com", DENIED),
    "baidu-hosted": Offence("hm.baidu.com", DENIED),
    "bytedance-hosted": Offence("apmplus.volces.com", DENIED),
    "deepseek-hosted": Offence("apmplus.ap-southeast-1.volces.com", DENIED, ALIBABA),
    "google-hosted": Offence("www.google-analytics.com", DENIED),
    "huggingface-hub": Offence("safetensors-convert.hf.space", DENIED),
    "minimax-hosted": Offence("apmplus.volces.com"),
    "mistral-hosted": Offence("o33249.ingest.sentry.io"),
    "moonshot-hosted": Offence("apmplus.ap-southeast-1.volces.com", DENIED),
    "openai-api": Offence("oaistatsig.com", DENIED),
    "openai-chatgpt-search": Offence("browser-intake-datadoghq.com", DENIED),
    "qwen2-5-max-hosted": Offence("hm.baidu.com", address=ALIBABA),
    "tencent-hosted": Offence("apmplus.volces.com"),
    "xai-hosted": Offence("chatgpt.com"),
    "zhipu-hosted": Offence("apmplus.volces.com"),
    # Policies, each by what it is about.
    "eu-located": Offence("www.example.org", ("EA015",)),
    "eu-only": Offence("www.example.org", ("EA015",), FRANKFURTER),
    "lan-only": Offence("www.example.org"),
    "loopback-only": Offence("", ("EA010",), STRANGER),
    "no-china": Offence("www.example.org", ("EA007",), ALIBABA),
    "no-deepseek": Offence("chat.deepseek.com", ("EA009",)),
    "no-state-telecom": Offence("www.example.org", ("EA008",), TELECOM),
    "no-telemetry": Offence("stats.vllm.ai", ("EA013",)),
    "offline": Offence("huggingface.co"),
    "trusted-clouds": Offence("www.example.org", ("EA015",), GERMAN),
    "updates-allowed": Offence("stats.vllm.ai"),
    "us-only": Offence("www.example.org", ("EA015",), GERMAN),
    # Measures are about DeepSeek, and two of them about where data goes.
    "australia-pspf-001-2025": Offence("chat.deepseek.com", ("EA009",)),
    "czech-nukib-2025": Offence("api.deepseek.com", ("EA009",)),
    "germany-blnbdi-2025": Offence("chat.deepseek.com", ("EA009",)),
    "italy-garante-2025": Offence("chat.deepseek.com", ("EA009",)),
    "netherlands-2025": Offence("chat.deepseek.com", ("EA009",)),
    "south-australia-sacsf-4": Offence("chat.deepseek.com", ("EA009",)),
    "south-korea-pipc-2025": Offence("apmplus.ap-southeast-1.volces.com", ("EA009",)),
    "taiwan-2025": Offence("chat.deepseek.com", ("EA009",)),
    "texas-2025": Offence("chat.deepseek.com", ("EA009",)),
    "us-doj-data-security": Offence("www.example.org", ("EA006", "EA007"), YANDEX),
    "us-ndaa-fy2026-6604": Offence("api.deepseek.com", ("EA009",)),
}
"""What contradicts each profile."""

ALLOWED = {
    "aws-hosted": (("bedrock-runtime.eu-central-1.amazonaws.com", FRANKFURTER),),
    "eu-located": (("cloud.example.org", FRANKFURTER), ("www.example.org", GERMAN)),
    "no-telemetry": (("registry.ollama.ai", GERMAN),),
    "trusted-clouds": (("cloud.example.org", FRANKFURTER), ("www.example.org", VIRGINIAN)),
    "updates-allowed": (("gpt4all.io", GERMAN),),
    "us-only": (("www.example.org", VIRGINIAN),),
}
"""What may be contacted under a profile that allows other things than hosts; of those that are not
here, a German cloud if they allow anything beyond the local network."""


def evidence_about(name: str) -> Evidence:
    """The two captures about the packaged profile of that name; the same bytes every time."""
    offence, dice = OFFENCES[name], Random(name)
    frames = _kept(name, dice)
    return Evidence(
        holds=written(later(frames)),
        violated=written(later([*frames, *_offending(offence, dice)])),
        offence=offence,
    )


def evidence_of(offence: Offence, name: str) -> bytes:
    """A capture about that profile with another contact than the one that OFFENCES has."""
    dice = Random(name)
    return written(later([*_kept(name, dice), *_offending(offence, dice)]))


def _kept(name: str, dice: Random) -> list[Frame]:
    """What the profile of that name allows."""
    allowed = _allowed(load_profile(name), dice)
    return [*quiet(), *(frame for host, there in allowed for frame in _talk(host, there, dice))]


def _allowed(claim: Claim, dice: Random) -> tuple[tuple[str, str], ...]:
    """Hosts that the claim lets be contacted, each with an address."""
    if claim.allow.hosts:
        patterns = dice.sample(claim.allow.hosts, min(MOST_HOSTS, len(claim.allow.hosts)))
        hosts = [pattern.replace("*", f"host{dice.randrange(100)}") for pattern in patterns]
        return tuple((host, dice.choice((GERMAN, VIRGINIAN))) for host in hosts)
    anything = claim.allow.any_name
    return ALLOWED.get(claim.name, (("www.example.org", GERMAN),) if anything else ())


def _talk(host: str, address: str, dice: Random) -> list[Frame]:
    """A question for the host to a resolver of this machine, and TLS to the address it gives."""
    port = dice.randrange(41_000, 60_000)
    told = dns_answer(host, [address])
    asked = exchange((HERE[0], port), LOCAL_RESOLVER, dns_query(host), told)
    return [*asked, *session((OURS, port), (address, 443), client_hello(host))]


def _offending(offence: Offence, dice: Random) -> list[Frame]:
    """The contact that contradicts; without a host, one that the far side begins."""
    if offence.host:
        return _talk(offence.host, offence.address, dice)
    far = (offence.address, dice.randrange(41_000, 60_000))
    return session(far, (OURS, 8080), b"\0hello", b"\0hello", at_ns=START_NS + SECOND_NS)
