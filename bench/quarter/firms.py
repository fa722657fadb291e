"""The three organisations: what they are written, and how they name their topics."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier import tables
from classifier.tables import OUT_OF_SCOPE, Example

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Firm:
    name: str
    inquiries: Sequence[Example]
    topics: Mapping[str, Mapping[str, str]]  # key → names by language


def everybody(data: Path) -> list[Firm]:
    """`data` holds the public sets."""
    return [
        _public(data, "hint3_curekart", "en", "A health shop, English (hint3_curekart)"),
        _public(data, "asdc_topic_l1", "ja", "Hotels, Japanese (asdc_topic_l1)"),
        _german(),
    ]


def _public(data: Path, name: str, language: str, title: str) -> Firm:
    with (data / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = [Example(row["text"], row["label"], row["lang"]) for row in csv.DictReader(file)]
    return named(title, rows, language)


def named(title: str, rows: Sequence[Example], language: str) -> Firm:
    """Topics are called as their labels are. What occurs once cannot be learned and asked."""
    often = Counter(row.label for row in rows)
    kept = [row for row in rows if often[row.label] > 1]
    topics = {
        label: {language: label.replace("_", " ").lower()}
        for label in sorted({row.label for row in kept} - {OUT_OF_SCOPE})
    }
    return Firm(title, kept, topics)


def _german() -> Firm:
    with (_HERE / "de-names.csv").open(encoding="utf-8", newline="") as file:
        topics = {row["label"]: {"de": row["name"]} for row in csv.DictReader(file)}
    return Firm("A bicycle shop, German (our own texts)", tables.read(_HERE / "de.csv"), topics)
