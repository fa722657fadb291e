"""Bytes to text as mail programs really wrote them, not as they declared it."""

import codecs
import re
from dataclasses import dataclass
from functools import cache
from itertools import islice

from channels.email import iso2022jp

_UTF8 = "utf-8 utf8 utf8mb4 utf8mb3 unicode11utf8 cp65001 utf8sig"
_LATIN = (
    "usascii ascii ansix341968 iso88591 latin1 l1 iso885915x cp1252 windows1252 cp819 ansi x1252"
)
_SJIS = "shiftjis shiftjisms sjis xsjis mskanji windows31j cswindows31j cp932 ms932 cp943 xmscp932"
_EUC = "eucjp xeucjp eucjpms eucjpwin cp51932 cseucpkdfmtjapanese ujis"
_JIS = (
    "iso2022jp csiso2022jp iso2022jp1 iso2022jp2 iso2022jp3 iso2022jpms iso2022jpext "
    "jis jis7 cp50220 cp50221 cp50222"
)
_CHINESE = "gb2312 gbk cp936 xgbk gb18030 euccn csgb2312"
_KOREAN = "ksc5601 ksc56011987 euckr cp949 windows949 ks5601 cseuckr"
_BIG5 = "big5 big5hkscs cp950 xbig5 cnbig5"
_TURKISH = "iso88599 latin5 windows1254"
_THAI = "iso885911 tis620 windows874"
_UTF16 = "utf16 utf16le unicode ucs2 iso10646ucs2"

# What the label says → what the sender meant, after the table every browser uses.
_MEANT = {
    **dict.fromkeys(_UTF8.split(), "utf-8"),
    **dict.fromkeys(_LATIN.split(), "cp1252"),
    **dict.fromkeys(_SJIS.split(), "cp932"),
    **dict.fromkeys(_EUC.split(), "euc-jp"),
    **dict.fromkeys(_JIS.split(), "iso-2022-jp"),
    **dict.fromkeys(_CHINESE.split(), "gb18030"),
    **dict.fromkeys(_KOREAN.split(), "cp949"),
    **dict.fromkeys(_BIG5.split(), "big5hkscs"),
    **dict.fromkeys(_TURKISH.split(), "cp1254"),
    **dict.fromkeys(_THAI.split(), "cp874"),
    **dict.fromkeys(_UTF16.split(), "utf-16-le"),
    "utf16be": "utf-16-be",
    "utf7": "utf-7",
    "unicode11utf7": "utf-7",
    "macintosh": "mac-roman",
    "hzgb2312": "hz",
    **dict.fromkeys(("iso2022kr", "csiso2022kr"), "iso2022_kr"),
    **dict.fromkeys(("iso88598i", "iso88598e"), "iso8859_8"),
}
_SAFE = re.compile(r"^(?:iso-?8859-?\d{1,2}|(?:windows-?|cp)\d{3,4}|koi8-?[rut]|mac-?[a-z]{5,10})$")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JIS_ESCAPE = re.compile(rb"\x1b\$[@B(]")
_BEYOND_TYPOGRAPHY = re.compile(rb"[\xa0-\xff]")
_LATIN_LETTERS = re.compile(rb"[A-Za-z]{2}")
_THREE_BYTES = re.compile(rb"[\xe1-\xef][\x80-\xbf]{2}")
_UTF7_RUN = re.compile(rb"(?<![A-Za-z0-9+/])\+[A-Za-z0-9+/]*-?")
_TWO_BYTES = re.compile(rb"[\xc2-\xdf][\x80-\xbf]")
_ALL_HIGH = re.compile(rb"[\x80-\xff]")
_ASCII = re.compile(rb"[\x00-\x7f]")
_HALF_WIDTH = re.compile(rb"[\xa1-\xdf]")
_HIGH_RUN = re.compile(rb"[\x80-\xff]{4}")
# Signs that no language puts before a letter; half of what Chinese looks like, read as Western.
_SIGN_IN_WORD = re.compile("[¤¥¦§¨¬¯±¶\xb8¹¼½¾][A-Za-zÀ-ÿ]")
_CYRILLIC = re.compile("[\u0400-\u04ff]")
# Japanese is hardly written without kana, and nothing else but UTF-8 holds these others.
_KANA_OR_OTHER = re.compile("[\u0080-\u2fff\u3040-\u30ff\uac00-\ud7ff\uff00-\U0010ffff]")
_ROWS = (b"\x00", b"\x30")
_RUN = re.compile(r"[^\x00-\x7f]+")
_BEYOND = re.compile(r"[^\x00-\x7f\ufffd]")
_HIGH = re.compile(rb"[\xc0-\xff]")
_HIGH_WORD = re.compile(rb"(?<![A-Za-z\x80-\xff])[\xc0-\xff]{2,40}(?![A-Za-z\x80-\xff])")
MIN_CYRILLIC = 4  # letters without which nothing is told
MIN_DOUBTED = 8  # bytes beyond ASCII
_SAMPLE = 4000  # characters looked at when two encodings are possible


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    suspect: bool = False  # some characters could not be told


