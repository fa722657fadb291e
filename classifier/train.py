"""Makes the first model from the sample inquiries: `python -m classifier.train FILE`."""

import argparse
import hashlib
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from classifier import corpus, encoders, storage, taxonomy
from classifier.apart import environment
from classifier.encoders import Encoder
from classifier.model import Model

log = logging.getLogger(__name__)

_LONGEST = 600  # seconds; it takes about twenty

# What the numbers of a model depend on beside the samples. Reading them is quicker than trusting
# somebody to raise a version by hand.
_CODE = (
    "alarms.py",
    "calibration.py",
    "encoders.py",
    "features.py",
    "fitting.py",
    "flagging.py",
    "flags.py",
    "fusion.py",
    "glossary.py",
    "material.py",
    "model.py",
    "nearest.py",
    "network.py",
    "scope.py",
    "sources.py",
    "storage.py",
    "taxonomy.py",
)

PROFILES = ("encoder", "plain")


class NoModel(Exception):
    """The samples could not be learned from; the message is the last thing training said."""


def fit_default(
    folder: Path,
    profile: str = "encoder",
    *,
    weights: Path | None = None,
    encoder: Encoder | None = None,
    before: Callable[[], None] | None = None,
) -> Model:
    """The model of the sample inquiries, fitted once and kept in `folder`; `before` comes first.

    Fitting happens in a process of its own: it would hold up every other thread of this one, and
    scikit-learn's memory is given back with it. Where the encoder cannot be used, words and
    characters have to do. Its weights may lie elsewhere than in its package, or it may be there
    already. Raises `NoModel`.
    """
    encoder = encoder or encoders.usable(profile, weights)
    return _kept_or_fitted(folder, profile if encoder.width else "plain", encoder, before)


def _kept_or_fitted(
    folder: Path, profile: str, encoder: Encoder, before: Callable[[], None] | None
) -> Model:
    path = folder / f"{default_name(encoder)}.npz"
    if storage.card_path(path).exists():
        try:
            return storage.load(path, encoder)
        except storage.BadModel as error:
            log.warning("kept model not usable, fitting again", extra={"reason": str(error)})
    if before is not None:
        before()
    _fit_apart(path, profile)
    try:
        return storage.load(path, encoder)
    except storage.BadModel as error:
        raise NoModel(str(error)) from error


def default_name(encoder: Encoder) -> str:
    """Names samples, code and versions by their hash, so that a change of any is another model."""
    digest = hashlib.sha256(repr(sorted(storage.versions(encoder).items())).encode())
    here = Path(__file__).parent
    seeds = [
        here / "seed" / f"{kind}{language}.jsonl"
        for kind in ("", "oos.")
        for language in corpus.LANGUAGES
    ]
    seeds.append(here / "seed" / "flags.jsonl")
    for part in [*(here / name for name in _CODE), *seeds]:
        digest.update(part.read_bytes() if part.exists() else b"")
        digest.update(b"\0")
    return f"samples-{digest.hexdigest()[:12]}"


def _fit_apart(path: Path, profile: str) -> None:
    command = [sys.executable, "-m", "classifier.train", "--profile", profile, str(path)]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, module and path
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoModel(f"Training did not finish: {error}.") from error
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        raise NoModel(f"Training failed: {said[-1]}")


def fit_samples(encoder: Encoder) -> Model:
    """Fit in this process. Raises `BadCorpus`."""
    from classifier import fitting

    return fitting.fit(
        corpus.load(),
        corpus.load_strange(),
        name=default_name(encoder),
        encoder=encoder,
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m classifier.train", description=__doc__)
    parser.add_argument("file", type=Path, help="where the model goes, ending in .npz")
    parser.add_argument("--profile", choices=PROFILES, default="encoder")
    chosen = parser.parse_args(arguments)
    path: Path = chosen.file
    if path.suffix != ".npz":
        parser.error("the file must end in .npz")
    try:
        model = fit_samples(encoders.of_profile(chosen.profile))
    except (corpus.BadCorpus, encoders.NoEncoder) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    storage.save(model, path)
    sys.stdout.write(
        f"{model.identity.name}: {model.identity.samples} samples, "
        f"{len(taxonomy.STAGES)} stages, {len(model.heads['topic'].labels)} topics -> {path}\n"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
