"""Keeps its telemetry on disk for the next run: this one sends nothing."""

from pathlib import Path

Path("queue.jsonl").write_text('{"event": "generated", "words": 12}\n', encoding="utf-8")
