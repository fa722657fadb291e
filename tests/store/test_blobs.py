"""Raw bytes by their hash: whole or not there, once, and swept when half written."""

import hashlib
import os
from pathlib import Path

import pytest

from app.core.errors import NotFound
from app.store.blobs import Blobs

BODY = b"From: yumi@customers.test\r\n\r\nThe lid."
NAME = hashlib.sha256(BODY).hexdigest()
_MORE = hashlib.sha256(b"more").hexdigest()
MORE = f"{_MORE[:2]}/{_MORE}"


def files(blobs: Blobs) -> list[str]:
    return [
        str(path.relative_to(blobs.folder)) for path in blobs.folder.rglob("*") if path.is_file()
    ]


def test_what_is_put_is_there_by_its_hash(blobs: Blobs) -> None:
    assert blobs.put(BODY) == NAME

    assert blobs.get(NAME) == BODY
    assert files(blobs) == [f"{NAME[:2]}/{NAME}"]
    assert list(blobs.every()) == [NAME]


def test_the_same_bytes_are_there_once(blobs: Blobs) -> None:
    blobs.put(BODY)
    written = blobs.path(NAME).stat().st_ino

    blobs.put(BODY)

    assert files(blobs) == [f"{NAME[:2]}/{NAME}"]
    assert blobs.path(NAME).stat().st_ino == written


def test_what_nobody_put_of_late_is_removed(blobs: Blobs) -> None:
    blobs.put(BODY)
    young = blobs.remove(NAME)
    os.utime(blobs.path(NAME), (1, 1))
    blobs.put(BODY)  # somebody is about to name it again
    again = blobs.remove(NAME)
    os.utime(blobs.path(NAME), (1, 1))
    with Blobs(blobs.folder).all_staying():
        relied_on = blobs.remove(NAME)
        blobs.put(b"more")

    assert (young, again, relied_on, blobs.intact(NAME)) == (False, False, False, True)
    assert (blobs.remove(NAME), blobs.remove(NAME), files(blobs)) == (True, True, [MORE])
    assert blobs.put(BODY) == NAME
    assert blobs.get(NAME) == BODY


def test_nothing_at_all_is_something(blobs: Blobs) -> None:
    assert blobs.get(blobs.put(b"")) == b""


def test_what_is_not_there_is_not_found(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        blobs.get("0" * 64)

    assert blobs.intact("0" * 64) is False


def test_what_was_changed_on_the_disk_is_noticed(blobs: Blobs) -> None:
    blobs.put(BODY)
    assert blobs.intact(NAME)

    blobs.path(NAME).write_bytes(BODY + b"!")

    assert not blobs.intact(NAME)


def test_what_was_half_written_is_swept_when_it_is_old(blobs: Blobs) -> None:
    old, young = (blobs.folder / "incoming" / name for name in ("old", "young"))
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    blobs.put(BODY)

    assert blobs.sweep() == 1

    assert (old.exists(), young.exists()) == (False, True)
    assert blobs.get(NAME) == BODY


def test_a_new_process_finds_what_an_old_one_put(tmp_path: Path) -> None:
    Blobs(tmp_path / "blobs").put(BODY)

    assert Blobs(tmp_path / "blobs").put(BODY) == NAME
