"""What is derived from the installation's keys: seals, thread tokens, survey tokens."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import key_file, secrets
from app.core.errors import Invalid
from app.core.secrets import Keys

KEYS = Keys(b"k" * 32)
OTHER = Keys(b"o" * 32)
TWO = key_file.with_new_key(b"k" * 32, date(2026, 11, 22))
NEWER = Keys(TWO)  # those of KEYS and one more
ONLY_NEW = Keys(key_file.without_key(TWO, 1))
PURPOSES = {
    "id": (Keys.id_token, Keys.ticket_of_id),
    "reply": (Keys.reply_token, Keys.ticket_of_reply),
    "tag": (Keys.tag_token, Keys.ticket_of_tag),
}


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


@pytest.mark.parametrize("purpose", PURPOSES)
def test_a_token_proves_its_ticket_and_purpose_only(purpose: str) -> None:
    make, prove = PURPOSES[purpose]
    token = make(KEYS, "k7m2qx9ab")

    assert prove(KEYS, token) == "k7m2qx9ab"
    assert prove(KEYS, token.upper()) == "k7m2qx9ab"
    forged = [
        "",
        "k7m2qx9ab",
        token[:-1],
        f"{token}a",
        token.replace("k7m2qx9ab", "k7m2qx9ac"),
        token.replace("-1-", "-2-"),
        token.replace("-1-", "-01-"),
        make(OTHER, "k7m2qx9ab"),
        *(other(KEYS, "k7m2qx9ab") for other, _ in PURPOSES.values() if other is not make),
        "é-1-é",
    ]
    assert [prove(KEYS, one) for one in forged] == [None] * len(forged)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_the_newest_key_signs_and_each_there_is_proves(purpose: str) -> None:
    make, prove = PURPOSES[purpose]
    old, new = make(KEYS, "k7m2qx9ab"), make(NEWER, "k7m2qx9ab")

    assert [token.split("-")[1] for token in (old, new)] == ["1", "2"]
    proved = {
        (keys, token): prove(keys, token)
        for keys in (KEYS, NEWER, ONLY_NEW)
        for token in (old, new, old.replace("-1-", "-2-"), new.replace("-2-", "-1-"))
    }
    assert {pair for pair, ref in proved.items() if ref == "k7m2qx9ab"} == {
        (KEYS, old),
        (NEWER, old),
        (NEWER, new),
        (ONLY_NEW, new),
    }
    assert set(proved.values()) == {"k7m2qx9ab", None}


def test_what_an_older_key_sealed_opens_until_it_is_withdrawn() -> None:
    sealed = KEYS.seal("pässword", label="inbox 1")

    assert NEWER.unseal(sealed, label="inbox 1") == "pässword"
    with pytest.raises(Invalid):
        ONLY_NEW.unseal(sealed, label="inbox 1")
    with pytest.raises(Invalid):
        KEYS.unseal(NEWER.seal("pässword", label="inbox 1"), label="inbox 1")
    assert [keys.has_mark(KEYS.mark) for keys in (KEYS, NEWER, ONLY_NEW)] == [True, True, False]
    assert NEWER.mark == ONLY_NEW.mark


REFS = st.text(secrets.CROCKFORD, min_size=1, max_size=12)


@given(st.sampled_from(sorted(PURPOSES)), REFS, st.integers(0, 60), st.characters())
def test_a_token_that_was_changed_anywhere_proves_nothing(
    purpose: str, ref: str, place: int, letter: str
) -> None:
    make, prove = PURPOSES[purpose]
    token = make(NEWER, ref)
    changed = token[:place] + letter + token[place + 1 :]

    assert prove(NEWER, token) == ref
    assert (prove(NEWER, changed) is not None) == (changed.lower() == token)


@given(st.text(max_size=80))
def test_no_text_at_all_falls_over_or_proves_anything(text: str) -> None:
    assert [prove(NEWER, text) for _, prove in PURPOSES.values()] == [None] * len(PURPOSES)


def test_tokens_of_one_purpose_are_none_of_another() -> None:
    assert len({KEYS.survey_token("n"), OTHER.survey_token("n"), KEYS.survey_token("m")}) == 3
    assert KEYS.form_token("survey", "n") != KEYS.form_token("stop", "n")
    assert secrets.digest(KEYS.survey_token("n")) != KEYS.survey_token("n")


def test_random_things_differ_and_are_safe_to_say() -> None:
    refs = {secrets.new_ref() for _ in range(1000)}

    assert len(refs) == 1000
    assert set("".join(refs)) <= set(secrets.CROCKFORD)
    assert len({secrets.new_token() for _ in range(100)}) == 100
