"""`triage`: what the classifier makes of texts in a file, and a new version of it at once."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.cli import console
from app.cli.console import complain, say
from app.core.errors import Conflict, Invalid
from app.core.settings import Settings
from classifier.contract import Classifier, HeadPrediction, Prediction

_LASTS = "a few hundred take seconds, thousands take minutes"

if TYPE_CHECKING:
    from classifier.tables import Example


def evaluate(asked: argparse.Namespace, _settings: Settings) -> int:
    from classifier import evaluate as core
    from classifier import tables
    from classifier.encoders import NoEncoder, of_profile

    if (asked.train is None) != (asked.test is None) or (asked.file is None) == (
        asked.train is None
    ):
        raise Invalid("Give one file, or two with --train and --test.")
    try:
        encoder = of_profile(asked.profile)
        names = tables.read_names(asked.labels, tell=complain) if asked.labels else []
        if asked.file:
            examples = _labelled(asked.file)
            complain(f"Learning five times from four in five of {len(examples)} texts; {_LASTS}.")
            answers = core.ask_in_folds(examples, names, encoder)
        else:
            learned, others = _labelled(asked.train), _labelled(asked.test)
            complain(f"Learning from {len(learned)} texts; {_LASTS}.")
            answers = core.ask(core.fit(learned, names, encoder), others)
    except (tables.BadFile, NoEncoder) as problem:
        raise Invalid(str(problem)) from problem
    if asked.json:
        say(json.dumps(core.figures(answers), ensure_ascii=False))
    else:
        for line in core.table((asked.file or asked.test).stem, answers):
            say(line)
    return 0


def _labelled(path: Path) -> "list[Example]":
    """Rows that have a label and a text; how many have none is said. Raises `BadFile`."""
    from classifier import tables

    found = tables.read(path, tell=complain)
    if blank := sum(not example.text.strip() for example in found):
        complain(f"{path.name}: {blank} rows without a text were left out.")
    found = [example for example in found if example.text.strip()]
    kept = [example for example in found if example.label]
    if not kept:
        raise tables.BadFile(f"{path.name} has no row with a label.")
    if left := len(found) - len(kept):
        complain(f"{path.name}: {left} rows without a label were left out.")
    return kept


def predict(asked: argparse.Namespace, settings: Settings) -> int:
    """By the version that answers in the inbox, or by the samples' model in the profile named."""
    from classifier import tables, train

    try:
        examples = tables.read(asked.file, labelled=False, tell=complain)
        model = None if asked.profile else _own(settings)
        if model is None:
            profile = asked.profile or settings.triage_profile
            model = train.fit_default(settings.data_dir / "triage", profile, before=_fits)
    except (tables.BadFile, train.NoModel) as problem:
        raise Invalid(str(problem)) from problem
    for row, example in enumerate(examples):
        said = _asked(model, example.text, example.language)
        stage, topic = _shown(said.stage), _shown(said.topic)
        if asked.json:
            line = {"row": row, "stage": stage, "topic": topic, "model": said.model}
            say(json.dumps(line, ensure_ascii=False))
        else:
            heads = (
                f"{head['label'] or '-'} ({head['probability']:.2f})" for head in (stage, topic)
            )
            say(f"{row}\t" + "\t".join(heads))
    return 0


def _asked(model: Classifier, text: str, language: str) -> Prediction:
    from app.worker.answering import Gone

    try:
        return model.predict(text, language=language)
    except (Gone, RuntimeError) as problem:
        raise Conflict(
            "The process in which the model answers has ended. Try it again."
        ) from problem


def _fits() -> None:
    complain("Learning from the sample inquiries first; this takes a minute or two, and only once.")


def _own(settings: Settings) -> Classifier | None:
    """The version that answers, where this is an installation and has one of its own."""
    from app.services import models
    from app.worker import training
    from app.worker.answering import Answering
    from app.worker.triage import Triage

    if not (settings.database_url or settings.sqlite_file.exists()):
        return None
    with console.opened(settings) as found, found.database.reading() as session:
        version = training.version_of(session, models.in_force(session)[0])
    process, folder = Answering(settings.triage_profile), settings.data_dir / "triage"
    triage = Triage(folder, switched_on=True, load=process.samples, load_own=process.own)
    return triage.opened(version) if version else None


def train(_asked: argparse.Namespace, settings: Settings) -> int:
    """Here and now, without waiting for a worker; whether one runs or not."""
    from app.main import build_works
    from app.web.deps import House
    from app.worker import training

    with console.opened(settings) as found:
        house = House(settings, found.database, found.blobs, found.keys)
        version = training.by_hand(build_works(house))
    if version is None:
        raise Conflict("A version is being trained at this moment.")
    if version.problem:
        complain(version.problem)
        return 1
    say(f"{version.name}: {version.state}")
    for head in ("stage", "topic"):
        found = version.figures[head]
        say(
            f"{head}: {version.learned[head]} texts, on {found['texts']} unseen "
            f"{found['challenger']:.1%} right, {found['champion']:.1%} before"
        )
    return 0


def _shown(head: HeadPrediction) -> dict[str, Any]:
    return {
        "label": head.label,
        "decision": head.decision,
        "probability": head.probability,
        "basis": head.basis,
        "novelty": head.novelty,
        "top": [{"label": one.label, "probability": one.probability} for one in head.top],
    }
