"""Asks huggingface_hub for a file that is in the cache, and says that the cache must do."""

from huggingface_hub import hf_hub_download

REPOSITORY = "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B"

print(hf_hub_download(REPOSITORY, "config.json", local_files_only=True).rpartition("/")[2])
