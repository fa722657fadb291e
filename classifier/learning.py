"""Learns from what people of an organisation said: `python -m classifier.learning FILE`.

A JSON object on standard input says what to learn beside the samples, see `Subject`; the model goes
to FILE, and what it says of texts it has not seen to standard output. Runs in a process of its own,
out of the way of everything else.
"""

import argparse
import contextlib
import json
import os
import resource
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from classifier import (
    calibration,
    corpus,
    encoders,
    fitting,
    flagging,
    likeness,
    masking,
    storage,
    taxonomy,
    train,
)
from classifier.contract import Decision
from classifier.corpus import Sample, Strange
from classifier.encoders import Encoder, Remembering
from classifier.fusion import Row
from classifier.glossary import STAGE_PHRASES, TOPIC_PHRASES
from classifier.material import Text, folds
from classifier.model import Identity, Model
from classifier.taxonomy import FLAGS, Category, Words

HEADS = ("stage", "topic")
_FOLDS = 3  # each costs as much as the model itself
_MEMORY = 4 * 1024**3  # bytes; some hundred million are needed

Answers = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Lesson:
    """What people said of one inquiry. `labels` of "" mean that it is none."""

    key: str
    text: str
    group: str  # of customers who wrote nearly the same; most are alone in theirs
    language: str
    labels: Mapping[str, tuple[str, float]]  # by head or flag, with its weight
    weak: frozenset[str] = frozenset()  # heads of which nobody said it, only left it so
    customer: str = ""  # where that is not the group

    @property
    def learned(self) -> dict[str, tuple[str, float]]:
        return {head: self.labels[head] for head in HEADS if self.labels.get(head, ("",))[0]}

    @property
    def none(self) -> bool:
        """People said that it is no inquiry."""
        return any(head in self.labels for head in HEADS) and not self.learned


@dataclass(frozen=True, slots=True)
class Subject:
    """What there is to learn, and in which topics."""

    name: str
    lessons: Sequence[Lesson]
    topics: Mapping[str, Mapping[str, str]]  # key → names by language
    merged: Mapping[str, str]  # topics of the samples that became another one
    samples: Sequence[Sample] = field(default_factory=corpus.load)
    strange: Sequence[Strange] = field(default_factory=corpus.load_strange)


def read(asked: Mapping[str, Any]) -> Subject:
    told = asked["lessons"]
    customers = [str(one["customer"]) for one in told]
    texts = [_unnamed(one, asked) for one in told]
    groups = likeness.families(texts, customers)
    lessons = [
        Lesson(
            key=str(one["key"]),
            text=text,
            group=group,
            language=str(one["language"]),
            labels={
                head: (str(label), float(weight))
                for head, (label, weight) in one["labels"].items()
                if weight > 0
            },
            weak=frozenset(map(str, one["weak"])),
            customer=customer,
        )
        for one, text, customer, group in zip(told, texts, customers, groups, strict=True)
    ]
    return Subject(str(asked["name"]), lessons, asked["topics"], asked["merged"])


def _unnamed(one: Mapping[str, Any], asked: Mapping[str, Any]) -> str:
    """The text without the names of who wrote it, so that no version ever holds them.

    Nothing stands in their place: a model asked later is not told who writes, and sees the names
    themselves. It knows none of them, so there they count as nothing as well.
    """
    called = [frozenset(map(str, said)) for said in (one["names"], one["firms"], asked["agents"])]
    return masking.masked(str(one["text"]), masking.Names(*called), instead=" ")


def fit(subject: Subject, lessons: Sequence[Lesson], encoder: Encoder) -> Model:
    """A model of the samples and these lessons."""
    texts: list[Text] = []
    outside: list[int] = []  # what was no inquiry
    rows: dict[str, list[Row]] = {head: [] for head in HEADS}
    for sample in subject.samples:
        topic = subject.merged.get(sample.topic, sample.topic)
        rows["stage"].append(Row(len(texts), sample.stage))
        if topic in subject.topics:
            rows["topic"].append(Row(len(texts), topic))
        ref = corpus.ref_of(sample.text)
        texts.append(Text(sample.text, sample.firm, sample.language, ref=ref))
    flags = {flag: flagging.rows_of(flag, subject.samples, ()) for flag in FLAGS}
    for lesson in lessons:
        for head, (label, weight) in lesson.learned.items():
            weak = head in lesson.weak
            rows[head].append(Row(len(texts), label, weight, human=not weak, weak=weak))
        for flag in FLAGS:
            if flag in lesson.labels:
                flags[flag].append(Row(len(texts), *lesson.labels[flag], human=True))
        if lesson.none:
            outside.append(len(texts))
        ref = f"ticket-{lesson.key}"
        texts.append(Text(lesson.text, lesson.group, lesson.language, ref=ref, by=lesson.customer))
    strange = range(len(texts), len(texts) + len(subject.strange))
    outside += strange
    for taught in flags.values():
        taught += [Row(place, "no") for place in strange]
    texts += [Text(each.text, each.firm, each.language) for each in subject.strange]
    for head, said in _described(subject):
        for label, text in said:
            rows[head].append(Row(len(texts), label))
            texts.append(text)
    for flag, taught in flags.items():
        for label, text in flagging.described(flag):
            taught.append(Row(len(texts), label))
            texts.append(text)
    identity = Identity(subject.name, len(subject.samples) + len(lessons))
    return fitting.fit_model(texts, rows, identity, encoder, outside=outside, flags=flags)


