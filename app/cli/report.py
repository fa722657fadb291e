"""`triage report` and `triage export`: how good triage is, and the texts people labelled."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from app.cli import console
from app.cli.console import complain, say
from app.core.errors import Invalid
from app.core.settings import Settings
from app.domain.report_card import Card, GroupLine
from app.domain.score import Share
from app.domain.words import TAGS, Head
from app.services.access import SYSTEM
from app.services.queries import labelled, report, vocabulary
from app.services.queries.labelled import Collection
from app.services.queries.report import HeadReport, Report
from app.services.queries.vocabulary import Vocabulary
from app.web import report_words

if TYPE_CHECKING:
    from classifier.tables import Example


def show(asked: argparse.Namespace, settings: Settings) -> int:
    with console.opened(settings) as house, house.database.reading() as session:
        words = vocabulary.current(session)
        found = report.view(session, SYSTEM, words, asked.days)
    if asked.json:
        say(json.dumps(asdict(found), ensure_ascii=False, indent=1, default=str))
    else:
        for head in TAGS:
            _say_head(found, head, words)
        _say_versions(found)
    return 0


def _say_head(found: Report, head: Head, words: Vocabulary) -> None:
    of_head: HeadReport = found.of(head)
    say(report_words.question(head).upper())
    for finding in of_head.findings:
        say(f"- {report_words.sentence(finding, head, words)}")
    card = of_head.card
    say()
    lines = [
        (
            report_words.answer(line.label, head, words),
            str(line.examples),
            str(line.n),
            _share(line.precision),
            _share(line.recall),
        )
        for line in card.labels
    ]
    console.table(("ANSWER", "EXAMPLES", "JUDGED", "RIGHT WHEN SAID", "FOUND"), lines)
    say()
    _say_groups("LANGUAGE", card.languages)
    _say_groups("VERSION", card.versions)
    _say_curves(card)


def _say_groups(heading: str, lines: tuple[GroupLine, ...]) -> None:
    rows = [
        (one.key or "?", str(one.n), _share(one.right), _share(one.given), _share(one.right_given))
        for one in lines
    ]
    if rows:
        console.table((heading, "JUDGED", "RIGHT", "SAID", "RIGHT WHEN SAID"), rows)
        say()


def _say_curves(card: Card) -> None:
    if card.bins:
        rows = [
            (f"{one.low:.0%}-{one.high:.0%}", f"{one.said:.0%}", _share(one.right))
            for one in card.bins
        ]
        console.table(("PROBABILITY", "SAID", "RIGHT"), rows)
        say()
    if card.steps:
        steps = [
            (f"{one.threshold:.0%}", _share(one.covered), _share(one.right)) for one in card.steps
        ]
        console.table(("FROM", "WOULD BE SAID", "RIGHT"), steps)
        say()
    weeks = [(str(week.begins), _share(week.changed)) for week in card.weeks if week.changed]
    if weeks:
        console.table(("WEEK", "CHANGED BY PEOPLE"), weeks)
        say()
    _say_drift(card)


def _say_drift(card: Card) -> None:
    moved = card.drift
    rows = [
        (
            name,
            shift.state.value,
            f"{shift.index:.3f}",
            f"{shift.luck:.3f}",
            f"{shift.before}, {shift.now}",
        )
        for name, shift in (
            ("how often unsure", moved.unsure), ("answers", moved.labels),
            ("languages", moved.languages), ("how unfamiliar", moved.novelty),
            ("how often changed", moved.changed),
        )
    ]  # fmt: skip
    console.table(("LAST 4 WEEKS", "", "INDEX", "CHANCE ALONE", "OF"), rows)
    say()


def _say_versions(found: Report) -> None:
    rows = [
        (
            one.name,
            one.state,
            *(
                f"{of.now:.0%} of {of.texts} (before {of.before:.0%})" if of else "-"
                for of in (one.stage, one.topic)
            ),
        )
        for one in found.versions
    ]
    if rows:
        console.table(("TRAINED VERSION", "STATE", "STAGE RIGHT", "TOPIC RIGHT"), rows)


def _share(share: Share | None) -> str:
    if share is None:
        return "-"
    if share.few:
        return f"not enough data: {share.n}"
    return f"{share.percent:.0f} % ({share.low:.0f}-{share.high:.0f}) of {share.n}"


def export(asked: argparse.Namespace, settings: Settings) -> int:
    from classifier import tables

    with console.opened(settings) as house, house.database.reading() as session:
        found = labelled.collect(session, SYSTEM, Head(asked.head))
    with _opened(asked.out) as file:
        number = tables.write(file, _examples(found))
    complain(
        f"{number} labelled inquiries. Addresses, numbers and the names Setten knows are replaced "
        "by placeholders; other names are not: read the file before you hand it on."
    )
    return 0


def _examples(found: Collection) -> "Iterator[Example]":
    from classifier.masking import Names, masked
    from classifier.tables import OUT_OF_SCOPE, Example

    for row in found.rows:
        text = masked(row.text, Names(row.names, row.firms, found.agents))
        yield Example(text, row.label or OUT_OF_SCOPE, row.language)


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """With a mark that tells spreadsheets the encoding; without a path what is written is shown."""
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as problem:
        raise Invalid(f"{path} cannot be written: {problem.strerror}.") from problem
