"""Characters no database of ours can hold."""

import re

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # NUL, and halves of characters


def storable(text: str) -> str:
    return _UNSTORABLE.sub("", text)
