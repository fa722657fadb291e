"""Bytes of a log file into text, when nobody says what they are."""

import re

_MARKED = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))

# What real text in each encoding is full of, and what only the wrong reading shows.
_KANA_OR_PAIR = re.compile("[\u3041-\u30fe]|[\u4e00-\u9fff]{2}")
_NOT_JAPANESE = re.compile(
    "[\uff61-\uff9f\ue000-\uf8ff]|[A-Za-z][\u4e00-\u9fff]|[\u4e00-\u9fff][a-z]"
)
_WESTERN = re.compile("[A-Za-z][äöüßéèêëàâçñóôîïœ]|[ÄÖÜÉÀ][A-Za-z]|[äöüß][a-z]|€")
_NOT_WESTERN = re.compile(
    "[\u0080-\u009f\u00a1-\u00bf\u00d7\u00d0\u00de\u00f0\u00fe\u0192\u201a\u201e\u2020-\u2022]"
    "|[\u2026\u2030\u2039\u203a\u02c6\u02dc\u2122]"
)


class Undecodable(ValueError):
    """No encoding fits; the words say so."""


def decode(body: bytes, encoding: str = "") -> str:
    """A mark at the beginning wins, then `encoding`, then the most likely reading."""
    for mark, marked in _MARKED:
        if body.startswith(mark):
            return _strictly(body, marked)
    if encoding:
        return _strictly(body, encoding)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return _likelier(body)


def _likelier(body: bytes) -> str:
    """CP932 or cp1252. The first also reads many a German text, as nonsense in half-width kana."""
    readings = [
        (_score(text, good, bad), -order, text)
        for order, (encoding, good, bad) in enumerate(_CANDIDATES)
        if (text := _reading(body, encoding)) is not None
    ]
    if not readings:
        raise Undecodable("neither UTF-8 nor Japanese (CP932) nor Western (cp1252) text")
    return max(readings)[2]


_CANDIDATES = (("cp932", _KANA_OR_PAIR, _NOT_JAPANESE), ("cp1252", _WESTERN, _NOT_WESTERN))


def _reading(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return None


def _score(text: str, good: re.Pattern[str], bad: re.Pattern[str]) -> float:
    fine, wrong = len(good.findall(text)), len(bad.findall(text))
    return (fine - wrong) / max(fine + wrong, 1)


def _strictly(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise Undecodable(f"byte {error.start + 1} is not {encoding}") from error
