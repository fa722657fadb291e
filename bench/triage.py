"""How good triage is on texts of others: `make bench-triage DATA=DIR`, one table in Markdown.

Every row says which part it learned from and which it was asked about. Each runs in a process of
its own, so that its memory is its own.
"""

import argparse
import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from classifier import apart, evaluate, material, storage, tables
from classifier.encoders import Remembering, of_profile
from classifier.evaluate import Answer, Described
from classifier.material import Text
from classifier.tables import Example

PROFILES = ("encoder", "plain")
_COLUMNS = (
    "set", "learned → asked", "profile", "lang", "texts", "accuracy", "macro-F1", "ECE", "cov@90",
    "cov@95", "AUROC", "oos refused", "in scope refused", "train s", "texts/s", "MiB",
)  # fmt: skip
_LATENCY_TEXTS = 60
_DRAWS = 3  # where a few of each label are learned from that nobody has chosen before


@dataclass(frozen=True, slots=True)
class Part:
    """What is learned, what is asked; without the latter, each fifth after the rest. Or several
    draws of both."""

    learned: list[Example]
    asked: list[Example]
    names: Described = ()
    draws: Sequence[tuple[list[Example], list[Example]]] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    name: str
    split: str
    parts: Callable[[Path], Part]


def _read(data: Path, name: str) -> list[tuple[str, Example]]:
    with (data / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return [
            (row["split"], Example(_unspaced(name, row), row["label"], row["lang"]))
            for row in csv.DictReader(file)
        ]


def _unspaced(name: str, row: dict[str, str]) -> str:
    # The Japanese of this set is parted into words, as nobody writes it.
    return row["text"].replace(" ", "") if (name, row["lang"]) == ("xsid", "ja") else row["text"]


def _of(rows: Sequence[tuple[str, Example]], split: str) -> list[Example]:
    return [example for one, example in rows if one == split]


def _split(name: str, learned: str, asked: str) -> Callable[[Path], Part]:
    def parts(data: Path) -> Part:
        rows = _read(data, name)
        return Part(_grouped(_of(rows, learned)), _of(rows, asked))

    return parts


def _few(name: str, shots: int) -> Callable[[Path], Part]:
    """The published few-shot parts; the names of the labels are learned, too."""

    def parts(data: Path) -> Part:
        rows = _read(data, f"fewshot_{name}")
        learned = _of(rows, f"train_{shots}")
        return Part(learned, _of(rows, "valid"), _names(learned))

    return parts


def _names(rows: Sequence[Example]) -> Described:
    return [
        (label, Text(label.replace("_", " "), "names", "en", described=True))
        for label in sorted({each.label for each in rows})
    ]


def _drawn(name: str, language: str, split: str, shots: int) -> Callable[[Path], Part]:
    """So many of each label by lot, several times over, and the names of the labels. What was
    not drawn is asked, or the other part where there is one."""

    def parts(data: Path) -> Part:
        rows = [(one, each) for one, each in _read(data, name) if each.language == language]
        pool = [each for each in _of(rows, split) if each.label]
        draws = []
        for order in range(_DRAWS):
            mixed = random.Random(order).sample(pool, len(pool))
            seen: Counter[str] = Counter()
            drawn: list[Example] = []
            rest: list[Example] = []
            for each in mixed:
                seen[each.label] += 1
                (drawn if seen[each.label] <= shots else rest).append(each)
            draws.append((drawn, _of(rows, "dev") if name.startswith("asdc") else rest))
        return Part([], [], _names(pool), draws)

    return parts


def _whole(name: str, split: str) -> Callable[[Path], Part]:
    return lambda data: Part(_grouped(_of(_read(data, name), split)), [])


def _without(name: str, split: str, language: str) -> Callable[[Path], Part]:
    def parts(data: Path) -> Part:
        rows = _grouped(_of(_read(data, name), split))
        return Part(
            [each for each in rows if each.language != language],
            [each for each in rows if each.language == language],
        )

    return parts


def _grouped(rows: Sequence[Example]) -> list[Example]:
    """Where sentences stand in several languages, each goes with its translations."""
    if len({each.language for each in rows}) < 2:
        return list(rows)
    seen: dict[str, int] = {}
    grouped = []
    for each in rows:
        seen[each.language] = seen.get(each.language, 0) + 1
        grouped.append(replace(each, group=f"sentence {seen[each.language]}"))
    return grouped


def _samples(head: str) -> Callable[[Path], Part]:
    def parts(_: Path) -> Part:
        examples, described = evaluate.samples()[head]
        return Part(examples, [], described)

    return parts


_FEW = [
    Trial(f"{name} {shots} a label", f"train_{shots} + names → valid", _few(name, shots))
    for name in ("banking77", "clinc150", "hwu64")
    for shots in (5, 10)
]
_LITTLE = [
    Trial(f"{name} {language} {shots} a label", f"{split}, {_DRAWS} draws + names → {asked}",
          _drawn(name, language, split, shots))
    for name, split, asked, languages in (
        ("sib200", "train", "the rest", ("de", "ja")),
        ("xsid", "valid", "the rest", ("de", "ja")),
        ("asdc_topic_l1_4turn", "train", "dev", ("ja",)),
        ("asdc_topic_l1", "train", "dev", ("ja",)),
    )
    for language in languages
    for shots in (5, 10)
]  # fmt: skip
TRIALS = (
    *_FEW,
    *_LITTLE,
    Trial("hint3_curekart", "train → test", _split("hint3_curekart", "train", "test")),
    Trial("sib200", "train → dev, three languages", _split("sib200", "train", "dev")),
    Trial("xsid", "valid, 5 folds of sentences", _whole("xsid", "valid")),
    *(
        Trial("xsid", f"valid without {one} → {one}", _without("xsid", "valid", one))
        for one in ("en", "de", "ja")
    ),
    Trial("seed stage", "5 folds of firms", _samples("stage")),
    Trial("seed topic", "5 folds of firms", _samples("topic")),
    Trial("asdc topic, 4 turns", "train → dev", _split("asdc_topic_l1_4turn", "train", "dev")),
    Trial("asdc topic", "train → dev", _split("asdc_topic_l1", "train", "dev")),
    Trial("clinc150", "train → val with oos", _split("clinc150", "train", "val")),
    Trial("banking77", "train, 5 folds", _whole("banking77", "train")),
)


# Set, system, what was published, where it was read. On the test parts, which are not asked here:
# they show the neighbourhood and are no comparison to the point.
_FEW_SHOT = "README of jianguoz/Few-Shot-Intent-Detection"
_BANKING = "model card of Amitava25/banking77-intent-classifier-champion"
_CLINC = "Larson and others 2019, table 2"
_HINT = "predictions in hellohaptik/HINT3, scored on its second version"
PUBLISHED = (
    ("banking77 5 / 10 a label", "USE", "accuracy 76.3 / 84.2", _FEW_SHOT),
    ("banking77 5 / 10 a label", "USE + ConveRT", "accuracy 77.8 / 85.2", _FEW_SHOT),
    ("banking77 5 / 10 a label", "CPFT", "accuracy 80.9 / 87.2", _FEW_SHOT),
    ("banking77", "bge-small + LinearSVC", "accuracy 93.1", _BANKING),
    ("clinc150 5 / 10 a label", "USE", "accuracy 87.8 / 90.9", _FEW_SHOT),
    ("clinc150 5 / 10 a label", "CPFT", "accuracy 92.3 / 94.2", _FEW_SHOT),
    ("hwu64 5 / 10 a label", "USE", "accuracy 77.8 / 83.8", _FEW_SHOT),
    ("hwu64 5 / 10 a label", "CPFT", "accuracy 82.0 / 87.1", _FEW_SHOT),
    ("clinc150, threshold", "SVM", "in scope 88.2, oos refused 18.0", _CLINC),
    ("clinc150, threshold", "MLP on USE", "in scope 93.4, oos refused 49.1", _CLINC),
    ("clinc150, threshold", "BERT", "in scope 96.2, oos refused 52.3", _CLINC),
    ("hint3_curekart", "BERT", "in scope 85.2, AUROC 0.823", _HINT),
    ("hint3_curekart", "DialogFlow", "in scope 79.3, AUROC 0.866", _HINT),
    ("hint3_curekart", "Rasa", "in scope 85.6, AUROC 0.802", _HINT),
    ("hint3_curekart", "LUIS", "in scope 76.5, AUROC 0.737", _HINT),
    ("hint3_curekart", "Haptik", "in scope 84.1, AUROC 0.850", _HINT),
)


def measure(trial: Trial, data: Path, profile: str) -> dict[str, Any]:
    """Figures for all and for each language, and what they cost in CPU time and memory."""
    part, encoder = trial.parts(data), Remembering(of_profile(profile))
    encoder.encode(["ready"])
    learning = rate = 0.0
    answers: list[Answer] = []
    for learned, asked in _pairs(part):
        begun = time.process_time()
        model = evaluate.fit(learned, part.names, encoder)
        # Later folds meet texts that the encoder remembers: the first tells what they cost.
        learning = learning or time.process_time() - begun
        begun = time.process_time()
        answers += evaluate.ask(model, asked)
        rate = rate or len(asked) / (time.process_time() - begun)
    languages = sorted({each.language for each in answers})
    groups = {"all": answers}
    if len(languages) > 1:
        groups |= {one: [a for a in answers if a.language == one] for one in languages}
    return {
        "figures": {name: evaluate.figures(group) for name, group in groups.items()},
        "learning": learning,
        "rate": rate,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _pairs(part: Part) -> Iterator[tuple[list[Example], list[Example]]]:
    if part.draws:
        yield from part.draws
        return
    if part.asked:
        yield part.learned, part.asked
        return
    rows = part.learned
    groups = [text.group for text in tables.texts(rows)]
    for learned, asked in material.folds([each.label for each in rows], groups, count=5):
        yield [rows[place] for place in learned], [rows[place] for place in asked]


def shipped(profile: str) -> dict[str, float]:
    """What the model of the sample inquiries costs in the process that asks it."""
    encoder = of_profile(profile)
    with tempfile.TemporaryDirectory(prefix="setten-bench-") as folder:
        subprocess.run(
            [sys.executable, "-m", "classifier.train", "--profile", profile, f"{folder}/m.npz"],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        size = (Path(folder) / "m.npz").stat().st_size
        begun = time.process_time()
        model = storage.load(Path(folder) / "m.npz", encoder)
        encoder.encode(["ready"])
        loading = time.process_time() - begun
    texts = [each.text for each in evaluate.samples()["stage"][0]]
    mails = [text for text in texts if len(text) > 250][:_LATENCY_TEXTS]
    times = []
    for text in mails:
        begun = time.process_time()
        model.predict(text)
        times.append((time.process_time() - begun) * 1000)
    return {
        "characters": sum(map(len, mails)) / len(mails),
        "model MB": size / 1e6,
        "load s": loading,
        "median ms": sorted(times)[len(times) // 2],
        "p95 ms": sorted(times)[int(len(times) * 0.95)],
        "MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _lines(trial: Trial, profile: str, found: dict[str, Any]) -> Iterator[str]:
    for language, each in found["figures"].items():
        oos, covered = each["oos"], each["coverage_at"]
        cells = [
            trial.name, trial.split, profile, language, str(each["n"]), _percent(each["accuracy"]),
            _percent(each["macro_f1"]), f"{each['ece']:.3f}", _percent(covered["0.90"]),
            _percent(covered["0.95"]), "" if oos["auroc"] is None else f"{oos['auroc']:.3f}",
            _percent(oos["recall"]), _percent(oos["refused_in_scope"]),
        ]  # fmt: skip
        if language == "all":
            cells += [f"{found['learning']:.1f}", f"{found['rate']:.0f}", f"{found['memory']:.0f}"]
        else:
            cells += ["", "", ""]
        yield "| " + " | ".join(cells) + " |"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f}"


def _apart(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.triage", *words],
        env=apart.environment(), check=True, capture_output=True, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.triage", description=__doc__)
    parser.add_argument("data", type=Path, help="folder with the CSV files")
    parser.add_argument("--only", default="", metavar="WORD", help="sets with this in their name")
    parser.add_argument("--profile", choices=PROFILES, action="append")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    profiles: Sequence[str] = asked.profile or PROFILES
    if asked.one is not None:
        chosen = shipped(profiles[0]) if asked.one < 0 else None
        found = chosen or measure(TRIALS[asked.one], asked.data, profiles[0])
        print(json.dumps(found))
        return 0
    print("| " + " | ".join(_COLUMNS) + " |\n" + "|---" * len(_COLUMNS) + "|", flush=True)
    for number, trial in enumerate(TRIALS):
        for profile in profiles if asked.only in trial.name else ():
            found = _apart(str(asked.data), "--one", str(number), "--profile", profile)
            print("\n".join(_lines(trial, profile, found)), flush=True)
    if not asked.only:
        print("\n| set | published | figures | read in |\n|---|---|---|---|")
        print("\n".join(f"| {' | '.join(row)} |" for row in PUBLISHED), flush=True)
    for profile in profiles if not asked.only else ():
        costs = _apart(str(asked.data), "--one", "-1", "--profile", profile)
        said = ", ".join(f"{name} {value:.1f}" for name, value in costs.items())
        print(f"\n{profile}, the model of the samples asked one mail at a time: {said}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
