"""How well readers who know only the text and the guide agree with the samples' labels.

`python -m classifier.agreement draw FILE` writes the texts to read, without their labels, and
`draw-flags FILE` those to be read for flags; `python -m classifier.agreement` compares what the
readers said (`seed/readers/*.jsonl`) with the labels and with each other, and lists every
difference.
"""

import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from classifier import corpus
from classifier.corpus import LANGUAGES, Sample, key_of
from classifier.taxonomy import FLAGS, STAGE_KEYS, TOPIC_KEYS

TEXTS = 200
FLAG_TEXTS = 20  # of each language, half of which have a flag
_DRAW = 2026
READERS = ("first", "second")
HEADS = ("stage", "topic")
OUT_OF_SCOPE = "oos"


class BadReading(Exception):
    """What a reader said cannot be used; the message names file, line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Two who labelled the same texts: how often they agree, and how much above chance."""

    who: str
    head: str
    language: str
    texts: int
    same: float
    kappa: float


def drawn() -> tuple[Sample, ...]:
    """The same texts for everybody, as many of each language as can be. They stay the same until
    the samples change, and then `seed/readers` says which were read."""
    dice = random.Random(_DRAW)  # noqa: S311 - a draw that anybody can repeat
    found: list[Sample] = []
    for number, language in enumerate(LANGUAGES):
        share = TEXTS // len(LANGUAGES) + (number < TEXTS % len(LANGUAGES))
        found += dice.sample(corpus.load([language]), share)
    dice.shuffle(found)
    return tuple(found)


def drawn_for_flags() -> tuple[Sample, ...]:
    """Of each language as many with a flag as without: by lot alone hardly one in seven has any."""
    dice = random.Random(_DRAW)  # noqa: S311 - a draw that anybody can repeat
    found: list[Sample] = []
    for language in LANGUAGES:
        samples = corpus.load([language])
        for flagged in (True, False):
            some = [sample for sample in samples if bool(sample.flags) is flagged]
            found += dice.sample(some, FLAG_TEXTS // 2)
    dice.shuffle(found)
    return tuple(found)


def kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Cohen's κ (Educational and Psychological Measurement 20, 1960): 1 is full agreement, 0 is
    what chance would give. Not a number without any pair, or where chance alone agrees fully."""
    if not pairs:
        return float("nan")
    total = len(pairs)
    ones, others = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    same = sum(one == other for one, other in pairs) / total
    chance = sum(count * others[label] for label, count in ones.items()) / total**2
    return (same - chance) / (1 - chance) if chance < 1 else float("nan")


def read(name: str) -> dict[str, Mapping[str, str]]:
    """What one reader said, by the text's key. Raises `BadReading`."""
    source = resources.files("classifier") / "seed" / "readers" / f"{name}.jsonl"
    said: dict[str, Mapping[str, str]] = {}
    for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), start=1):
        where = f"seed/readers/{name}.jsonl, line {number}"
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadReading(f"{where}: not JSON ({error})") from error
        if set(row) != {"key", *HEADS}:
            raise BadReading(f"{where}: needs exactly the keys key, stage, topic")
        for head, known in (("stage", STAGE_KEYS), ("topic", TOPIC_KEYS)):
            if row[head] not in (*known, OUT_OF_SCOPE):
                raise BadReading(f"{where}: {head} {row[head]!r} is none of {', '.join(known)}")
        said[row["key"]] = row
    return said


def _labelled() -> Iterator[tuple[Sample, Mapping[str, Mapping[str, str]]]]:
    """Each text that both readers have read, with what all three say."""
    said = {name: read(name) for name in READERS}
    for sample in corpus.load():
        key = key_of(sample.text)
        if all(key in rows for rows in said.values()):
            own = {"stage": sample.stage, "topic": sample.topic}
            yield sample, {"sample": own, **{name: rows[key] for name, rows in said.items()}}


def figures() -> list[Figure]:
    labelled = list(_labelled())
    found: list[Figure] = []
    for one, other in (("sample", "first"), ("sample", "second"), READERS):
        for head in HEADS:
            said = [
                (sample.language, labels[one][head], labels[other][head])
                for sample, labels in labelled
            ]
            found += _compared(f"{one} / {other}", head, said)
    return found


def _flagged() -> Iterator[tuple[Sample, frozenset[str]]]:
    """Each text that was read for flags, with those the reader saw."""
    source = resources.files("classifier") / "seed" / "readers" / "flags.jsonl"
    text = source.read_text(encoding="utf-8")
    said = corpus.parse_flags(text, name="seed/readers/flags.jsonl", none=True)
    for sample in corpus.load():
        key = key_of(sample.text)
        if key in said:
            yield sample, said[key]


def flag_figures() -> list[Figure]:
    flagged = list(_flagged())
    found: list[Figure] = []
    for flag in FLAGS:
        said = [
            (sample.language, _yes(flag in sample.flags), _yes(flag in flags))
            for sample, flags in flagged
        ]
        found += _compared("sample / reader", flag, said)
    return found


def _yes(flagged: bool) -> str:
    return "yes" if flagged else "no"


def _compared(who: str, head: str, said: Sequence[tuple[str, str, str]]) -> Iterator[Figure]:
    """Of all and of each language, from what that is and what both said."""
    for language in ("", *LANGUAGES):
        pairs = [(one, other) for spoken, one, other in said if language in {"", spoken}]
        same = sum(a == b for a, b in pairs) / len(pairs) if pairs else float("nan")
        yield Figure(who, head, language, len(pairs), same, kappa(pairs))


def _report() -> Iterator[str]:
    yield f"{'who':16} {'head':9} {'language':9} {'texts':>5} {'same':>6} {'kappa':>6}"
    for one in [*figures(), *flag_figures()]:
        left = f"{one.who:16} {one.head:9} {one.language or 'all':9}"
        yield f"{left} {one.texts:5} {one.same:6.1%} {one.kappa:6.2f}"
    yield ""
    yield "Every difference: sample / first reader / second reader"
    for sample, labels in _labelled():
        for head in HEADS:
            said = [labels[who][head] for who in ("sample", *READERS)]
            if len(set(said)) > 1:
                yield _difference(sample, head, said)
    yield ""
    yield "Flags: sample / reader"
    for sample, flags in _flagged():
        for flag in FLAGS:
            said = [_yes(flag in sample.flags), _yes(flag in flags)]
            if len(set(said)) > 1:
                yield _difference(sample, flag, said)


def _difference(sample: Sample, head: str, said: Sequence[str]) -> str:
    start = " ".join(sample.text.split())[:60]
    return f"{sample.language} {head:9} {' / '.join(said):60} {start}"


def main(arguments: Sequence[str]) -> None:
    match arguments:
        case []:
            sys.stdout.write("\n".join(_report()) + "\n")
        case ["draw", path]:
            _write(path, drawn())
        case ["draw-flags", path]:
            _write(path, drawn_for_flags())
        case _:
            sys.exit("usage: python -m classifier.agreement [draw FILE | draw-flags FILE]")


def _write(path: str, texts: Sequence[Sample]) -> None:
    lines = [
        json.dumps({"key": key_of(one.text), "text": one.text}, ensure_ascii=False) for one in texts
    ]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
