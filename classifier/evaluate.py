"""How good a model is on texts it has never seen: fitted on some, asked about others."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from classifier import calibration, corpus, fitting, material, taxonomy
from classifier.contract import Decision
from classifier.encoders import Encoder, Remembering, of_profile
from classifier.fitting import Terms
from classifier.fusion import Row
from classifier.glossary import STAGE_PHRASES, TOPIC_PHRASES
from classifier.material import Text
from classifier.model import Identity, Model
from classifier.tables import OUT_OF_SCOPE, BadFile, Example, texts

_HEAD = "label"
_MANY = 1_000  # rows; with fewer, a word that one of them has may be the only one that tells


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model said about one text, and what is right."""

    language: str
    truth: str
    guess: str
    probability: float
    novelty: float
    decision: Decision

    @property
    def right(self) -> bool:
        return self.guess == self.truth


Described = Sequence[tuple[str, Text]]


def fit(train: Sequence[Example], names: Described, encoder: Encoder) -> Model:
    """A model of one head. Raises `BadFile`.

    Texts that belong to no label are never one; enough of them show what to keep silent on.
    """
    strange = [each for each in train if each.label == OUT_OF_SCOPE]
    taught = [each for each in train if each.label not in ("", OUT_OF_SCOPE)]
    labels = {each.label for each in taught}
    if len(labels) < 2:
        raise BadFile("There are too few labels to learn from: it takes two.")
    said = [(label, text) for label, text in names if label in labels]
    rows = [Row(place, each.label, human=True) for place, each in enumerate(taught)]
    rows += [Row(len(taught) + place, label) for place, (label, _) in enumerate(said)]
    learned = [*texts(taught), *(text for _, text in said), *texts(strange)]
    outside = range(len(learned) - len(strange), len(learned))
    terms = Terms(rarest=2 if len(learned) > _MANY else 1)
    identity = Identity("file", len(taught))
    return fitting.fit_model(learned, {_HEAD: rows}, identity, encoder, terms, outside=outside)


def ask(model: Model, asked: Sequence[Example], head: str = _HEAD) -> list[Answer]:
    answers = []
    seen = model.see([each.text for each in asked], [each.language for each in asked])
    for each, sight in zip(asked, seen, strict=True):
        said = model.judge(head, sight)
        best = said.top[0]
        answers.append(
            Answer(
                each.language, each.label, best.label, best.probability, said.novelty, said.decision
            )
        )
    return answers


def ask_in_folds(examples: Sequence[Example], names: Described, encoder: Encoder) -> list[Answer]:
    """Each fifth answered by a model that knows none of its groups, calibrated without it, too."""
    encoder = Remembering(encoder)
    groups = [text.group for text in texts(examples)]
    answers: dict[int, Answer] = {}
    for learned, asked in material.folds([each.label for each in examples], groups, count=5):
        model = fit([examples[place] for place in learned], names, encoder)
        answers.update(zip(asked, ask(model, [examples[place] for place in asked]), strict=True))
    if not answers:
        raise BadFile("There are too few texts to part them in five.")
    return [answers[place] for place in sorted(answers)]


def samples() -> dict[str, tuple[list[Example], Described]]:
    """The sample inquiries for each head, in groups of firms, and what the taxonomy says.

    With them the texts that are no inquiry at all, as belonging to no label.
    """
    kept = corpus.load()
    strange = [
        Example(each.text, OUT_OF_SCOPE, each.language, each.firm) for each in corpus.load_strange()
    ]
    described = {
        "stage": fitting.described(taxonomy.STAGES, STAGE_PHRASES),
        "topic": fitting.described(taxonomy.TOPICS, TOPIC_PHRASES),
    }
    plain = [Example(sample.text, "", sample.language, sample.firm) for sample in kept]
    return {
        head: (
            [
                replace(each, label=getattr(sample, head))
                for each, sample in zip(plain, kept, strict=True)
            ]
            + strange,
            described[head],
        )
        for head in described
    }


def figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """What `evaluate --json` prints. Accuracy and all that follows are of texts that belong."""
    inside = [answer for answer in answers if answer.truth != OUT_OF_SCOPE]
    outside = [answer for answer in answers if answer.truth == OUT_OF_SCOPE]
    right, sure = _right(inside), _sure(inside)
    labels = per_label(inside)
    languages = sorted({answer.language for answer in inside})
    return {
        "n": len(inside),
        "accuracy": _share(right),
        "macro_f1": _macro(labels),
        "ece": calibration.calibration_error(sure, right),
        "coverage_at": {
            f"{wanted:.2f}": calibration.coverage(sure, right, wanted) for wanted in (0.9, 0.95)
        },
        "oos": {
            "auroc": calibration.separation(_familiar(inside), _familiar(outside))
            if inside and outside
            else None,
            "recall": _refused(outside),
            "refused_in_scope": _refused(inside),
        },
        "per_label": labels,
        "per_lang": {
            language: _of_language([a for a in inside if a.language == language])
            for language in languages
        },
    }


def _of_language(answers: Sequence[Answer]) -> dict[str, Any]:
    right, sure = _right(answers), _sure(answers)
    return {
        "n": len(answers),
        "accuracy": _share(right),
        "macro_f1": _macro(per_label(answers)),
        "ece": calibration.calibration_error(sure, right),
        "coverage_at": {
            f"{wanted:.2f}": calibration.coverage(sure, right, wanted) for wanted in (0.9, 0.95)
        },
        "refused": _refused(answers),
    }


def per_label(answers: Sequence[Answer]) -> dict[str, dict[str, float]]:
    """Of each label that is right somewhere: how often, how often found, and found rightly."""
    hits: dict[str, int] = {}
    truths: dict[str, int] = {}
    guesses: dict[str, int] = {}
    for answer in answers:
        truths[answer.truth] = truths.get(answer.truth, 0) + 1
        guesses[answer.guess] = guesses.get(answer.guess, 0) + 1
        hits[answer.truth] = hits.get(answer.truth, 0) + answer.right
    return {
        label: {
            "n": count,
            "precision": hits[label] / guesses[label] if guesses.get(label) else 0.0,
            "recall": hits[label] / count,
            "f1": 2 * hits[label] / (count + guesses.get(label, 0)),
        }
        for label, count in sorted(truths.items())
    }


def _macro(labels: Mapping[str, Mapping[str, float]]) -> float:
    return sum(each["f1"] for each in labels.values()) / len(labels) if labels else 0.0


def _share(which: calibration.Bools) -> float:
    return float(which.mean()) if len(which) else 0.0


def _right(answers: Sequence[Answer]) -> calibration.Bools:
    return np.array([answer.right for answer in answers], dtype=np.bool_)


def _sure(answers: Sequence[Answer]) -> calibration.Floats:
    return np.array([answer.probability for answer in answers], dtype=np.float64)


def _familiar(answers: Sequence[Answer]) -> calibration.Floats:
    return np.array([answer.novelty for answer in answers], dtype=np.float64)


def _refused(answers: Sequence[Answer]) -> float | None:
    if not answers:
        return None
    return sum(answer.decision is Decision.ABSTAIN for answer in answers) / len(answers)


def table(title: str, answers: Sequence[Answer]) -> Iterator[str]:
    """For people: of all and of each language, and how many would have got a label at all.

    Intervals hold in nine of ten cases.
    """
    yield (
        f"{title:<14}{'texts':>7}{'accuracy':>24}{'macro-F1':>10}{'ECE':>7}"
        f"{'cov@90':>8}{'given':>8}{'right':>8}"
    )
    inside = [answer for answer in answers if answer.truth != OUT_OF_SCOPE]
    languages = sorted({answer.language for answer in inside})
    groups = [("all", inside)]
    groups += [(name or "?", [a for a in inside if a.language == name]) for name in languages]
    for name, group in groups:
        if not group:
            continue
        found = figures(group)
        given = [answer for answer in group if answer.decision is not Decision.ABSTAIN]
        yield (
            f"{name:<14}{len(group):>7}{_between(sum(a.right for a in group), len(group), 1):>24}"
            f"{found['macro_f1']:>10.1%}"
            f"{found['ece']:>7.3f}{found['coverage_at']['0.90']:>8.1%}"
            f"{len(given) / len(group):>8.1%}{_share(_right(given)):>8.1%}"
        )
    refused = _refused([answer for answer in answers if answer.truth == OUT_OF_SCOPE])
    if refused is not None:
        yield f"of texts that belong to no label, {refused:.1%} were refused"


