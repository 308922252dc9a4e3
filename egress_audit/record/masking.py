"""Secrets in arguments and URLs, hidden before they can enter evidence.

Rather too much is hidden than too little: what stands behind a word for a secret, what looks like
a token of a known service, and words that only a machine would make.
"""

import math
import re
import shlex
from collections import Counter
from collections.abc import Sequence

MASK = "***"

_WORD = (
    r"(?:token|secret|password|passwd|passphrase|pwd|pass|api[-_]?key|apikey|access[-_]?key"
    r"|secret[-_]?key|private[-_]?key|signing[-_]?key|auth|authorization|bearer|credentials?"
    r"|cookie|signature|sig|dsn)"
)
_SECRET_FLAG = re.compile(rf"^--?(?:.*[-_.])?(?:{_WORD}|key)$", re.IGNORECASE)
_SECRET_NAME = re.compile(rf"^(?:[\w.]*[-_.])?(?:{_WORD}|key)$", re.IGNORECASE)
_USER_FLAGS = frozenset(("-u", "-U", "--user", "--proxy-user"))
"""curl, wget and others: name:password."""
_SCHEMES = frozenset(("bearer", "basic", "token"))

_ASSIGNED = re.compile(
    rf"""((?<![A-Za-z0-9]){_WORD}(?:["']|\\")?\s*(?::|=(?!=))\s*)"""
    r"""((?:(?:bearer|basic|token)\s+)?)("[^"]*"|'[^']*'|[^\s"',;&})\]]+)""",
    re.IGNORECASE,
)
"""A name for a secret, a colon or equals sign, a value: headers, JSON, code, query strings."""
_HEADER = re.compile(
    rf"^((?:[\w-]*-)?(?:{_WORD}|key)\s*:\s*)(?:(bearer|basic|token)\s+)?\S.*$", re.IGNORECASE
)
_SCHEME = re.compile(r"\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE)
_USERINFO = re.compile(r"(?<=://)[^/\s?#@'\"]*(?:@[^/\s?#@'\"]*)*@")
_USERINFO_WITH_SLASH = re.compile(r"(?<=://)[^/\s?#@'\"]*:(?!\d*/)[^\s'\"@]*@")
_QUERY = re.compile(r"(?<=[?&])([^=&#\s'\"]+)=([^&#\s'\"]*)")
_TOKENS = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      sk-[A-Za-z0-9_-]{8,} | (?:sk|pk|rk)_(?:live|test)_\w{8,} | hf_[A-Za-z0-9]{8,}
    | gh[opsur]_[A-Za-z0-9]{8,} | github_pat_\w{8,} | glpat-[\w-]{8,} | xox[a-z]-[\w-]{8,}
    | (?:AKIA|ASIA)[A-Z0-9]{12,} | AIza[\w-]{20,} | nvapi-[\w-]{8,} | gsk_[A-Za-z0-9]{8,}
    | r8_[A-Za-z0-9]{8,} | pypi-[\w-]{16,} | npm_[A-Za-z0-9]{16,} | lsv2_\w{8,} | lin_api_\w{8,}
    | tvly-[\w-]{8,} | eyJ[\w-]{8,1000}+\.[\w-]+(?:\.[\w-]*)? | SG\.[\w-]{8,99}+\.[\w-]{8,}
    )""",
    re.VERBOSE,
)
"""Published forms of tokens: OpenAI, Stripe, Hugging Face, GitHub, GitLab, Slack, AWS, Google,
NVIDIA, Groq, Replicate, PyPI, npm, LangSmith, Linear, Tavily, JSON Web Tokens, SendGrid."""
_MACHINE_MADE = re.compile(r"[A-Za-z0-9]{24,}")
_MACHINE_MADE_BITS = 3.5
"""Bits a character (Shannon) from which a word of letters of both cases and digits is random."""


_LONGEST_WORD = 4096
_MOST_WORDS = 1000


def mask_arguments(argv: Sequence[str]) -> str:
    """The command as one would type it, quoted for a shell, secrets as `***`.

    Words past 4096 letters, and a command past 1000 words, end with `…`: a hostile program may give
    itself megabytes.
    """
    shown = []
    behind_flag = ""
    for word in argv[:_MOST_WORDS]:
        if behind_flag and not _is_long_flag(word):
            is_scheme = word.lower() in _SCHEMES
            shown.append(word if is_scheme else _value_behind(behind_flag, word))
            behind_flag = "secret" if is_scheme else ""
            continue
        behind_flag = ""
        if _SECRET_FLAG.match(word) or word.lower() == "bearer":
            behind_flag = "secret"
        elif word in _USER_FLAGS:
            behind_flag = "user"
        elif word.endswith(":") and _SECRET_NAME.match(word[:-1]):
            behind_flag = "secret"
        shown.append(mask_text(word))
    quoted = [word if word == MASK else shlex.quote(word) for word in shown]
    return " ".join(quoted if len(argv) <= _MOST_WORDS else [*quoted, "…"])


def mask_text(text: str) -> str:
    """One word, URL or piece of code with its secrets as `***`."""
    if len(text) > _LONGEST_WORD:
        text = text[:_LONGEST_WORD] + "…"
    name, equals, _ = text.partition("=")
    if equals and (_SECRET_FLAG.match(name) or _SECRET_NAME.match(name)):
        return f"{name}={MASK}"
    header = _HEADER.match(text)
    if header:
        return f"{header[1]}{header[2] + ' ' if header[2] else ''}{MASK}"
    text = mask_url(text)
    text = _ASSIGNED.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text)
    text = _SCHEME.sub(lambda found: f"{found[1]}{found[2]}{MASK}", text)
    text = _TOKENS.sub(MASK, text)
    return _MACHINE_MADE.sub(lambda found: MASK if _is_random(found[0]) else found[0], text)


def mask_url(text: str) -> str:
    """URLs in a text without user, password, and the values of parameters that are secrets."""
    text = _USERINFO_WITH_SLASH.sub(f"{MASK}@", _USERINFO.sub(f"{MASK}@", text))
    return _QUERY.sub(
        lambda found: f"{found[1]}={MASK}" if _SECRET_NAME.match(found[1]) else found[0], text
    )


def _value_behind(flag: str, word: str) -> str:
    if flag == "user":
        name, colon, _ = word.partition(":")
        return f"{name}:{MASK}" if colon else mask_text(word)
    return MASK


def _is_long_flag(word: str) -> bool:
    return word.startswith("--") and word[2:3].isalpha()


def _is_random(word: str) -> bool:
    """True for letters of both cases and digits, as mixed as a random word is."""
    kinds = (str.islower, str.isupper, str.isdigit)
    if not all(any(kind(letter) for letter in word) for kind in kinds):
        return False
    counts = Counter(word).values()
    bits = -sum(count / len(word) * math.log2(count / len(word)) for count in counts)
    return bits >= _MACHINE_MADE_BITS
