"""The signed reference that people read: below a mail, and in its subject where that is wanted."""

import re
from collections.abc import Iterator

from channels.contract import Ref, RefKind

MAX_TAGS = 5  # of one mail; whoever shows more quotes other conversations

_TAG = re.compile(r"\[#([0-9A-Za-z]{1,40}-[0-9]{1,6}-[A-Za-z2-7]{26})\]")
_TAG_AND_GAP = re.compile(rf" ?{_TAG.pattern}")


def tag(token: str) -> str:
    return f"[#{token}]"


def tagged(subject: str, token: str) -> str:
    """With this tag, and with no other."""
    return f"{_TAG_AND_GAP.sub('', subject)} {tag(token)}".strip()


def below(text: str, token: str) -> str:
    return f"{text.rstrip()}\n\nRef: {tag(token)}\n"


def below_page(token: str) -> str:
    return f'<p style="color:#767676;font-size:11px">Ref: {tag(token)}</p>\n'


def refs_in(*texts: str) -> Iterator[Ref]:
    """What the tags in these texts refer to, each once, the foremost text first."""
    found = dict.fromkeys(token.lower() for text in texts for token in _TAG.findall(text))
    for token in list(found)[:MAX_TAGS]:
        yield Ref(RefKind.TAG_TOKEN, token)