@dataclass(frozen=True, slots=True)
class Raised:
    """What a model said of one flag of one text, and what is right."""

    flag: str
    language: str
    inquiry: bool
    truth: bool
    raised: bool
    probability: float


def flags_in_folds(encoder: Encoder) -> list[Raised]:
    """Each sample and text that is no inquiry, asked of a model that knows none of its firm."""
    kept, strange = corpus.load(), corpus.load_strange()
    groups = [each.firm for each in kept] + [each.firm for each in strange]
    kinds = [sample.stage for sample in kept] + [OUT_OF_SCOPE] * len(strange)
    found = []
    for learned, asked in material.folds(kinds, groups, count=5):
        inside = [kept[place] for place in learned if place < len(kept)]
        outside = [strange[place - len(kept)] for place in learned if place >= len(kept)]
        model = fitting.fit(inside, outside, name="file", encoder=encoder, heads=())
        for place in asked:
            known = place < len(kept)
            each = kept[place] if known else strange[place - len(kept)]
            mine = kept[place].flags if known else frozenset()
            [sight] = model.see([each.text], [each.language])
            said = [model.flagged(name, each.text, sight) for name in model.flags]
            found += [
                Raised(one.name, each.language, known, one.name in mine, one.raised,
                       one.probability)
                for one in said
            ]  # fmt: skip
    return found


def flag_table(said: Sequence[Raised]) -> Iterator[str]:
    """For people, with intervals that hold in nine of ten cases."""
    yield f"{'flag':<14}{'texts':>7}{'true':>6}{'raised':>8}{'right':>22}{'found':>22}{'ECE':>7}"
    for flag in taxonomy.FLAGS:
        for language in ("", *corpus.LANGUAGES):
            rows = [one for one in said if one.flag == flag and language in {"", one.language}]
            hits = sum(one.raised and one.truth for one in rows)
            raised, true = sum(one.raised for one in rows), sum(one.truth for one in rows)
            error = calibration.calibration_error(
                np.array([one.probability for one in rows]), np.array([one.truth for one in rows])
            )
            yield (
                f"{flag + ' ' + (language or 'all'):<14}{len(rows):>7}{true:>6}{raised:>8}"
                f"{_between(hits, raised):>22}{_between(hits, true):>22}{error:>7.3f}"
            )
    wrongly = [one for one in said if one.raised and not one.inquiry]
    yield f"of texts that are no inquiry, {len(wrongly)} got a flag"


def _between(right: int, of: int, places: int = 0) -> str:
    if not of:
        return "-"
    total = np.array([float(of)])
    low = calibration.wilson(np.array([float(right)]), total)[0]
    high = 1 - calibration.wilson(np.array([float(of - right)]), total)[0]
    return f"{right / of:.{places}%} ({low:.{places}%} to {high:.{places}%})"


def main(arguments: list[str] | None = None) -> int:
    """The figures of the sample inquiries, firm by firm: `python -m classifier.evaluate`."""
    parser = argparse.ArgumentParser(prog="python -m classifier.evaluate")
    parser.add_argument("--profile", choices=("encoder", "plain"), default="encoder")
    encoder = Remembering(of_profile(parser.parse_args(arguments).profile))
    for head, (examples, described) in samples().items():
        said = ask_in_folds(examples, described, encoder)
        sys.stdout.write("\n".join(table(head, said)) + "\n\n")
        sys.stdout.flush()
    sys.stdout.write("\n".join(flag_table(flags_in_folds(encoder))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
