"""Where products keep models, and the files with which they remember that they called home.

Source: huggingface_hub 2.4.0 was run (two runs within 24 h: the first asks, the second is silent);
the other rows are from the products' documentation and sources, and were not run by us.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from egress_audit.record import mounts

DAY_S = 86_400

BASES = {
    ".cache": "XDG_CACHE_HOME",
    ".config": "XDG_CONFIG_HOME",
    ".local/share": "XDG_DATA_HOME",
    ".local/state": "XDG_STATE_HOME",
}
"""Folder of HOME → variable that moves it (XDG Base Directory Specification 0.8)."""

CACHES = (
    # variable that names it, its place in HOME ("" if it has none there); what is in it
    ("HF_HOME", ".cache/huggingface"),  # huggingface_hub constants.py: hub, datasets, tokens
    ("HF_HUB_CACHE", ""),  # huggingface_hub constants.py
    ("HUGGINGFACE_HUB_CACHE", ""),  # the same, older name
    ("TRANSFORMERS_CACHE", ""),  # transformers before 5
    ("HF_DATASETS_CACHE", ""),  # datasets config.py
    ("SENTENCE_TRANSFORMERS_HOME", ".cache/torch/sentence_transformers"),  # before 2.3
    ("TORCH_HOME", ".cache/torch"),  # torch.hub
    ("OLLAMA_MODELS", ".ollama/models"),  # ollama envconfig
    ("LLAMA_CACHE", ".cache/llama.cpp"),  # llama.cpp common.cpp fs_get_cache_directory
    ("MODELSCOPE_CACHE", ".cache/modelscope"),  # modelscope constants
    ("TIKTOKEN_CACHE_DIR", ""),  # tiktoken load.py; its default lies in the temporary folder
    ("DATA_GYM_CACHE_DIR", ""),  # the same, older name
    ("NLTK_DATA", "nltk_data"),  # nltk data.py
    ("FASTEMBED_CACHE_PATH", ""),  # fastembed
    ("VLLM_CACHE_ROOT", ".cache/vllm"),  # vllm envs.py
    ("XINFERENCE_HOME", ".xinference"),  # xinference constants.py
    ("", ".cache/whisper"),  # openai-whisper load_model
    ("", ".cache/chroma"),  # chromadb onnx_mini_lm_l6_v2.py
    ("", ".cache/gpt4all"),  # gpt4all bindings
    ("", ".local/share/nomic.ai/GPT4All"),  # GPT4All desktop
    ("", ".lmstudio/models"),  # LM Studio
    ("", ".cache/lm-studio/models"),  # LM Studio before 0.3.6
    ("", ".keras/models"),  # keras
    ("", ".EasyOCR/model"),  # easyocr
    ("", ".paddleocr"),  # paddleocr
)

STAMPS = (
    # product, variable of its folder, folder in HOME, names in it, silent for so many seconds
    ("huggingface_hub", "HF_HOME", ".cache/huggingface", ".agent_harnesses.json", DAY_S),
    ("huggingface_hub", "HF_HOME", ".cache/huggingface", ".check_for_*_done", DAY_S),
    ("pip", "PIP_CACHE_DIR", ".cache/pip", "selfcheck/*", 7 * DAY_S),
    ("npm", "npm_config_cache", ".npm", "_update-notifier-last-checked", 7 * DAY_S),
    ("update-notifier (Node.js)", "", ".config/configstore", "update-notifier-*.json", DAY_S),
    ("pnpm", "", ".local/state/pnpm", "pnpm-state.json", DAY_S),
    ("gh", "GH_STATE_DIR", ".local/state/gh", "state.yml", DAY_S),
    ("deno", "DENO_DIR", ".cache/deno", "latest.txt", DAY_S),
    ("aider", "", ".aider/caches", "versioncheck", DAY_S),
    ("aider", "", ".aider/caches", "model_prices_and_context_window.json", DAY_S),
)


@dataclass(frozen=True, slots=True)
class FoundStamp:
    """A stamp that is there."""

    path: str
    """With symbolic links in its folder resolved, so that it names the file that is meant."""
    product: str
    silences: bool
    """True if it is younger than its period."""


def cache_folders(home: str, environ: Mapping[str, str]) -> list[str]:
    """The caches that exist, symbolic links resolved; those in variables before those in HOME."""
    named = [environ.get(variable, "") for variable, _ in CACHES if variable]
    named += [environ.get(variable, "") for variable in BASES.values()]
    usual = [place(home, folder, environ) for _, folder in CACHES if folder]
    # NLTK_DATA is a list of folders.
    split = [part for text in named for part in text.split(os.pathsep)]
    found = [os.path.realpath(path) for path in (*split, *usual) if Path(path).is_absolute()]
    return [path for path in dict.fromkeys(found) if mounts.is_folder(path)]


def place(home: str, folder: str, environ: Mapping[str, str]) -> str:
    """Where a folder of HOME lies, as the XDG variables move it."""
    for base, variable in BASES.items():
        moved = environ.get(variable, "")
        if Path(moved).is_absolute() and (folder == base or folder.startswith(base + "/")):
            return str(Path(moved, folder[len(base) + 1 :]))
    return str(Path(home, folder))


def stamps(home: str, environ: Mapping[str, str], now_s: float) -> list[FoundStamp]:
    """Stamps of all known products, young and old, each once."""
    found: dict[str, FoundStamp] = {}
    for product, variable, folder, pattern, period_s in STAMPS:
        moved = environ.get(variable, "") if variable else ""
        where = moved if Path(moved).is_absolute() else place(home, folder, environ)
        for path, changed_s in _files(os.path.realpath(where), pattern):
            found[path] = FoundStamp(path, product, now_s - changed_s < period_s)
    return list(found.values())


def _files(folder: str, pattern: str) -> Iterator[tuple[str, float]]:
    """Paths and times of the files that match; not what we may not look at."""
    try:
        candidates = sorted(Path(folder).glob(pattern))
    except OSError:
        return  # a folder that we may not look into
    for path in candidates:
        try:
            facts = path.lstat()
        except OSError:
            continue  # gone meanwhile
        if not stat.S_ISDIR(facts.st_mode):
            yield str(path), facts.st_mtime
