"""A text without those who wrote it: names, addresses and numbers give way to placeholders."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from classifier import features

NAME = " xxname "
_SHORTEST = 2  # letters of a name that is looked for by itself
_TITLES = frozenset({
    "von", "van", "der", "den", "dem", "de", "del", "di", "da", "du", "la", "le", "el", "al", "zu",
    "zur", "zum", "und", "and", "of", "the", "mr", "mrs", "ms", "miss", "herr", "frau", "dr",
    "prof", "gmbh", "ag", "kg", "ug", "inc", "ltd", "llc", "co",
})  # fmt: skip
# What follows a Japanese name, even one that is too short to be looked for by itself …
_ADDRESSED = ("様", "さま", "さん", "氏", "殿", "先生", "宛", "と申", "と言い", "といい")
# … and what follows other words just as often.
_CLOSING = ("です", "でございます", "より")
# Names of persons that are stored without a blank, so that nobody knows where the family name ends.
_PERSON = re.compile(r"[\u3005\u4e00-\u9fff]{3,5}|[\u3005\u4e00-\u9fff]{2,3}[\u3041-\u30fe]{1,4}")
_NO_PERSON = (
    "部", "課", "係", "局", "室", "店", "社", "会", "所", "院", "窓口", "担当", "センター", "一同",
)  # fmt: skip
_FULL = 2  # characters of most family names; of a longer name, as many may stand by themselves
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30f6\u30fc]+")
_HIRAGANA_TO = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_TO_HIRAGANA = {kata: hira for hira, kata in _HIRAGANA_TO.items()}
_FULL_KANA = 3  # from so many on a reading is no part of another word

_GENITIVE = 3  # letters from which on a name may have an s: "Müllers"
# The legal form of a firm, which is mostly left out: "株式会社" or "GmbH & Co. KG".
_LEGAL = re.compile(
    r"株式会社|有限会社|合同会社|合資会社|合名会社|\((?:株|有|同)\)"
    r"|(?<![^\W_])(?i:gmbh|mbh|ag|kgaa|kg|ohg|gbr|ug|se|eg|e\.k\.|e\.v\.|limited|ltd|llc|llp|plc"
    r"|incorporated|inc|corporation|corp|company|co|s\.a\.|b\.v\.)(?![^\W_])"
)
_AROUND = " \t\u3000.,&+-/()"  # what is left beside it


@dataclass(frozen=True, slots=True)
class Names:
    """Of who wrote the text: each word of it is looked for, in small letters as well."""

    own: frozenset[str]
    firms: frozenset[str] = frozenset()  # as a whole, and without their legal form
    others: frozenset[str] = frozenset()  # of whom it may address: only with a capital letter


def masked(text: str, names: Names, instead: str = NAME) -> str:
    """What a model sees of it in the same places, but readable: the same features come of it,
    save for the names.

    Digits become 1: a row of zeros would be taken for a phone number when it is read again.
    """
    cut = text[: features.LIMIT]
    seen = "".join(features.plain(cut[begin:end]) for begin, end in features.clusters(cut))
    seen = features.PRIVATE.sub(lambda match: f" xx{match.lastgroup} ", seen[: features.LIMIT])
    firms = ["".join(map(features.plain, firm)) for firm in names.firms]
    for firm in sorted(firms, key=len, reverse=True):
        seen = seen.replace(firm, instead)
    for firm in sorted(filter(None, map(_without_form, firms)), key=len, reverse=True):
        seen = _without_whole(seen, firm, instead)
    seen = _without_words(seen, names, instead)
    for name in sorted(_unspaced(names), key=len, reverse=True):
        seen = _without(seen, name, instead)
    return features.digits("1", seen).strip()


def _without_form(firm: str) -> str:
    """What it is called by; "" if nothing that is long enough to be looked for is left."""
    called = _LEGAL.sub("", firm).strip(_AROUND)
    least = _FULL if called and features.tokens(called)[:1] and _is_cjk(called[0]) else _GENITIVE
    return called if called != firm and len(called) >= least else ""


def _without_whole(text: str, phrase: str, instead: str) -> str:
    """Only where it is no part of a longer word."""
    pieces: list[str] = []
    done = 0
    place = text.find(phrase)
    while place >= 0:
        end = place + len(phrase)
        if not (_joined(text[place - 1 : place], phrase[0]) or _joined(phrase[-1], text[end:][:1])):
            pieces += (text[done:place], instead)
            done = end
        place = text.find(phrase, end)
    return "".join([*pieces, text[done:]])


def _joined(one: str, other: str) -> bool:
    """Whether two characters side by side belong to one word."""
    kinds = {_kind(one), _kind(other)}
    return len(kinds) == 1 and "" not in kinds


def _kind(char: str) -> str:
    if not _is_cjk(char):
        return "letter" if char.isalnum() else ""
    if not _KANA.match(char):
        return "kanji"
    return "hiragana" if char < "\u30a0" else "katakana"


def _is_cjk(char: str) -> bool:
    return char != "" and any(token.cjk for token in features.tokens(char))


def _without_words(text: str, names: Names, instead: str) -> str:
    """Names in scripts with blanks, word by word."""
    own, others = set(_words(names.own)), set(_words(names.others))
    pieces: list[str] = []
    done = 0
    for token in features.tokens(text):
        length = 0 if token.cjk else _name_in(token.text, own, others)
        if length:
            pieces += (text[done : token.start], instead)
            done = token.start + length
    return "".join([*pieces, text[done:]])


def _name_in(word: str, own: set[str], others: set[str]) -> int:
    """How much of a word is a name: O'Brien is one, Yumi's has one in it, and Müllers is one."""
    for part in (word, word.partition("'")[0]):
        if _is_name(part, own, others):
            return len(part)
    if len(word) > _GENITIVE and word[-1] in "sS" and word[:1].isupper():
        return len(word) if _is_name(word[:-1], own, others) else 0
    return 0


def _is_name(word: str, own: set[str], others: set[str]) -> bool:
    folded = word.casefold()
    return folded in own or (folded in others and word[:1].isupper())


def _words(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        for token in features.tokens(name):
            folded = token.text.casefold()
            if not token.cjk and len(folded) >= _SHORTEST and folded not in _TITLES:
                yield folded


def _unspaced(names: Names) -> set[str]:
    """The runs of kana and kanji in names: whole names, or family and given name apart. A reading
    is looked for in both kinds of kana."""
    found = {
        token.text
        for name in names.own | names.others
        for token in features.tokens("".join(map(features.plain, name)))
        if token.cjk
    }
    readings = {name for name in found if _KANA.fullmatch(name)}
    return found.union(
        *((name.translate(_HIRAGANA_TO), name.translate(_TO_HIRAGANA)) for name in readings)
    )


def _without(text: str, name: str, instead: str) -> str:
    if _KANA.fullmatch(name) and len(name) < _FULL_KANA:
        text = _without_whole(text, name, instead)
    elif len(name) >= _SHORTEST:
        text = text.replace(name, instead)
    person = _PERSON.fullmatch(name) and not name.endswith(_NO_PERSON)
    # The family name alone: nobody can tell where it ends, so a title has to follow.
    for length in range(len(name), 0, -1):
        part = name[:length]
        if part not in text:
            continue
        closing = _CLOSING if person or length == len(name) else ()
        for after in (*_ADDRESSED, *closing):
            text = text.replace(f"{part}{after}", f"{instead}{after}")
        # Or nothing that could belong to it: "ABC商事 田中".
        if person and _FULL <= length < len(name):
            text = _without_run(text, part, instead)
    return text


def _without_run(text: str, run: str, instead: str) -> str:
    """Where it is all there is between characters of other kinds."""
    pieces: list[str] = []
    done = 0
    for token in features.tokens(text):
        if token.cjk and token.text == run:
            pieces += (text[done : token.start], instead)
            done = token.end
    return "".join([*pieces, text[done:]])
