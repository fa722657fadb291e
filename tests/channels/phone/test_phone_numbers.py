"""Phone numbers from exchanges, spreadsheets and people."""

# ruff: noqa: RUF001  (signs that look alike are what is tested)

import pytest

from channels.contract import Party
from channels.phone import numbers


@pytest.mark.parametrize(
    ("written", "region", "dialled"),
    [
        ("+4930901820", "", "+4930901820"),
        ("0049 30 901820", "", "+4930901820"),
        ("030/90 18 20", "DE", "+4930901820"),
        ("+49 (0)30 901820", "JP", "+4930901820"),
        ("0151 23456789", "DE", "+4915123456789"),
        ("151 23456789", "DE", "+4915123456789"),  # a spreadsheet ate the zero
        ("090-1234-5678", "JP", "+819012345678"),
        ("9012345678", "JP", "+819012345678"),
        ("312345678", "JP", "+81312345678"),
        ("819012345678", "JP", "+819012345678"),
        ("０９０－１２３４－５６７８", "JP", "+819012345678"),
        ("０９０ー１２３４ー５６７８", "JP", "+819012345678"),
        ("090‐1234‐5678", "JP", "+819012345678"),
        ("０３（１２３４）５６７８", "JP", "+81312345678"),
        ('="030901820"', "DE", "+4930901820"),
        ("'09012345678", "JP", "+819012345678"),
        ("9012345678.0", "JP", "+819012345678"),
        ("9.012345678E+9", "JP", "+819012345678"),
        ("8.19012345678E+11", "JP", "+819012345678"),
        ("4,930901820E9", "DE", "+4930901820"),
        ("03-1234-5678 内線 12", "JP", "+81312345678"),
        ("03-1234-5678内線12", "JP", "+81312345678"),
        ("030 901820 Durchwahl -12", "DE", "+4930901820"),
        ("(650) 253-0000 ext. 4", "US", "+16502530000"),
        ("tel:+81-90-1234-5678", "", "+819012345678"),
        ("sip:+4930901820@pbx.example;user=phone", "", "+4930901820"),
    ],
)
def test_a_number_is_what_the_whole_world_dials(written: str, region: str, dialled: str) -> None:
    assert numbers.party(written, "Ann", region) == Party("phone", dialled, "Ann")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("204", "204"),
        ("090-1234-5678", "09012345678"),
        ("0151 2345", "01512345"),
        ("reception", "reception"),
        ("sip:ann@pbx.example", "ann"),
    ],
)
def test_what_cannot_be_dialled_from_everywhere_is_kept_apart(written: str, kept: str) -> None:
    assert numbers.party(written, "", "") == Party("phone-local", kept)


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "-", "anonymous", "Anonymous", "UNKNOWN", "private", "Restricted", "s"),
        *("Anonym", "unbekannt", "Unterdrückt", "非通知", "通知不可能", "公衆電話", "表示圏外"),
    ],
)
def test_a_withheld_number_is_nobody(written: str) -> None:
    assert numbers.party(written, "Ann", "DE") is None


@pytest.mark.parametrize("written", ["9.01E+11", "9,01E+11", "4.9309E10"])
def test_a_number_whose_digits_are_lost_is_not_guessed(written: str) -> None:
    with pytest.raises(numbers.Damaged, match="lost its digits in a spreadsheet"):
        numbers.party(written, "", "JP")
