"""The source of Setten with a handful of sample inquiries, so that learning takes a moment."""

import json
from pathlib import Path

from classifier.corpus import LANGUAGES, load_strange
from tests.classifier.conftest import small_samples
from tests.documents import ROOT

_STRANGE = 3  # texts of a language that are no inquiries


def plant(tree: Path) -> Path:
    """Links to all of it, but for the folder of the samples."""
    (tree / "classifier" / "seed").mkdir(parents=True)
    for name in ("app", "channels", "templates"):
        (tree / name).symlink_to(ROOT / name)
    for path in (ROOT / "classifier").iterdir():
        if path.name not in {"seed", "__pycache__"}:
            (tree / "classifier" / path.name).symlink_to(path)
    (tree / "classifier" / "seed" / "flags.jsonl").symlink_to(
        ROOT / "classifier" / "seed" / "flags.jsonl"
    )
    for language in LANGUAGES:
        samples = [
            {"text": one.text, "stage": one.stage, "topic": one.topic, "channel": one.channel,
             "firm": one.firm}
            for one in small_samples() if one.language == language
        ]  # fmt: skip
        strange = [
            {"text": one.text, "kind": one.kind, "channel": one.channel, "firm": one.firm}
            for one in load_strange([language])[:_STRANGE]
        ]
        for name, rows in ((f"{language}.jsonl", samples), (f"oos.{language}.jsonl", strange)):
            lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            (tree / "classifier" / "seed" / name).write_text(lines, encoding="utf-8")
    return tree
