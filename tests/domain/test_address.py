"""Which addresses are the same person, and what is no address."""

import pytest

from app.domain.address import is_email, normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Yumi@Shop.test", " yumi@shop.TEST "),
        ("info@xn--mller-kva.test", "info@müller.test"),
        ("info@XN--MLLER-KVA.test", "INFO@MÜLLER.TEST"),
        ("info@\uff53\uff48\uff4f\uff50.test", "info@shop.test"),
        ("caf\u00e9@shop.test", "cafe\u0301@shop.test"),
    ],
)
def test_two_spellings_of_one_address(one: str, other: str) -> None:
    assert normal("email", one, 1) == normal("email", other, 2)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("strasse@shop.test", "straße@shop.test"),
        ("info@strasse.test", "info@straße.test"),
        ("info@straße.test", "info@xn--strae-oqa-x.test"),
        ("yumi+1@shop.test", "yumi@shop.test"),
        ("yumi@shop.test", "yumi@shop.test.evil.test"),
    ],
)
def test_two_addresses_that_only_look_alike(one: str, other: str) -> None:
    assert normal("email", one, 1) != normal("email", other, 1)


@pytest.mark.parametrize("value", ["xn--\u00e9@x", "a@xn--", "a@xn--99999999999", "@", "", "a@b@c"])
def test_what_is_no_address_is_compared_as_it_stands(value: str) -> None:
    assert normal("email", value, 1) == normal("email", value, 2)


def test_a_number_is_the_same_with_and_without_blanks() -> None:
    assert normal("phone", "+81 3-1234-5678", 1) == normal("phone", "+81312345678", 2)
    assert normal("phone", " unknown ", 1) == "unknown"


def test_a_handle_belongs_to_its_inbox() -> None:
    assert normal("chat", "7", 1) != normal("chat", "7", 2)
    assert normal("chat", "A", 1) != normal("chat", "a", 1)


@pytest.mark.parametrize(
    "value", ["yumi@shop.test", "a+b.c@shop.test", "info@müller.test", "x@localhost"]
)
def test_an_address_is_one(value: str) -> None:
    assert is_email(value)


@pytest.mark.parametrize(
    "value", ["", "@", "a@", "@b", "a b@c", "a@b@c", "a@b\n", "<a@b>", "a@.", "Bcc:x@y"]
)
def test_anything_else_is_none(value: str) -> None:
    assert not is_email(value)
