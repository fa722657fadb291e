"""Which passwords are refused, and that checking one is as slow for nobody as for anybody."""

import time

import pytest

from app.core import passwords
from app.core.errors import Invalid

EMAIL = "ann.becker@hoshi.example"


def wide(text: str) -> str:
    """As a Japanese keyboard writes it."""
    return "".join("\u3000" if c == " " else chr(ord(c) + 0xFEE0) for c in text)


@pytest.mark.parametrize(
    ("password", "words"),
    [
        ("short", "A password needs at least 10 characters."),
        ("x" * 257, "A password has at most 256 characters."),
        ("has a\x00nul in it", "A password has no control characters."),
        ("half a \ud800 character", "A password has no control characters."),
        ("Ann.Becker@hoshi.example", "The address itself is the first thing anybody tries."),
        ("ann.becker2026!", "The address itself is the first thing anybody tries."),
        ("Password123!", "This password is among the first anybody tries."),
        (wide("password123"), "This password is among the first anybody tries."),
        ("1234567890", "This password is among the first anybody tries."),
        ("aaaaaaaaaaaa", "This password is among the first anybody tries."),
        ("qwertzuiop", "This password is among the first anybody tries."),
    ],
)
def test_password_that_would_be_guessed_is_refused(password: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        passwords.make_hash(password, EMAIL)

    assert refused.value.message == words


def test_password_is_the_same_from_a_japanese_keyboard() -> None:
    hashed = passwords.make_hash("korrekt pferd 9", EMAIL)

    answers = [
        passwords.is_right(password, hashed)
        for password in ("korrekt pferd 9", wide("korrekt pferd 9"), "Korrekt pferd 9")
    ]

    assert answers == [True, True, False]


def test_nobody_has_no_password_and_takes_as_long() -> None:
    hashed = passwords.make_hash("korrekt pferd 9", EMAIL)

    def seconds(stored: str) -> float:
        began = time.process_time()
        assert not passwords.is_right("something else", stored)
        return time.process_time() - began

    known, unknown = (min(seconds(stored) for _ in range(3)) for stored in (hashed, ""))
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize("password", ["", "\ud800" * 12, "x" * 100_000])
def test_odd_password_is_just_wrong(password: str) -> None:
    assert not passwords.is_right(password, "")
