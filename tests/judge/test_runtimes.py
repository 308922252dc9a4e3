"""Whether one of the runtimes that a claim names ran: its program, its library, or a model."""

from typing import Any

import pytest

from egress_audit.judge.case import Case
from egress_audit.judge.profile import profile_names, read_profile
from egress_audit.judge.runtimes import SIGNS, is_seen, letters, signs_of
from egress_audit.model.claim import AppliesTo
from egress_audit.model.run import ModelFile, Role
from egress_audit.model.versions import ProductVersion
from tests.builders.cases import case, claim
from tests.builders.runs import process, run
from tests.builders.runs import ran as loaded

PYTHON = "/usr/bin/python3 app.py"


def naming(*runtimes: str, models: tuple[str, ...] = ()) -> Any:
    return claim(applies_to=AppliesTo(models, runtimes))


def ran(runtime: str, *programs: str, **changes: Any) -> Case:
    """The case of a run of these command lines, under a claim about a runtime."""
    processes = tuple(
        process(number, exe=line.split()[0], cmdline=line)
        for number, line in enumerate(programs, 2)
    )
    return case(claim=naming(runtime), run=run(processes=processes, **changes))


# Programs


@pytest.mark.parametrize(
    ("runtime", "line"),
    [
        ("Ollama server", "/usr/local/bin/ollama serve"),
        ("Ollama", "/opt/ollama-linux-amd64 serve"),
        ("vLLM", "/usr/bin/python3 -m vllm.entrypoints.openai.api_server"),
        ("vLLM", "/usr/bin/python3.11 /opt/venv/bin/vllm serve /models/a"),
        ("SGLang", "/usr/bin/python3 -m sglang.launch_server"),
        ("llama.cpp", "/opt/llama-server -m a.gguf"),
        ("llama.cpp", "/opt/llama.cpp/build/bin/main -m a.gguf"),
        ("llama.cpp", "/usr/bin/python3 -m llama_cpp.server"),
        ("LM Studio", "/tmp/.mount_abc/lm-studio --no-sandbox"),
        ("Open WebUI", "/usr/bin/python3 /opt/venv/bin/open-webui serve"),
        ("LocalAI", "/usr/bin/local-ai run"),
        ("GPT4All", "/opt/gpt4all/bin/chat"),
        ("gradio", "/usr/bin/python3 /opt/venv/bin/gradio app.py"),
        ("streamlit", "/usr/bin/python3 -m streamlit run app.py"),
        ("litellm", "/usr/bin/python3 /usr/bin/litellm --model a"),
        ("Ray", "/usr/bin/python3 /usr/bin/ray start --head"),
        ("Ray", "/usr/lib/python3/dist-packages/ray/core/src/ray/raylet/raylet --port 1"),
        ("Acme chat", "/opt/acme-chat/bin/start"),
    ],
)
def test_a_runtime_is_seen_by_the_name_of_what_ran(runtime: str, line: str) -> None:
    assert is_seen(ran(runtime, line))


@pytest.mark.parametrize(
    ("runtime", "line"),
    [
        ("Ollama server", "/usr/bin/sleep 60 ollama"),
        ("Ray", "/usr/bin/python3 array.py"),
        ("Ray", "/home/ray/bin/serve"),
        ("LM Studio", "/opt/films"),
        ("llama.cpp", "/usr/bin/ollama serve"),
        ("gradio", "/usr/bin/python3 -c import time # gradio"),
        ("gradio", "/usr/bin/python3 app.py --with gradio"),
        ("gradio", "/opt/conda/envs/gradio/bin/python3 app.py"),
        ("gradio", "/usr/bin/python3 no_gradio.py"),
        ("vLLM", "/usr/bin/python3 -m vllm_stub"),
    ],
)
def test_it_is_not_seen_wherever_its_name_stands(runtime: str, line: str) -> None:
    assert not is_seen(ran(runtime, line))


def test_one_of_several_runtimes_is_enough() -> None:
    there = run(processes=(process(exe="/usr/bin/ollama"),))
    assert is_seen(case(claim=naming("vLLM", "Ollama"), run=there))


def test_a_child_of_the_program_can_be_the_runtime() -> None:
    assert is_seen(ran("Ollama server", "/bin/sh start.sh", "/usr/bin/ollama serve"))


def test_a_program_whose_executable_is_not_known_is_what_it_was_called_as() -> None:
    nameless = run(processes=(process(exe="", cmdline="ollama serve"),))
    assert is_seen(case(claim=naming("Ollama server"), run=nameless))


def test_a_program_of_ours_is_not() -> None:
    ours = process(3, Role.EXERCISER, exe="/usr/bin/ollama", cmdline="ollama run a")
    there = run(processes=(process(exe="/usr/bin/sleep"), ours))
    assert not is_seen(case(claim=naming("Ollama server"), run=there))


def test_the_fork_of_the_recorder_that_became_the_program_is_not() -> None:
    words = "/opt/ollama-audit run --profile ollama-server -- sleep 60"
    forked = [
        process(1, Role.RECORDER, cmdline=words),
        process(exe="/opt/ollama-audit", cmdline=words),
    ]
    there = run(processes=(*forked, process(3, exe="/usr/bin/sleep", cmdline="sleep 60")))
    assert not is_seen(case(claim=naming("Ollama server"), run=there))


