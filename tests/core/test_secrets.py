"""One key file, and what is derived from it: seals, thread tokens, survey tokens."""

import stat
import threading
from pathlib import Path

import pytest

from app.core import secrets
from app.core.errors import Invalid
from app.core.secrets import Keys

KEYS = Keys(b"k" * 32)
OTHER = Keys(b"o" * 32)


def test_the_key_is_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret.key"

    key = secrets.load_key(path)

    assert (len(key), secrets.load_key(path)) == (32, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    together = threading.Barrier(8)
    found: list[bytes] = []

    def load() -> None:
        together.wait(10)
        found.append(secrets.load_key(path))

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
        secrets.load_key(path)


def test_what_is_sealed_opens_with_its_key_in_its_place() -> None:
    sealed = KEYS.seal("pässword", label="inbox 1")

    assert KEYS.unseal(sealed, label="inbox 1") == "pässword"
    assert b"ssword" not in sealed
    assert KEYS.seal("pässword", label="inbox 1") != sealed
    for keys, label, changed in (
        (OTHER, "inbox 1", sealed),
        (KEYS, "inbox 2", sealed),
        (KEYS, "inbox 1", sealed[:-1] + bytes([sealed[-1] ^ 1])),
        (KEYS, "inbox 1", b""),
    ):
        with pytest.raises(Invalid):
            keys.unseal(changed, label=label)


@pytest.mark.parametrize("purpose", ["id", "reply"])
def test_a_token_proves_its_ticket_and_purpose_only(purpose: str) -> None:
    make = {"id": Keys.id_token, "reply": Keys.reply_token}
    prove = {"id": Keys.ticket_of_id, "reply": Keys.ticket_of_reply}
    other = "reply" if purpose == "id" else "id"
    token = make[purpose](KEYS, "k7m2qx9ab")

    assert prove[purpose](KEYS, token) == "k7m2qx9ab"
    assert prove[purpose](KEYS, token.upper()) == "k7m2qx9ab"
    forged = [
        "",
        "k7m2qx9ab",
        token[:-1],
        f"{token}a",
        token.replace("k7m2qx9ab", "k7m2qx9ac"),
        token.replace("-1-", "-2-"),
        make[purpose](OTHER, "k7m2qx9ab"),
        make[other](KEYS, "k7m2qx9ab"),
        "é-1-é",
    ]
    assert [prove[purpose](KEYS, one) for one in forged] == [None] * len(forged)


def test_tokens_of_one_purpose_are_none_of_another() -> None:
    assert len({KEYS.survey_token("n"), OTHER.survey_token("n"), KEYS.survey_token("m")}) == 3
    assert KEYS.form_token("survey", "n") != KEYS.form_token("stop", "n")
    assert secrets.digest(KEYS.survey_token("n")) != KEYS.survey_token("n")


def test_random_things_differ_and_are_safe_to_say() -> None:
    refs = {secrets.new_ref() for _ in range(1000)}

    assert len(refs) == 1000
    assert set("".join(refs)) <= set(secrets.CROCKFORD)
    assert len({secrets.new_token() for _ in range(100)}) == 100
