"""Break the program on purpose, in a copy, one way after the other: the tests must go red.

python -m tests.sabotage [words of a patch's name …]
"""

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.sabotage.patches import PATCHES, Patch

ROOT = Path(__file__).parents[2]
CEILING = 900  # seconds for the tests of one patch
FAILED = 1  # what pytest returns when tests ran and some failed; anything else is no verdict
_COPIED = ("app", "channels", "classifier", "templates", "tests", "pyproject.toml")


def main(words: Sequence[str]) -> int:
    chosen = [patch for patch in PATCHES if all(word in patch.name for word in words)]
    if not chosen:
        print(f"no patch has “{' '.join(words)}” in its name")
        return 2
    with tempfile.TemporaryDirectory(prefix="setten-sabotage-") as folder:
        copy = Path(folder) / "tree"
        _copy(copy)
        tests = list(dict.fromkeys(test for patch in chosen for test in patch.tests))
        began = time.monotonic()
        sound, said = _run(copy, tests)
        if sound != 0:
            print(said)
            print("The tests are red before anything is broken: nothing can be told from them.")
            return 1
        print(
            f"sound      {time.monotonic() - began:6.1f} s  green before anything is broken",
            flush=True,
        )
        results = [_try(copy, patch) for patch in chosen]
    print(f"{sum(results)} of {len(results)} sabotages were noticed.")
    return 0 if all(results) else 1


def _copy(to: Path) -> None:
    to.mkdir()
    unwanted = shutil.ignore_patterns("__pycache__", ".pytest_cache")
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=unwanted)
        else:
            shutil.copyfile(source, to / name)


def _try(copy: Path, patch: Patch) -> bool:
    """Whether the tests noticed. The copy is whole again afterwards."""
    file = copy / patch.file
    before = file.read_text("utf-8")
    if before.count(patch.old) != 1:
        raise SystemExit(
            f"“{patch.name}”: its text stands {before.count(patch.old)} times in {patch.file}, "
            "not once. The program changed: bring the patch up to date."
        )
    file.write_text(before.replace(patch.old, patch.new), "utf-8")
    began = time.monotonic()
    try:
        code, said = _run(copy, patch.tests)
    finally:
        file.write_text(before, "utf-8")
    noticed = code == FAILED
    verdict = "noticed" if noticed else "MISSED" if code == 0 else "BROKEN"
    print(f"{verdict:10} {time.monotonic() - began:6.1f} s  {patch.name}", flush=True)
    print(_why(said) if noticed else said, flush=True)
    return noticed


def _why(said: str) -> str:
    """What the red test complained of, so that one that fell over for another reason is seen."""
    lines = [line[1:].strip() for line in said.splitlines() if line.startswith("E  ")]
    return f"           {lines[0][:120]}" if lines else said


def _run(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    done = subprocess.run(
        [
            *(sys.executable, "-B", "-m", "pytest", "-q", "-x", "--tb=short", "--no-header"),
            *("-p", "no:cacheprovider", "-n", "0", *tests),
        ],
        cwd=copy,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CEILING,
        check=False,
    )
    return done.returncode, done.stdout[-4000:]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
