"""How well readers who know only the text and the guide agree with the samples' labels.

`python -m classifier.agreement draw FILE` writes the texts to read, without their labels;
`python -m classifier.agreement` compares what the two readers said (`seed/readers/*.jsonl`) with
the labels and with each other, and lists every difference.
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
from classifier.taxonomy import STAGE_KEYS, TOPIC_KEYS

TEXTS = 200
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
    found = []
    for one, other in (("sample", "first"), ("sample", "second"), READERS):
        for head in HEADS:
            for language in ("", *LANGUAGES):
                pairs = [
                    (labels[one][head], labels[other][head])
                    for sample, labels in labelled
                    if language in {"", sample.language}
                ]
                same = sum(a == b for a, b in pairs) / len(pairs) if pairs else float("nan")
                who = f"{one} / {other}"
                found.append(Figure(who, head, language, len(pairs), same, kappa(pairs)))
    return found


def _report() -> Iterator[str]:
    yield f"{'who':16} {'head':6} {'language':9} {'texts':>5} {'same':>6} {'kappa':>6}"
    for one in figures():
        left = f"{one.who:16} {one.head:6} {one.language or 'all':9}"
        yield f"{left} {one.texts:5} {one.same:6.1%} {one.kappa:6.2f}"
    yield ""
    yield "Every difference: sample / first reader / second reader"
    for sample, labels in _labelled():
        for head in HEADS:
            said = [labels[who][head] for who in ("sample", *READERS)]
            if len(set(said)) > 1:
                start = " ".join(sample.text.split())[:60]
                yield f"{sample.language} {head:6} {' / '.join(said):60} {start}"


def main(arguments: Sequence[str]) -> None:
    match arguments:
        case []:
            sys.stdout.write("\n".join(_report()) + "\n")
        case ["draw", path]:
            lines = [
                json.dumps({"key": key_of(one.text), "text": one.text}, ensure_ascii=False)
                for one in drawn()
            ]
            Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
        case _:
            sys.exit("usage: python -m classifier.agreement [draw FILE]")


if __name__ == "__main__":
    main(sys.argv[1:])
