"""Texts that are nearly the same, such as one complaint sent by many.

The classifier can tell as well, but with numpy, which a process that only shows pages never loads.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from zlib import crc32

LONGEST = 600  # characters of a text that are looked at

_PIECE = 4  # characters
_KEPT = 96  # pieces of a text: the share that two have in common comes out within some hundredths
_ASKED, _SHARED = 16, 5  # who has this many of these few in common is looked at more closely
_SHORT = 60  # characters; of a short text, one word can be what it is all about
_ALIKE, _SHORT_ALIKE = 0.5, 0.7  # share of the pieces of both that both have
_DIGIT = re.compile(r"\d")
_BLANKS = re.compile(r"\s+")


def groups(texts: Sequence[str]) -> list[int]:
    """The place of the first text that each is nearly the same as: its own where there is none."""
    found: list[int] = []
    sketches = [_sketch(text[:LONGEST]) for text in texts]
    known = [frozenset(sketch) for sketch in sketches]
    having: dict[int, list[int]] = defaultdict(list)  # piece → places of first texts with it
    for place, sketch in enumerate(sketches):
        asked = sketch[:_ASKED]
        least = _SHORT_ALIKE if len(texts[place]) <= _SHORT else _ALIKE
        shared = Counter(chain.from_iterable(having[piece] for piece in asked)).most_common()
        first = place
        for other, number in shared:
            if number < min(_SHARED, len(asked)):
                break
            if _likeness(known[place], known[other], least) >= least:
                first = other
                break
        if first == place:
            for piece in asked:
                having[piece].append(place)
        found.append(first)
    return found


@lru_cache(maxsize=2_048)
def _sketch(text: str) -> tuple[int, ...]:
    """The least of the numbers of all its pieces: of any two texts a fair sample of both."""
    plain = _DIGIT.sub("0", unicodedata.normalize("NFKC", text).casefold())
    plain = _BLANKS.sub(" ", plain).strip()
    ends = range(max(1, len(plain) - _PIECE + 1)) if plain else ()
    numbers = {
        # The checksum alone grows with the characters; multiplied, it does not.
        crc32(plain[at : at + _PIECE].encode()) * 0x9E3779B1 & 0xFFFFFFFF
        for at in ends
    }
    return tuple(sorted(numbers)[:_KEPT])


def _likeness(one: frozenset[int], other: frozenset[int], least: float) -> float:
    """The share of pieces in common; 0 where it is clear at once that it is below `least`."""
    both = one & other
    if not both or len(both) < least * max(len(one), len(other)):
        return 0.0
    either = sorted(one | other)[:_KEPT]
    return sum(piece <= either[-1] for piece in both) / len(either)
