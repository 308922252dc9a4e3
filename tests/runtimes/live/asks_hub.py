"""Asks huggingface_hub what the hub says of a model."""

from huggingface_hub import HfApi

try:
    print(HfApi().model_info("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"))
except Exception as error:  # noqa: BLE001
    print(type(error).__name__, str(error)[:150])