def test_a_capture_shows_none() -> None:
    assert not is_seen(case(claim=naming("Ollama server")))


# Models


def opened(path: str, *runtimes: str, models: tuple[str, ...] = ()) -> bool:
    there = run(model_files=(ModelFile(path, 7, "ab" * 32),))
    return is_seen(case(claim=naming(*runtimes, models=models), run=there))


@pytest.mark.parametrize(
    ("runtime", "path"),
    [
        ("llama.cpp", "/models/a.gguf"),
        ("llama.cpp", "/models/blobs/sha256-abc"),
        ("Ollama server", "/models/blobs/sha256-abc"),
        ("onnxruntime", "/models/a.onnx"),
        ("transformers", "/models/a.safetensors"),
        ("vLLM", "/models/a.safetensors"),
        ("SGLang", "/models/pytorch_model.bin"),
    ],
)
def test_a_model_stands_for_an_engine_that_any_program_can_have_in_it(
    runtime: str, path: str
) -> None:
    assert opened(path, runtime)


@pytest.mark.parametrize("runtime", ["gradio", "streamlit", "litellm", "Ray", "Open WebUI"])
@pytest.mark.parametrize("path", ["/models/a.gguf", "/models/a.safetensors"])
def test_a_model_says_nothing_of_who_runs_none(runtime: str, path: str) -> None:
    assert not opened(path, runtime)


@pytest.mark.parametrize("runtime", ["LM Studio", "GPT4All", "LocalAI", "Ollama server"])
def test_nor_of_a_program_of_its_own_since_others_open_the_same(runtime: str) -> None:
    assert not opened("/models/a.gguf", runtime)


@pytest.mark.parametrize(
    ("runtime", "path"),
    [("onnxruntime", "/models/a.gguf"), ("llama.cpp", "/models/a.onnx")],
)
def test_a_model_of_another_kind_stands_for_no_engine(runtime: str, path: str) -> None:
    assert not opened(path, runtime)


def test_of_a_runtime_that_nobody_knows_a_model_says_nothing() -> None:
    assert not opened("/models/a.gguf", "Acme chat")


def test_a_claim_about_a_model_is_about_whatever_runs_it() -> None:
    assert opened("/models/a.onnx", "Ollama", models=("DeepSeek-R1",))
    assert not opened("/models/a.onnx", "Ollama")


# Libraries


def with_library(runtime: str, *versions: ProductVersion, program: str = PYTHON) -> bool:
    ids = {row for known in versions for row in known.processes}
    line: dict[str, Any] = {"exe": program.split()[0], "cmdline": program}
    processes = tuple(process(number, **line) for number in sorted(ids | {2}))
    return is_seen(case(claim=naming(runtime), run=run(processes=processes), versions=versions))


@pytest.mark.parametrize(
    ("runtime", "known"),
    [
        ("gradio", loaded("gradio", "6.31", "opened")),
        ("streamlit", loaded("streamlit", "1")),
        ("litellm", loaded("litellm", "1")),
        ("Ray", loaded("ray", "2")),
        ("SGLang", loaded("sglang", "0.5")),
        ("vLLM", loaded("vllm", "0.33")),
        ("Open WebUI", loaded("open-webui", "0.12", modules=("open_webui",))),
        ("transformers", loaded("transformers", "5")),
        ("onnxruntime", loaded("onnxruntime", "1.31")),
        ("onnxruntime", loaded("onnxruntime-gpu", "1.31", modules=("onnxruntime",))),
        ("huggingface_hub", loaded("huggingface-hub")),
        ("llama.cpp", loaded("llama_cpp_python", "0.3", modules=("llama_cpp",))),
        ("llama.cpp", loaded("xllamacpp", "1")),
    ],
)
def test_an_interpreter_that_loaded_the_runtime_has_run_it(
    runtime: str, known: ProductVersion
) -> None:
    assert with_library(runtime, known)


@pytest.mark.parametrize(
    "known",
    [loaded("gradio_client", "1"), loaded("gradio", "6.31", "stated")],
    ids=["another library", "the user's word"],
)
def test_one_in_which_it_was_not_seen_is_not_known_to(known: ProductVersion) -> None:
    assert not with_library("gradio", known)


@pytest.mark.parametrize("runtime", ["Ollama", "Ollama server", "LM Studio"])
def test_a_client_of_a_program_is_not_the_program(runtime: str) -> None:
    assert not with_library(runtime, loaded("ollama", "0.6"), loaded("lmstudio", "1.5"))


def test_what_another_program_has_in_memory_is_not_what_it_is() -> None:
    assert not with_library("gradio", loaded("gradio", "6.31"), program="/opt/serve")


# The table


def test_signs_are_compared_without_case_and_signs() -> None:
    words = (w for one in SIGNS.values() for w in (*one.programs, *one.libraries))
    assert all(word == letters(word) for word in (*SIGNS, *words))


def test_every_runtime_of_a_packaged_profile_can_be_seen() -> None:
    runtimes = {
        runtime
        for name in profile_names()
        for runtime in read_profile(name).claim.applies_to.runtimes
    }
    signs = map(signs_of, runtimes)
    assert runtimes and all(one.programs or one.libraries for one in signs)
