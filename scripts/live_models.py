"""Builds tiny models with random weights, all ours: three GGUF files, one ONNX, a hub cache.

Usage: live_models.py FOLDER, with the Python of build/live-venv; what is there already is left.
Sources: the GGUF specification (ggml/docs/gguf.md), tensor names of llama.cpp (gguf.constants);
the layout of huggingface_hub's cache (its guide "Understand caching").
"""

import json
import string
import sys
from pathlib import Path

import gguf
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, HIDDEN, HEADS, LAYERS, CONTEXT = 64, 128, 4, 2, 256
KV_HEADS = 2
RANK, ROPE, NO_ROPE, VALUE = 16, 8, 16, 16
"""Of DeepSeek's compressed attention: rank, and the widths of a head's parts."""
EXPERTS, EXPERT_HIDDEN = 4, 32
SPECIAL = (b"<unk>", b"<s>", b"</s>")
REPOSITORY, REVISION = "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "a" * 40
SPACE = "\u2581"
"""What stands for a space in SentencePiece vocabularies."""


class Weights:
    """Adds tensors of random numbers, the same each time."""

    def __init__(self, writer: gguf.GGUFWriter) -> None:
        self._writer = writer
        self._chance = np.random.default_rng(0)

    def random(self, name: str, *shape: int) -> None:
        """A matrix or vector of small numbers."""
        values = self._chance.standard_normal(shape) * 0.05
        self._writer.add_tensor(name, values.astype(np.float32))

    def ones(self, name: str, size: int) -> None:
        """A norm that changes nothing."""
        self._writer.add_tensor(f"{name}.weight", np.ones(size, np.float32))

    def zeros(self, name: str, size: int) -> None:
        """A bias that changes nothing."""
        self._writer.add_tensor(f"{name}.bias", np.zeros(size, np.float32))

    def matrix(self, name: str, *shape: int) -> None:
        """`random`, under the name that weights have."""
        self.random(f"{name}.weight", *shape)


def vocabulary() -> tuple[list[bytes], list[int]]:
    """Tokens and their types: three that are special, every byte, every letter with and without a
    space before it."""
    letters = string.ascii_letters + string.digits + ".,!?" + SPACE
    plain = [SPACE + letter for letter in string.ascii_lowercase] + list(letters)
    tokens = [*SPECIAL, *(f"<0x{byte:02X}>".encode() for byte in range(256))]
    kinds = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    kinds += [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL] * len(plain)
    return [*tokens, *(text.encode() for text in plain)], [int(kind) for kind in kinds]


def described(path: Path, architecture: str, kv_heads: int, rope: int) -> gguf.GGUFWriter:
    """A writer that has all but the tensors and what is the architecture's own."""
    writer = gguf.GGUFWriter(str(path), architecture)
    tokens, kinds = vocabulary()
    writer.add_name(f"tiny-{architecture}")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(rope)
    writer.add_rope_freq_base(10_000.0)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(len(tokens))])
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_add_bos_token(True)
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{% endfor %}")
    return writer


def frame_of(weights: Weights) -> None:
    """What every architecture has before and behind its layers."""
    words = len(vocabulary()[0])
    weights.matrix("token_embd", words, WIDTH)
    weights.ones("output_norm", WIDTH)
    weights.matrix("output", words, WIDTH)


def dense_feed_forward(weights: Weights, layer: str) -> None:
    """Gate, up and down."""
    weights.matrix(f"{layer}.ffn_gate", HIDDEN, WIDTH)
    weights.matrix(f"{layer}.ffn_up", HIDDEN, WIDTH)
    weights.matrix(f"{layer}.ffn_down", WIDTH, HIDDEN)


