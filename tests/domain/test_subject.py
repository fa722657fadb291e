"""A subject without the marks mail programs put before it."""

import pytest

from app.domain.subject import normal_subject


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("A question", "A question"),
        ("Re: A question", "A question"),
        ("RE: AW: Fwd: WG: A question", "A question"),
        ("Re[2]: A question", "A question"),
        ("返信：転送: 茶碗の蓋", "茶碗の蓋"),
        ("Re : A question", "A question"),
        ("  Re:\r\n A\tquestion ", "A question"),
        ("Reply needed: A question", "Reply needed: A question"),
        ("Redirect", "Redirect"),
        ("Re:", ""),
        ("", ""),
        ("Re: " * 12 + "A question", "Re: Re: A question"),
    ],
)
def test_normal_subject(subject: str, expected: str) -> None:
    assert normal_subject(subject) == expected


def test_a_subject_made_to_be_slow_is_not() -> None:
    assert normal_subject("re " * 100_000) == " ".join(["re"] * 333) + " r"