def _described(subject: Subject) -> Iterator[tuple[str, list[tuple[str, Text]]]]:
    yield "stage", fitting.described(taxonomy.STAGES, STAGE_PHRASES)
    about = {category.key: category.about for category in taxonomy.TOPICS}
    named = []
    for key, names in subject.topics.items():
        words = Words(*(names.get(language, "") for language in ("en", "ja", "de")))
        named.append(Category(key, words, about.get(key, words)))
    phrases = {key: said for key, said in TOPIC_PHRASES.items() if key in subject.topics}
    yield "topic", fitting.described(named, phrases)


def ask(model: Model, lessons: Sequence[Lesson]) -> Iterator[tuple[Lesson, str, dict[str, Any]]]:
    """What the model says of each lesson: its best guess, and how likely the label it was given."""
    seen = model.see([one.text for one in lessons], [one.language for one in lessons])
    for lesson, sight in zip(lessons, seen, strict=True):
        for name in HEADS:
            if name not in lesson.labels:
                continue
            label, head = lesson.labels[name][0], model.heads[name]
            said = model.judge(name, sight)
            rule = head.rules.get(sight.language, head.rules[""])
            shares = calibration.softmax(head.scores(sight), rule.temperature)
            given = float(shares[head.labels.index(label)]) if label in head.labels else 0.0
            answer = {
                "label": said.top[0].label,
                "probability": said.top[0].probability,
                "given": given,
                "silent": said.decision is Decision.ABSTAIN,
            }
            yield lesson, name, answer


def unseen(subject: Subject, encoder: Encoder) -> tuple[Answers, list[bool]]:
    """What parts of the model say that have not learned the text, nor any of its customer; and
    whether they keep silent on each text that is no inquiry."""
    none = [lesson for lesson in subject.lessons if lesson.none]
    number = {group: n for n, group in enumerate(sorted({lesson.group for lesson in none}))}
    silent: list[bool] = []
    taught = [lesson for lesson in subject.lessons if lesson.learned]
    labels = [next(iter(lesson.learned.values()))[0] for lesson in taught]
    answers: Answers = {head: {} for head in HEADS}
    parts = list(folds(labels, [lesson.group for lesson in taught], count=_FOLDS))
    for part, (inside, outside) in enumerate(parts):
        asked = [lesson for lesson in none if number[lesson.group] % len(parts) == part]
        others = [lesson for lesson in none if number[lesson.group] % len(parts) != part]
        model = fit(subject, [*(taught[place] for place in inside), *others], encoder)
        silent += [said["silent"] for _, head, said in ask(model, asked) if head == "stage"]
        for lesson, head, answer in ask(model, [taught[place] for place in outside]):
            answers[head][lesson.key] = answer
    return answers, silent


def learn(subject: Subject, path: Path, encoder: Encoder, beside: Sequence[Path]) -> dict[str, Any]:
    """Fit on all of it, save to `path`, and say what parts of it make of texts they have not seen.

    What the model before says is told as well: the first of `beside` that can be used, or one of
    the samples alone. How many could not be used is `skipped`.
    """
    model = fit(subject, subject.lessons, encoder)
    storage.save(model, path)
    answers, silent = unseen(subject, encoder)
    skipped, before = _before(subject, encoder, beside)
    former: Answers = {head: {} for head in HEADS}
    for lesson, head, answer in ask(before, [one for one in subject.lessons if one.learned]):
        former[head][lesson.key] = answer
    return {
        "samples": len(subject.samples),
        "answers": answers,
        "former": former,
        "skipped": skipped,
        "refused": sum(silent) / len(silent) if silent else None,
    }


def _before(subject: Subject, encoder: Encoder, beside: Sequence[Path]) -> tuple[int, Model]:
    for place, path in enumerate(beside):
        with contextlib.suppress(storage.BadModel):
            return place, storage.load(path, encoder)
    name = train.default_name(encoder)
    model = fitting.fit(subject.samples, subject.strange, name=name, encoder=encoder)
    return len(beside), model


def _stay_out_of_the_way() -> None:
    """Whatever else the machine has to do goes first, and nobody outlives who asked."""
    os.nice(19)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            threading.Event().wait(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.learning", description=__doc__)
    parser.add_argument("file", type=Path, help="where the model goes, ending in .npz")
    parser.add_argument("--profile", choices=train.PROFILES, default="encoder")
    parser.add_argument("--beside", type=Path, nargs="*", default=[], metavar="MODEL.npz")
    chosen = parser.parse_args(arguments)
    _stay_out_of_the_way()
    try:
        encoder = Remembering(encoders.usable(chosen.profile))
        kept = chosen.file.parent.parent / f"{train.default_name(encoder)}.npz"
        said = learn(read(json.load(sys.stdin)), chosen.file, encoder, [*chosen.beside, kept])
    except corpus.BadCorpus as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except MemoryError:
        sys.stderr.write("There is not enough memory.\n")
        return 1
    json.dump(said, sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
