"""An answer to one customer as the beginning of one to another: without whom it was written to."""

import re
from collections.abc import Iterable, Sequence

_MOST = 50  # parts of names that are looked for
GAP = "…"  # stands where something was that belonged to the other inquiry

_BLANK = r"[^\S\n]"
_GREETED = re.compile(
    r"(?:sehr geehrte[rs]?|liebe[rs]?|werte[rs]?|hallo|moin|servus|gr(?:ü|ue)(?:ß|ss) gott"
    r"|guten (?:tag|morgen|abend)|dear|hello|hi|hey|good (?:morning|afternoon|evening|day))"
    rf"(?:{_BLANK}+[^\n,!:、，]{{1,50}})?{_BLANK}*(?:[,!:，]+|(?=\n|$)){_BLANK}*",
    re.IGNORECASE,
)
_HONOURED = re.compile(
    rf"[^\n、。,，]{{1,40}}(?:様|さま|さん|殿|御中){_BLANK}*(?:[、。,，]+|(?=\n|$)){_BLANK}*"
)
# Order, customer and telephone numbers; not what stands in an address of a page.
_NUMBER = re.compile(r"(?<![\w/=.-])[+(]?\d(?:[ ()/-]?\d){5,30}(?![\w/=])")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_TITLES = {
    "herr",
    "frau",
    "mrs",
    "miss",
    "mister",
    "gmbh",
    "the",
    "und",
    "and",
    "von",
    "van",
    "der",
}


def without_person(text: str, names: Iterable[str], author: str = "") -> str:
    """`text` without its greeting, the `names` of whom it was for, long numbers, and the name of
    its `author` on a last line. What is left has to be read by a person all the same."""
    kept = _without_greeting(text.strip("\n").replace("\r\n", "\n"))
    lines = kept.rstrip().split("\n")
    if author and lines[-1].strip().casefold() == author.casefold():
        kept = "\n".join(lines[:-1])
    kept = _NUMBER.sub(GAP, kept)
    if parts := _parts(names):
        kept = re.sub("|".join(map(_whole, parts)), GAP, kept, flags=re.IGNORECASE)
    return kept.strip()


def _without_greeting(text: str) -> str:
    text = text.lstrip()
    for greeting in (_HONOURED, _GREETED, _HONOURED):
        if found := greeting.match(text):
            text = text[found.end() :].lstrip()
    return text


def _parts(names: Iterable[str]) -> Sequence[str]:
    """Whole names and what they are made of, the longest first."""
    found = set()
    for name in names:
        for part in (name, *re.split(r"[\s,;.()]+", name)):
            short = len(part) < (2 if _CJK.search(part) else 3)
            if not short and part.casefold() not in _TITLES:
                found.add(part)
    return sorted(found, key=lambda part: (-len(part), part))[:_MOST]


def _whole(name: str) -> str:
    """As a word of its own, where words are set apart."""
    pattern = re.escape(name)
    return pattern if _CJK.search(name) else rf"(?<!\w){pattern}(?!\w)"
