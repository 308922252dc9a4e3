"""Loads a GGUF model with xllamacpp, generates in the process and over its own HTTP server."""

import sys
import urllib.request

import xllamacpp

JSON = {"Content-Type": "application/json"}


def served(path: str) -> xllamacpp.Server:
    """A server in this process, on a port of the loopback."""
    settings = xllamacpp.CommonParams()
    settings.model.path = path
    settings.n_ctx = 128
    settings.cpuparams.n_threads = 2
    settings.n_parallel = 1
    settings.warmup = False
    return xllamacpp.Server(settings)


def main(path: str) -> None:
    """Asks twice for a few words."""
    server = served(path)
    hello = [{"role": "user", "content": "Hello world"}]
    print(str(server.handle_chat_completions({"max_tokens": 8, "messages": hello}))[:200])
    asked = urllib.request.Request(
        f"{server.listening_address}/v1/completions", b'{"prompt": "hi", "max_tokens": 4}', JSON
    )
    with urllib.request.urlopen(asked, timeout=20) as answer:
        print(answer.read()[:100])


main(sys.argv[1])
