"""What an exported text still says, and what it does not say any more."""

import io
from pathlib import Path

import pytest

from classifier import tables
from classifier.masking import Names, masked
from classifier.tables import Example

from .conftest import chars_of, words_of

NOBODY = Names(frozenset())
YUMI = Names(
    own=frozenset(
        {"Yumi Takahashi", "高橋 由美", "O'Brien", "林", "佐々木健太", "Dr. Anna von Berg"}
    ),
    firms=frozenset({"Berg Tools", "株式会社ホシ"}),
    others=frozenset({"Mark Bell", "鈴木"}),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Call +49 89 1234567 or 090-1234-5678.", "Call  xxphone  or  xxphone ."),
        ("Mail Yumi.T@Shop.Example, see HTTPS://Shop.Example/x?id=7", "Mail  xxmail , see  xxurl"),
        ("Order 48151 of 03.04.2026, \uff12 pieces", "Order 11111 of 11.11.1111, 1 pieces"),
        ("I am yumi, YUMI TAKAHASHI's sister.", "I am  xxname ,  xxname   xxname 's sister."),
        ("Frau von Berg, Herr O'Brien", "Frau von  xxname , Herr  xxname"),
        ("Dear Mark, 5 mark please. Bell", "Dear  xxname , 1 mark please.  xxname"),
        ("Berg Tools writes tools.", "xxname  writes tools."),
        ("高橋由美です。株式会社ホシの高橋です。", "xxname  xxname です。 xxname の xxname です。"),
        ("林様、鈴木さん。小林の林", "xxname 様、 xxname さん。小林の林"),
        ("佐々木と申します。", "xxname と申します。"),
        ("ﾀｶﾊｼです。", "タカハシです。"),
        ("The lid does not close.", "The lid does not close."),
    ],
)  # fmt: skip
def test_those_who_wrote_are_left_out(text: str, said: str) -> None:
    assert masked(text, YUMI) == said


TARO = Names(frozenset({"田中太郎"}), frozenset({"ABC商事株式会社"}))
READ = Names(frozenset({"田中太郎 (たなか たろう)", "高橋ミカ", "みか"}))
DESKS = Names(frozenset({"注文係", "返品センター"}))
PETRA = Names(
    frozenset({"Petra Müller", "Jo"}),
    frozenset({"Müller Maschinenbau GmbH & Co. KG", "Post AG", "(株)ホシ", "Tools, Inc."}),
    frozenset({"Mark Bell"}),
)


@pytest.mark.parametrize(
    ("text", "names", "said"),
    [
        # A family name of one that is stored without a blank.
        ("ABC商事　田中", TARO, "xxname   xxname"),
        ("担当：田中\n", TARO, "担当: xxname"),
        ("田中宛に、田中様、田中さん", TARO, "xxname 宛に、 xxname 様、 xxname さん"),
        ("田中より。田中です", TARO, "xxname より。 xxname です"),
        ("田中町の田中屋", TARO, "田中町の田中屋"),
        ("注文：返品。注文です、返品より", DESKS, "注文:返品。注文です、返品より"),
        ("注文係さま", DESKS, "xxname さま"),
        # A reading that somebody wrote down.
        ("たなかです。タナカタロウ", READ, "xxname です。 xxname  xxname"),
        ("みかさん、みかんとミカ", READ, "xxname さん、みかんと xxname"),
        # A genitive.
        ("Frau Müllers Rechnung", PETRA, "Frau  xxname  Rechnung"),
        ("MÜLLERS, PETRAS, Petra's", PETRA, "xxname ,  xxname ,  xxname 's"),
        ("Marks Brief, 2 marks, Jos", PETRA, "xxname  Brief, 1 marks, Jos"),
        # A company without its legal form.
        ("Müller Maschinenbau schickt", PETRA, "xxname  schickt"),
        ("Die Post, Postleitzahl, post", PETRA, "Die  xxname , Postleitzahl, post"),
        ("ホシの注文、ホシイ", PETRA, "xxname の注文、ホシイ"),
        ("Tools Inc., Toolsmith", PETRA, "xxname  Inc., Toolsmith"),
        # Addresses in any script.
        ("petra@bücher.example", PETRA, "xxmail"),
        ("info@müller.example, 山田@例え.example", PETRA, "xxmail ,  xxmail"),
    ],
)  # fmt: skip
def test_other_ways_to_write_a_name_are_left_out_too(text: str, names: Names, said: str) -> None:
    assert masked(text, names) == said


TEXTS = [
    "Wo bleibt meine Bestellung 00471-22? Tel. 0151/2345678, Danke, a.b@c.example",
    "注文番号０１２３４５６７８９の状況を教えてください。http://a.example/b 電話 03-1234-5678",
    "Invoice 12345678 of 12/03/2026, 2 x 19,90 EUR, IBAN DE02 1203 0000 0000 2020 51",
    "Müller@firma.example, info@müller.example, https://a.example/?n=Müller 山田@例え.example",
    "Straße, ﬁne, İstanbul, so\u00adft, don\u2019t, ﾊﾟﾝ, 10:30-11:00, +1",
]


@pytest.mark.parametrize("text", TEXTS)
def test_the_same_features_come_of_it(text: str) -> None:
    again = masked(text, NOBODY)

    assert words_of(again) == words_of(text)
    assert chars_of(again) == chars_of(text)
    assert masked(again, NOBODY) == again


FORMULAS = [
    "=1+1", "+49", "-5 %", "@sum(a1)", "\t=1", "\n=1", " =1", "'=1", "''=1", "'", "'quoted'", "",
    'a "b", c;d', "two\nlines\n=3", "\uff1d1", "a=1", " \t-x", "'\n",
]  # fmt: skip


def test_what_is_written_is_read_again_and_runs_in_no_spreadsheet(tmp_path: Path) -> None:
    given = [Example(text, "stage", "en") for text in FORMULAS]
    path = tmp_path / "out.csv"

    with path.open("w", encoding="utf-8-sig", newline="") as file:
        number = tables.write(file, given)

    assert number == len(given)
    assert tables.read(path) == given
    cells = [row["text"] for row in tables._rows(path, set())]
    signs = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d")
    assert [cell for cell in cells if cell.lstrip(" ").startswith(signs)] == []


def test_nothing_but_the_heading_comes_of_nothing() -> None:
    file = io.StringIO()

    assert tables.write(file, []) == 0
    assert file.getvalue() == '"text","label","lang"\r\n'
