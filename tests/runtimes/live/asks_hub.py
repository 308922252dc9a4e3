"""Asks huggingface_hub what the hub says of a model."""

import httpx2
from huggingface_hub import HfApi

try:
    print(HfApi().model_info("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"))
except httpx2.HTTPError as error:
    print(type(error).__name__, str(error)[:150])
