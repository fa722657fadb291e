"""The file of the keys: made once, never half, with more keys only on purpose."""

import stat
import threading
from datetime import date
from pathlib import Path

import pytest

from app.core import key_file
from app.core.errors import Invalid
from app.core.key_file import Key

FIRST = b"k" * 32
TODAY = date(2026, 11, 22)


def test_the_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"

    key = key_file.load_key(path)

    assert (len(key), key_file.load_key(path)) == (32, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    together = threading.Barrier(8)
    found: list[bytes] = []

    def load() -> None:
        together.wait(10)
        found.append(key_file.load_key(path))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert found == [path.read_bytes()] * 8


def test_half_a_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"short")

    with pytest.raises(Invalid, match="32 bytes"):
        key_file.load_key(path)


def test_each_new_key_is_the_newest_and_any_older_one_can_go() -> None:
    three = key_file.with_new_key(key_file.with_new_key(FIRST, TODAY), TODAY)
    [newest, second, first] = key_file.ring_of(three)

    assert [(key.number, key.since) for key in (newest, second, first)] == [
        (3, "2026-11-22"),
        (2, "2026-11-22"),
        (1, ""),
    ]
    assert (first, len({newest.value, second.value, FIRST})) == (Key(1, FIRST), 3)
    assert key_file.ring_of(key_file.without_key(three, 1)) == [newest, second]
    assert key_file.ring_of(key_file.without_key(three, 2)) == [newest, first]
    # The number of one that is gone never means another one.
    alone = key_file.without_key(key_file.without_key(three, 2), 1)
    assert key_file.ring_of(key_file.with_new_key(alone, TODAY))[0].number == 4


LINE = f"2 {'ab' * 32} -\n"
WRONG = {
    "nothing": "",
    "no number": LINE.replace("2 ", "two ", 1),
    "a number below one": LINE.replace("2 ", "0 ", 1),
    "a short key": LINE.replace("ab", "", 1),
    "no key": "2 zz -\n",
    "too many words": LINE.replace(" -", " - -"),
    "twice the same": LINE + LINE,
    "the older first": LINE.replace("2 ", "1 ", 1) + LINE,
    "other letters": LINE.replace("2 ", "\uff12 ", 1),
}


@pytest.mark.parametrize("content", WRONG.values(), ids=WRONG)
def test_what_holds_no_keys_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(Invalid, match="must hold exactly 32 bytes, or what"):
        key_file.read_key(path)


def test_a_key_file_is_replaced_whole_and_stays_the_owners(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    key_file.load_key(path)
    path.chmod(0o644)

    key_file.write_key(path, FIRST)

    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (FIRST, 0o600)
    assert [file.name for file in tmp_path.iterdir()] == ["secret.key"]
