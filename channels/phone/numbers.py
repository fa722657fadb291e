"""Phone numbers as exchanges, spreadsheets and people write them."""

import re
import unicodedata

from channels.contract import Party
from channels.payload import e164_or_nothing

LOCAL = "phone-local"  # means something only at this exchange: an extension, a short number
ANONYMOUS = "phone-anonymous"

LONGEST = 100

_WITHHELD = frozenset(
    {
        *("", "-", "--", "s", "none", "null", "n/a", "unavailable", "no caller id"),
        *("anonymous", "unknown", "private", "restricted", "withheld", "blocked"),
        *("anonym", "unbekannt", "unterdrückt", "privat", "keine rufnummer"),
        *("非通知", "通知不可能", "通知不可", "公衆電話", "表示圏外", "非通知設定", "不明"),
    }
)
# NFKC makes ASCII of the full-width hyphen, but not of these; the last is the sign for a long
# vowel, which a Japanese keyboard gives for the hyphen key.
_HYPHEN = re.compile("[\u2010-\u2015\u2212\u30fc]")
_EXTENSION = re.compile(
    r"(?<!\s)\s*(?:内線|durchwahl|dw\.?|extension|ext\.?)[\s:\-]*(?=\d)", re.IGNORECASE
)
_FORMULA = re.compile(r"=\s*\"([^\"]*)\"")
_POWER = re.compile(r"(\d)(?:[.,](\d+))?E\+?(\d{1,2})", re.IGNORECASE)
_DIGITS = re.compile(r"[+\d][\d\s().\-/]*", re.ASCII)
_SEPARATORS = re.compile(r"[^+\d]", re.ASCII)
_SCHEME = re.compile(r"(?:tel|sips?|callto):", re.IGNORECASE)


class Damaged(ValueError):
    """The digits are lost; the words say how."""


def party(text: str, name: str, region: str) -> Party | None:
    """Who is at that number, or None when it is withheld. Raises `Damaged`.

    Only a number that can exist becomes a "phone", which other channels compare.
    """
    number = clean(text)
    if is_withheld(number):
        return None
    if number.startswith("00") and not region:
        number = "+" + number[2:]
    dialled = e164_or_nothing(number, region)
    if dialled:
        return Party("phone", dialled, name)
    return Party(LOCAL, _SEPARATORS.sub("", number) if _DIGITS.fullmatch(number) else number, name)


def is_withheld(number: str) -> bool:
    return number.casefold() in _WITHHELD


def clean(text: str) -> str:
    number = (
        _HYPHEN.sub("-", unicodedata.normalize("NFKC", text[:LONGEST])).strip().lstrip("'").strip()
    )
    if formula := _FORMULA.fullmatch(number):
        number = formula[1].strip()
    if _SCHEME.match(number):
        number = _SCHEME.sub("", number, count=1).split("@")[0].split(";")[0]
    if power := _POWER.fullmatch(number):
        number = _written_out(power)
    return _EXTENSION.sub(" ext ", number.removesuffix(".0"))


def _written_out(power: re.Match[str]) -> str:
    digits, shift = power[2] or "", int(power[3])
    if len(digits) < shift:
        raise Damaged(f"the number {power[0]} lost its digits in a spreadsheet")
    return power[1] + digits[:shift]
