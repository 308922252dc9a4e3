"""Fetches the URL of its argument as urllib does: through the proxy that the environment names."""

import sys
import urllib.error
import urllib.request

try:
    with urllib.request.urlopen(sys.argv[1], timeout=3) as answer:
        print(answer.status)
except (urllib.error.URLError, OSError) as error:
    print(type(error).__name__, error)