def build_llama(path: Path, architecture: str) -> None:
    """A Llama, or a Qwen2, which differs by its biases."""
    writer = described(path, architecture, KV_HEADS, WIDTH // HEADS)
    weights = Weights(writer)
    frame_of(weights)
    narrow = WIDTH * KV_HEADS // HEADS
    for number in range(LAYERS):
        layer = f"blk.{number}"
        weights.ones(f"{layer}.attn_norm", WIDTH)
        weights.ones(f"{layer}.ffn_norm", WIDTH)
        for part, size in (("q", WIDTH), ("k", narrow), ("v", narrow)):
            weights.matrix(f"{layer}.attn_{part}", size, WIDTH)
            if architecture == "qwen2":
                weights.zeros(f"{layer}.attn_{part}", size)
        weights.matrix(f"{layer}.attn_output", WIDTH, WIDTH)
        dense_feed_forward(weights, layer)
    finish(writer)


def build_deepseek(path: Path) -> None:
    """A DeepSeek V2 or V3: compressed attention, and experts from the second layer on."""
    writer = described(path, "deepseek2", HEADS, ROPE)
    writer.add_q_lora_rank(RANK)
    writer.add_kv_lora_rank(RANK)
    writer.add_key_length(NO_ROPE + ROPE)
    writer.add_value_length(VALUE)
    writer.add_leading_dense_block_count(1)
    writer.add_expert_feed_forward_length(EXPERT_HIDDEN)
    writer.add_expert_count(EXPERTS)
    writer.add_expert_used_count(2)
    writer.add_expert_shared_count(1)
    writer.add_expert_weights_scale(1.0)
    writer.add_expert_weights_norm(True)
    writer.add_expert_gating_func(gguf.ExpertGatingFuncType.SIGMOID)
    weights = Weights(writer)
    frame_of(weights)
    for number in range(LAYERS):
        layer = f"blk.{number}"
        weights.ones(f"{layer}.attn_norm", WIDTH)
        weights.ones(f"{layer}.ffn_norm", WIDTH)
        compressed_attention(weights, layer)
        if number:
            experts(weights, layer)
        else:
            dense_feed_forward(weights, layer)
    finish(writer)


def compressed_attention(weights: Weights, layer: str) -> None:
    """Queries, keys and values through a narrow middle."""
    weights.matrix(f"{layer}.attn_q_a", RANK, WIDTH)
    weights.ones(f"{layer}.attn_q_a_norm", RANK)
    weights.matrix(f"{layer}.attn_q_b", HEADS * (NO_ROPE + ROPE), RANK)
    weights.matrix(f"{layer}.attn_kv_a_mqa", RANK + ROPE, WIDTH)
    weights.ones(f"{layer}.attn_kv_a_norm", RANK)
    weights.matrix(f"{layer}.attn_kv_b", HEADS * (NO_ROPE + VALUE), RANK)
    weights.matrix(f"{layer}.attn_output", WIDTH, HEADS * VALUE)


def experts(weights: Weights, layer: str) -> None:
    """A router, the experts, and the one that is always asked."""
    weights.matrix(f"{layer}.ffn_gate_inp", EXPERTS, WIDTH)
    weights.random(f"{layer}.exp_probs_b.bias", EXPERTS)
    weights.matrix(f"{layer}.ffn_gate_exps", EXPERTS, EXPERT_HIDDEN, WIDTH)
    weights.matrix(f"{layer}.ffn_up_exps", EXPERTS, EXPERT_HIDDEN, WIDTH)
    weights.matrix(f"{layer}.ffn_down_exps", EXPERTS, WIDTH, EXPERT_HIDDEN)
    weights.matrix(f"{layer}.ffn_gate_shexp", EXPERT_HIDDEN, WIDTH)
    weights.matrix(f"{layer}.ffn_up_shexp", EXPERT_HIDDEN, WIDTH)
    weights.matrix(f"{layer}.ffn_down_shexp", WIDTH, EXPERT_HIDDEN)


def finish(writer: gguf.GGUFWriter) -> None:
    """Writes the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def build_onnx(path: Path) -> None:
    """Vectors of words, those that are masked set to zero."""
    table = np.random.default_rng(0).standard_normal((512, WIDTH)) * 0.1
    constants = [
        numpy_helper.from_array(table.astype(np.float32), "table"),
        numpy_helper.from_array(np.array([-1], np.int64), "last"),
    ]
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["found"]),
        helper.make_node("Cast", ["attention_mask"], ["flat"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["flat", "last"], ["mask"]),
        helper.make_node("Mul", ["found", "mask"], ["vectors"]),
    ]
    words = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "words"])
        for name in ("input_ids", "attention_mask")
    ]
    shape = ["batch", "words", WIDTH]
    vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, shape)
    graph = helper.make_graph(nodes, "tiny", words, [vectors], constants)
    opset = helper.make_opsetid("", 17)
    onnx.save(helper.make_model(graph, opset_imports=[opset], ir_version=8), str(path))


def build_hub(home: Path) -> None:
    """HF_HOME with one file of one model in its cache."""
    repository = home / "hub" / f"models--{REPOSITORY.replace('/', '--')}"
    snapshot = repository / "snapshots" / REVISION
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(REVISION, encoding="ascii")
    config = {"architectures": ["Qwen2ForCausalLM"], "hidden_size": WIDTH}
    (snapshot / "config.json").write_text(json.dumps(config), encoding="ascii")


def main(folder: Path) -> None:
    """Builds what is missing."""
    models = folder / "models"
    models.mkdir(parents=True, exist_ok=True)
    for architecture in ("llama", "qwen2"):
        if not (path := models / f"tiny-{architecture}.gguf").exists():
            build_llama(path, architecture)
    if not (path := models / "tiny-deepseek2.gguf").exists():
        build_deepseek(path)
    if not (path := models / "tiny.onnx").exists():
        build_onnx(path)
    if not (home := folder / "hub").exists():
        build_hub(home)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