def decode(body: bytes, label: str = "") -> Decoded:
    """Text of `body`: as declared if that works, else the first encoding that makes sense."""
    for bom, codec in _BOMS:
        if body.startswith(bom) and (text := _strict(body[len(bom) :], codec)) is not None:
            return Decoded(text)
    meant = codec_for(label)
    if meant == "utf-16-le" and _is_big_endian(body[:_SAMPLE]):
        meant = "utf-16-be"
    if body.isascii() and b"\x1b" not in body and meant not in _STATEFUL:
        return Decoded(body.decode("ascii"))
    if (text := _declared(body, meant)) is not None:
        return Decoded(text)
    if (text := _cesu(body)) is not None:
        return Decoded(text)
    if (text := _mended(body, meant)) is not None:
        return Decoded(text, suspect=True)
    if (text := _trial(body)) is not None:
        refused = meant in _ASIAN and len(text) == len(body)  # read as if it were Western
        return Decoded(text, refused or _is_doubtful(body, text))
    return Decoded(_lossy(body, meant), suspect=True)


_ONE_BYTE = {"cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "koi8-r", "koi8-u", "iso8859-2"}
_STATEFUL = {"utf-16-le", "utf-16-be", "utf-7", "hz"}
_PAIRED = {"cp932", "euc-jp", "gb18030", "cp949", "big5hkscs"}
_ASIAN = {*_PAIRED, "iso-2022-jp"}
# Where everyday characters stand in the tables of those who wrote them: its name, its last row.
_EVERYDAY_ROWS = {
    "gb18030": ("gb2312", 0xD7),
    "cp949": ("euc_kr", 0xC8),
    "big5hkscs": ("big5", 0xC6),
}


@cache
def codec_for(label: str) -> str:
    """The codec meant by a declared charset; "" for none or an unknown one."""
    label = label.strip().strip("\"'").lower()[:60]
    key = re.sub(r"[^a-z0-9]", "", label)
    if key in _MEANT:
        return _MEANT[key]
    if _SAFE.match(label):
        try:
            return codecs.lookup(label.replace("windows-", "cp")).name
        except LookupError:
            return ""
    return ""


def _declared(body: bytes, meant: str) -> str | None:
    if not meant:
        return None
    escapes = _JIS_ESCAPE.search(body) is not None
    if escapes and meant != "iso-2022-jp" and (text := _strict(body, "iso-2022-jp")) is not None:
        return text
    if meant == "iso-2022-jp" and not escapes and not body.isascii():
        # Eight-bit half-width kana are possible, but so is a label that is simply wrong.
        return _trial(body, western=False) or _strict(body, meant)
    if meant in _ONE_BYTE and (text := _strict(body, "utf-8")) is not None:
        # No real text in a one-byte charset is valid UTF-8 several times over.
        return text if len(body) - len(text) >= 4 else _strict(body, meant)
    if meant in _PAIRED and _is_surely_utf8(body):
        return body.decode("utf-8")
    if meant == "cp932" and (text := _euc_as_kana(body)) is not None:
        return text
    if meant == "cp1252" and not body.isascii():
        # "Latin" is what programs say that do not know: their text is often something else.
        return None
    return _strict(body, meant)


def _cesu(body: bytes) -> str | None:
    """UTF-8 of a program that writes the two halves of an emoji as a character each."""
    if b"\xed" not in body:
        return None
    try:
        halves = body.decode("utf-8", "surrogatepass")
        return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeError:
        return None


def _mended(body: bytes, meant: str) -> str | None:
    """The text with U+FFFD in a few broken places, where all the rest proves the encoding.

    A mail cut in the middle of a character, or with a line of another program quoted, is still
    what it says it is: the Western reading would never fail, and be wrong from end to end.
    """
    if _JIS_ESCAPE.search(body) and _strict(body, "iso-2022-jp") is None:
        text = iso2022jp.decode(body, broken=True)
        if _holds(text, 2) and _everyday_share(text, "iso-2022-jp") > 0.6:
            return text
    if _strict(body, "utf-8") is not None:
        return None
    if meant in _PAIRED:
        text = _lossy(body, meant)
        if _holds(text, 2) and _everyday_share(text, meant) > 0.6:
            return text
    text = body.decode("utf-8", "replace")
    # Several bytes that follow each other as in UTF-8 do not do so by chance.
    return text if _holds(text, 1 if meant == "utf-8" else 4) else None


def _holds(text: str, times: int) -> bool:
    """Whether what is whole beyond ASCII is that many times what is broken."""
    broken = text.count("\ufffd")
    whole = len(text) - len(text.encode("ascii", "ignore")) - broken
    return whole > 0 and whole >= times * broken


def _everyday_share(text: str, codec: str) -> float:
    beyond = [found.group() for found in islice(_BEYOND.finditer(text), _SAMPLE)]
    if codec not in _EVERYDAY_ROWS:
        return sum(map(_everyday, beyond)) / max(len(beyond), 1)
    table, last = _EVERYDAY_ROWS[codec]
    rows = [char.encode(table, "ignore")[:1] for char in beyond]
    return sum(b"\xa1" <= row <= bytes((last,)) for row in rows) / max(len(rows), 1)


def _utf7(body: bytes) -> str:
    # A plus sign that opens nothing, as in a telephone number, spoils only itself.
    try:
        return body.decode("utf-7")
    except UnicodeError:
        return _UTF7_RUN.sub(_utf7_run, body).decode("utf-8")


def _utf7_run(found: re.Match[bytes]) -> bytes:
    run = found.group()
    try:
        return run.decode("utf-7").encode("utf-8") if len(run) > 3 or run == b"+-" else run
    except UnicodeError:
        return run


def _euc_as_kana(body: bytes) -> str | None:
    """EUC that says it is Shift_JIS looks like a row of half-width kana, and makes sense."""
    kana = len(_HALF_WIDTH.findall(body[:_SAMPLE]))
    if kana < MIN_DOUBTED or 2 * kana < len(_ALL_HIGH.findall(body[:_SAMPLE])):
        return None
    text = _strict(body, "euc-jp")
    return text if text is not None and japanese_score(text) > 0.9 else None


def _is_big_endian(body: bytes) -> bool:
    """Zeros and the first byte of kana come first in one order, second in the other."""
    first, second = body[::2], body[1::2]
    return sum(map(first.count, _ROWS)) > sum(map(second.count, _ROWS))


def _is_surely_utf8(body: bytes) -> bool:
    """Some characters of several bytes and no fault: chance makes no such text."""
    start = body[:_SAMPLE]
    many = len(_THREE_BYTES.findall(start)) > 1 or len(_TWO_BYTES.findall(start)) > 5
    return many and _strict(body, "utf-8") is not None


def _is_doubtful(body: bytes, text: str) -> bool:
    """Whether a reading is only the least bad one, as of Chinese that does not say it is."""
    high = _ALL_HIGH.findall(body[:_SAMPLE])
    if len(high) < MIN_DOUBTED:
        return False
    if len(text) == len(body):
        if _CYRILLIC.search(text):
            return False
        odd = _HIGH_RUN.findall(body[:_SAMPLE]), _SIGN_IN_WORD.findall(text[:_SAMPLE])
        return 8 * max(map(len, odd)) > len(high)
    return len(high) > 3 * MIN_DOUBTED and _KANA_OR_OTHER.search(text) is None


def _strict(body: bytes, codec: str) -> str | None:
    try:
        if codec == "iso-2022-jp":
            return iso2022jp.decode(body)
        if codec == "euc-jp":
            return iso2022jp.decode_euc(body)
        if codec == "utf-7":
            return _utf7(body)
        return body.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        return None


def _trial(body: bytes, *, western: bool = True) -> str | None:
    # This order beat every detector on short texts: UTF-8 and JIS escapes prove themselves; the
    # rest is told by which reading consists of everyday characters.
    if (text := _strict(body, "utf-8")) is not None and b"\x1b$" not in body:
        return text
    if _JIS_ESCAPE.search(body) and (text := _strict(body, "iso-2022-jp")) is not None:
        return text
    best, score = None, 0.6
    for codec in ("cp932", "euc-jp"):
        if codec == "euc-jp" and not _begins_in_euc(body):
            continue
        text = _strict(body, codec)
        if text is None or (codec == "cp932" and _is_typography(body, text)):
            continue
        if (now := japanese_score(text)) > score:
            best, score = text, now
    if best is not None or not western:
        return best
    return _cyrillic(body) or _strict(body, "cp1252")


def _begins_in_euc(body: bytes) -> bool:
    """Asked first, because reading all of it takes its time."""
    end = _ASCII.search(body, _SAMPLE)
    text = _strict(body[: end.start()] if end else body, "euc-jp")
    return text is not None and japanese_score(text) > 0.6


def _cyrillic(body: bytes) -> str | None:
    """Words made of nothing but letters beyond ASCII, most of them small ones in one reading."""
    high = sum(map(len, _HIGH_WORD.findall(body[:_SAMPLE])))
    if high < MIN_CYRILLIC or high < 0.8 * len(_HIGH.findall(body[:_SAMPLE])):
        return None
    best, most = None, 0.6
    for codec in ("koi8-r", "cp1251"):
        text = body[:_SAMPLE].decode(codec, "replace")
        small = sum("\u0430" <= char <= "\u044f" for char in text)
        if small > most * high:
            best, most = codec, small / high
    return _strict(body, best) if best else None


def _is_typography(body: bytes, text: str) -> bool:
    """Whether Windows quotes and dashes between Latin letters only happen to be Japanese as well.

    In "don’t" the quote and the t are the two bytes of a kanji, but one that stands alone.
    """
    if _BEYOND_TYPOGRAPHY.search(body) or not _LATIN_LETTERS.search(body):
        return False
    runs = [len(run) for run in _RUN.findall(text[:_SAMPLE])]
    return sum(run for run in runs if run > 1) < 0.7 * sum(runs)


def japanese_score(text: str) -> float:
    """Which share of the characters beyond ASCII is everyday Japanese."""
    beyond = [char for char in text[:_SAMPLE] if char > "\x7f"]
    return sum(map(_everyday, beyond)) / len(beyond) if beyond else 0.0


def _everyday(char: str) -> bool:
    if "\u3000" <= char <= "\u30ff" or "\uff01" <= char <= "\uff5e":
        return True
    if "\u4e00" <= char <= "\u9fff":
        try:
            return 0xB0 <= char.encode("euc_jp")[0] <= 0xCF  # the 2,965 kanji of the first level
        except UnicodeEncodeError:
            return False
    return char in "①②③④⑤⑥⑦⑧⑨⑩㈱℡№―…‥“”‘’○●◎□■△▲▽▼☆★※→←↑↓×÷±°℃"


def _lossy(body: bytes, meant: str) -> str:
    if meant == "iso-2022-jp":
        return iso2022jp.decode(body, broken=True)
    if meant == "euc-jp":
        return iso2022jp.decode_euc(body, broken=True)
    if meant:
        return body.decode(meant, "replace")
    readings = [body.decode(candidate, "replace") for candidate in ("utf-8", "cp932", "cp1252")]
    return min(readings, key=lambda text: text.count("\ufffd"))
