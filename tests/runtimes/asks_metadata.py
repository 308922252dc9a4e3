"""Asks the metadata service of a cloud who it is, as clients of clouds do when they start."""

import urllib.error
import urllib.request
from contextlib import suppress

with suppress(urllib.error.URLError, OSError):
    urllib.request.urlopen("http://169.254.169.254/latest/meta-data/", timeout=2).close()
