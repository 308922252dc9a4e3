"""Encodes two letters with tiktoken, which has to have its vocabulary from somewhere."""

import requests
import tiktoken

try:
    print(tiktoken.get_encoding("cl100k_base").encode("hi"))
except requests.RequestException as error:
    print(type(error).__name__, str(error)[:150])
