"""The client of serves.py: prints what it generates."""

import urllib.request

with urllib.request.urlopen("http://127.0.0.1:8123/generate", timeout=5) as answer:
    print(answer.read().decode())
