"""How good a model is on firms it has never seen: `python -m classifier.evaluate [FILE.csv]`.

Without a file the sample inquiries are used; a CSV needs the columns text, label and lang. Each
fifth of the firms is answered by a model fitted, calibrated and given its thresholds on the rest.
"""

import argparse
import csv
import random
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier import calibration, corpus, features, fitting, taxonomy
from classifier.glossary import STAGE_PHRASES, TOPIC_PHRASES

_FEWEST = 10


class BadFile(Exception):
    """A CSV that cannot be evaluated; the message says why."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said about one text, and what is right."""

    language: str
    truth: str
    guess: str
    probability: float
    given: bool  # sure enough to be shown as a label


@dataclass(frozen=True, slots=True)
class Figures:
    texts: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    coverage_at_90: float  # share that could be answered with 90 % right
    given: float  # share that is answered
    precision: float  # of those


def answers(rows: Sequence[fitting.Row]) -> list[Answer]:
    """Answer every row with a model that knows none of its group."""
    tested = [row for row in rows if not row.described]
    taught = [row for row in rows if row.described]
    result: list[Answer] = []
    for inside, outside in fitting.folds(tested):
        learned = [*(tested[place] for place in inside), *taught]
        union = fitting.fit_union([row.document for row in learned])
        head = fitting.fit_head(learned, union)
        asked = [tested[place] for place in outside]
        scores = union.transform([row.document for row in asked]) @ head.weights.astype(np.float64)
        for row, line in zip(asked, scores + head.bias, strict=True):
            rule = head.rules.get(row.language, head.rules[""])
            probabilities = calibration.softmax(line, rule.temperature)
            best = int(probabilities.argmax())
            probability = float(probabilities[best])
            given = probability >= rule.threshold
            result.append(Answer(row.language, row.label, head.labels[best], probability, given))
    return result


def figures(said: Sequence[Answer]) -> Figures:
    right = np.array([answer.guess == answer.truth for answer in said], dtype=np.bool_)
    probability = np.array([answer.probability for answer in said])
    given = np.array([answer.given for answer in said], dtype=np.bool_)
    return Figures(
        texts=len(said),
        accuracy=float(right.mean()),
        macro_f1=_macro_f1(said),
        calibration_error=calibration.calibration_error(probability, right),
        coverage_at_90=calibration.coverage(probability, right, 0.9),
        given=float(given.mean()),
        precision=float(right[given].mean()) if given.any() else 0.0,
    )


def _macro_f1(said: Sequence[Answer]) -> float:
    scores: list[float] = []
    for label in sorted({answer.truth for answer in said}):
        hits = sum(answer.truth == label == answer.guess for answer in said)
        truths = sum(answer.truth == label for answer in said)
        guesses = sum(answer.guess == label for answer in said)
        scores.append(2 * hits / (truths + guesses))
    return sum(scores) / len(scores)


def sample_rows() -> dict[str, list[fitting.Row]]:
    """The sample inquiries as rows of both heads, with what the taxonomy says about itself."""
    samples = corpus.load()
    documents = [features.document(sample.text) for sample in samples]
    heads = {"stage": [sample.stage for sample in samples], "topic": [s.topic for s in samples]}
    described = {
        "stage": fitting.described(taxonomy.STAGES, STAGE_PHRASES),
        "topic": fitting.described(taxonomy.TOPICS, TOPIC_PHRASES),
    }
    return {
        name: [
            *(
                fitting.Row(document, label, sample.firm, sample.language)
                for document, label, sample in zip(documents, labels, samples, strict=True)
            ),
            *described[name],
        ]
        for name, labels in heads.items()
    }


def csv_rows(path: Path, *, at_most: int) -> list[fitting.Row]:
    """Rows of a CSV; alike texts stay together. Raises `BadFile`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = {"text", "label", "lang"} - set(reader.fieldnames or ())
            if missing:
                raise BadFile(f"{path.name} lacks the column {', '.join(sorted(missing))}")
            records = [record for record in reader if record["text"] and record["label"]]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFile(f"{path.name} cannot be read: {error}") from error
    if len(records) > at_most:
        records = random.Random(0).sample(records, at_most)  # noqa: S311 - a sample, not a secret
    if len(records) < _FEWEST or len({record["label"] for record in records}) < 2:
        raise BadFile(f"{path.name} has too few texts or labels to compare")
    return [
        fitting.Row(
            features.document(record["text"]),
            record["label"],
            features.clean(record["text"]).text.strip(),
            record["lang"] or "",
        )
        for record in records
    ]


def table(title: str, said: Sequence[Answer]) -> Iterable[str]:
    yield (
        f"{title:<14}{'texts':>7}{'accuracy':>10}{'macro-F1':>10}{'ECE':>7}"
        f"{'cov@90':>8}{'given':>8}{'right':>8}"
    )
    languages = sorted({answer.language for answer in said})
    groups = [("all", list(said))]
    groups += [(name, [a for a in said if a.language == name]) for name in languages]
    for name, group in groups:
        found = figures(group)
        yield (
            f"{name or '?':<14}{found.texts:>7}{found.accuracy:>10.1%}{found.macro_f1:>10.1%}"
            f"{found.calibration_error:>7.3f}{found.coverage_at_90:>8.1%}{found.given:>8.1%}"
            f"{found.precision:>8.1%}"
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.evaluate", description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", help="CSV with text, label, lang")
    parser.add_argument("--at-most", type=int, default=3_000, help="texts of a CSV to use (3000)")
    chosen = parser.parse_args(arguments)
    begun = time.process_time()
    try:
        heads = (
            {chosen.file.stem: csv_rows(chosen.file, at_most=chosen.at_most)}
            if chosen.file
            else sample_rows()
        )
    except (BadFile, corpus.BadCorpus) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, rows in heads.items():
        sys.stdout.write("\n".join(table(name, answers(rows))) + "\n\n")
        sys.stdout.flush()
    sys.stdout.write(f"{time.process_time() - begun:.0f} s of CPU time\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
