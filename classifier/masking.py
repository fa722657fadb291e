"""A text without those who wrote it: names, addresses and numbers give way to placeholders."""

from collections.abc import Iterable
from dataclasses import dataclass

from classifier import features

_NAME = " xxname "
_SHORTEST = 2  # letters of a name that is looked for by itself
_TITLES = frozenset({
    "von", "van", "der", "den", "dem", "de", "del", "di", "da", "du", "la", "le", "el", "al", "zu",
    "zur", "zum", "und", "and", "of", "the", "mr", "mrs", "ms", "miss", "herr", "frau", "dr",
    "prof", "gmbh", "ag", "kg", "ug", "inc", "ltd", "llc", "co",
})  # fmt: skip
# What follows a Japanese name, even one that is too short to be looked for by itself.
_AFTER_NAMES = (
    "様",
    "さま",
    "さん",
    "氏",
    "殿",
    "先生",
    "と申",
    "です",
    "でございます",
    "と言い",
    "といい",
)


@dataclass(frozen=True, slots=True)
class Names:
    """Of who wrote the text: each word of it is looked for, in small letters as well."""

    own: frozenset[str]
    firms: frozenset[str] = frozenset()  # only as a whole
    others: frozenset[str] = frozenset()  # of whom it may address: only with a capital letter


def masked(text: str, names: Names) -> str:
    """What a model sees of it in the same places, but readable: the same features come of it,
    save for the names.

    Digits become 1: a row of zeros would be taken for a phone number when it is read again.
    """
    cut = text[: features.LIMIT]
    seen = "".join(features.plain(cut[begin:end]) for begin, end in features.clusters(cut))
    seen = features.PRIVATE.sub(lambda match: f" xx{match.lastgroup} ", seen[: features.LIMIT])
    for firm in sorted(names.firms, key=len, reverse=True):
        seen = seen.replace("".join(map(features.plain, firm)), _NAME)
    seen = _without_words(seen, names)
    for name in sorted(_unspaced(names), key=len, reverse=True):
        seen = _without(seen, name)
    return features.digits("1", seen).strip()


def _without_words(text: str, names: Names) -> str:
    """Names in scripts with blanks, word by word."""
    own, others = set(_words(names.own)), set(_words(names.others))
    pieces: list[str] = []
    done = 0
    for token in features.tokens(text):
        word = next((part for part in _forms(token.text) if _is_name(part, own, others)), "")
        if token.cjk or not word:
            continue
        pieces += (text[done : token.start], _NAME)
        done = token.start + len(word)
    return "".join([*pieces, text[done:]])


def _forms(word: str) -> tuple[str, str]:
    """O'Brien is a name, and Yumi's has one in it."""
    return word, word.partition("'")[0]


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
    """The runs of kana and kanji in names: whole names, or family and given name apart."""
    return {
        token.text
        for name in names.own | names.others
        for token in features.tokens(name)
        if token.cjk
    }


def _without(text: str, name: str) -> str:
    if len(name) >= _SHORTEST:
        text = text.replace(name, _NAME)
    # The family name alone: nobody can tell where it ends, so a title has to follow.
    for length in range(len(name), 0, -1):
        for after in _AFTER_NAMES:
            text = text.replace(f"{name[:length]}{after}", f"{_NAME}{after}")
    return text
