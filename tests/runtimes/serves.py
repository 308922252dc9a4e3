"""A model server: answers /generate on 127.0.0.1:8123 until it is ended, and praises its phases."""

import http.server
import json
import os
import time
from pathlib import Path


class Model(http.server.BaseHTTPRequestHandler):
    """Answers every request with the same words."""

    def do_GET(self) -> None:
        """Any path."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"the answer is forty-two\n")


with Path(os.environ["EGRESS_AUDIT_PHASES"]).open("a", encoding="utf-8") as phases:
    for word in ("load", "generate"):
        said = {"t": time.time(), "phase": word, "pid": os.getpid()}
        phases.write(json.dumps(said) + "\n")
http.server.HTTPServer(("127.0.0.1", 8123), Model).serve_forever()
