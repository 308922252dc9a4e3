"""Single values in YAML, as readers take them and refuse them."""

from collections.abc import Callable

import pytest

from egress_audit.errors import EgressAuditError, ProfileInvalid
from egress_audit.yaml_tree import Item, table_of

Reader = Callable[[Item], object]
Refused = type[EgressAuditError]


def value(reader: Reader, text: str, refused: Refused = ProfileInvalid) -> object:
    """What a reader makes of a value. refused: what it raises if it takes it not."""
    return reader(table_of(f"key: {text}", "f", refused).entries["key"])


def refusal(reader: Reader, text: str, refused: Refused = ProfileInvalid) -> str:
    """Why a reader takes a value not."""
    with pytest.raises(refused) as caught:
        value(reader, text, refused)
    return str(caught.value)
