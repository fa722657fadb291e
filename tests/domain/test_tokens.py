import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.tokens import (
    GAP,
    MAX_CHARACTERS,
    MAX_POSITIONS,
    MAX_REPEATS,
    MAX_TERMS,
    Term,
    Tokens,
    terms_of,
    tokens_of,
)


@pytest.mark.parametrize(
    ("text", "main"),
    [
        ("返品したい", ("返品", "品し", "した", "たい", "い")),
        ("品", ("品",)),
        ("返\n品", ("返品", "品")),  # wrapped by a mail program
        ("返品。\n返金", ("返品", "品", "返金", "金")),
        ("ﾍﾝﾋﾟﾝ ＡＢＣ １２３", ("ヘン", "ンピ", "ピン", "ン", "abc", "123")),  # noqa: RUF001
        ("か\u3099す", ("がす", "す")),  # a composed on macOS
        ("㈱山田", ("株", "山田", "田")),
        ("반품 문의", ("반품", "품", "문의", "의")),
        ("Straße STRASSE", ("strasse", "strasse")),
        ("Größe Cafe\u0301", ("grosse", "cafe")),
        ("K-20418 K20418", ("k", "20418", "k", "20418")),
        ("anna.berg@example.com", ("anna", "berg", "example", "com")),
        ("iPhone15Pro", ("iphone", "15", "pro")),
        ("x7k2m9pq4t", ("x7k2m9pq4t",)),
        ("Rech\u00adnung 返\u200b品", ("rechnung", "返品", "品")),
        ("a_b", ("a", "b")),
        ("\x00\ud800 🙂 …", ()),
        ("", ()),
    ],
)
def test_tokens_of_one_text(text: str, main: tuple[str, ...]) -> None:
    assert tokens_of([text]).main == main


def test_tokens_of_compounds_hold_their_last_parts() -> None:
    found = tokens_of(["Rechnungsadresse, Straßenbahn"])

    assert found == Tokens(
        ("rechnungsadresse", "strassenbahn"), ("nungsadresse", "adresse", "senbahn", "bahn")
    )


def test_tokens_of_several_texts_are_parted() -> None:
    assert tokens_of(["返", "品", "Anna"]).main == ("返", GAP, "品", GAP, "anna")


def test_tokens_stop_where_postgres_keeps_no_more_places() -> None:
    found = tokens_of([" ".join(f"wort{number}" for number in range(30_000))])

    assert len(found.main) + len(found.parts) == MAX_POSITIONS


def test_tokens_stop_where_postgres_takes_no_more_text() -> None:
    found = tokens_of([" ".join(chr(0x10400 + n % 40) * 60 + str(n) for n in range(9_000))])

    assert MAX_CHARACTERS - 200 < sum(map(len, found.main + found.parts)) <= MAX_CHARACTERS


def test_tokens_keep_as_many_places_of_one_as_postgres() -> None:
    found = tokens_of(["ja " * 1000 + "nein"])

    assert found.main == ("ja",) * MAX_REPEATS + (GAP,) * (1000 - MAX_REPEATS) + ("nein",)


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("返品したい", [Term(("返品", "品し", "した", "たい"), prefix=False)]),
        ("返", [Term(("返",), prefix=True)]),
        ("Rechnung", [Term(("rechnung",), prefix=True)]),
        ("K-20418", [Term(("k", "20418"), prefix=False)]),
        ("20418", [Term(("20418",), prefix=False)]),
        ("k", [Term(("k",), prefix=False)]),
        ("anna.berg@exa", [Term(("anna", "berg", "exa"), prefix=True)]),
        ("返品K-1", [Term(("返品",), prefix=False), Term(("k", "1"), prefix=False)]),
        ("ＲＥＦＵＮＤ　ﾍﾝﾋﾝ", [Term(("refund",), True), Term(("ヘン", "ンヒ", "ヒン"), False)]),  # noqa: RUF001
        ("a, b", [Term(("a",), prefix=False), Term(("b",), prefix=False)]),
        ("Wort wort", [Term(("wort",), prefix=True)]),
        ("\"' OR 1=1 --", [Term(("or",), True), Term(("1",), False)]),
        (" ;:*()'\"\\\x00🙂 ", []),
    ],
)
def test_terms_of_a_query(query: str, terms: list[Term]) -> None:
    assert list(terms_of(query)) == terms


def test_terms_of_a_long_query_are_its_first() -> None:
    assert len(terms_of(" ".join(f"wort{number}" for number in range(3_000)))) == MAX_TERMS
    assert len(terms_of("あいうえお" * 2_000)[0].tokens) == 64


@given(st.text(max_size=300))
def test_any_text_gives_tokens_a_database_takes(text: str) -> None:
    found = tokens_of([text, text])

    for token in {*found.main, *found.parts} - {GAP}:
        assert 0 < len(token) <= 64
        assert all(c.isalnum() or not c.isascii() for c in token)
        assert not any(c.isspace() or c in "'\"\\" for c in token)


@given(st.text(alphabet="返品した請求書カタン", min_size=2, max_size=30), st.data())
def test_any_part_of_a_run_is_found_in_it(run: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(run) - 1))
    part = run[start : data.draw(st.integers(start + 1, len(run)))]
    main = tokens_of([run]).main

    (term,) = terms_of(part)

    starts = range(len(main) - len(term.tokens) + 1)
    assert any(
        main[at].startswith(part)
        if term.prefix
        else main[at : at + len(term.tokens)] == term.tokens
        for at in starts
    )


@pytest.mark.parametrize(
    "text",
    [
        "a" + "\u0301\u0323" * 500_000,
        "é" * 1_000_000,
        "a\u0301" * 500_000,
        "あ\n" * 500_000,
        "a-" * 500_000,
        "\U00010400" * 1_000_000,
        "Donaudampfschifffahrtsgesellschaftskapitaen " * 25_000,
        "\ufdfa" * 1_000_000,
    ],
    ids=["accents", "letters", "marks", "wraps", "hyphens", "rare", "compounds", "ligatures"],
)
def test_a_million_characters_take_seconds_at_most(text: str) -> None:
    began = time.process_time()

    tokens_of([text])
    terms_of(text)

    assert time.process_time() - began < 10


def test_a_query_never_loads_the_hyphenation_dictionary() -> None:
    script = (
        "import sys; from app.domain import tokens; tokens.terms_of('Rechnungsadresse');"
        "print('pyphen' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert done.stdout == "False\n"
