"""What the model sees, and that hostile text cannot make it slow or lose its place."""

import time

import pytest

from classifier.features import (
    LIMIT,
    Features,
    Token,
    char_features,
    clean,
    tokens,
    word_features,
)

from .conftest import chars_of, words_of


@pytest.mark.parametrize(
    ("original", "seen"),
    [
        ("Order 4711", "order 0000"),
        ("write to ann.lee@example.com now", "write to  xxmail  now"),
        ("連絡先はtaro@example.jpです", "連絡先は xxmail です"),
        ("an info@müller.example, Müller@Firma.example.", "an  xxmail ,  xxmail ."),
        ("mu\u0308ller@b\u00fccher.example", " xxmail "),
        ("宛先は山田.太郎@example.jpまで", "宛先は xxmail まで"),
        ("たろう@例え.テストです", " xxmail です"),
        ("u@みんなの店.example宛。次", " xxmail 宛。次"),
        ("пётр@почта.example", " xxmail "),
        ("see https://example.com/a?b=1, please", "see  xxurl  please"),
        ("https://shop.example/?name=Müller&n=1 an", " xxurl  an"),
        ("www.bücher.example/größe und", " xxurl  und"),
        ("https://例え.example/検索?q=山田です", " xxurl です"),
        ("http://a.example/?n=たなか", " xxurl "),
        ("http://a.example/bをご覧", " xxurl をご覧"),
        ("call 03-1234-5678 or +49 30 1234567", "call  xxphone  or  xxphone "),
        ("on 03.12.2024 we met", "on 00.00.0000 we met"),
        ("order 2024-4711", "order 0000-0000"),
        ("ｶﾞｽ \uff21\uff22\uff23 \uff11\uff12\uff13", "ガス abc 000"),
        ("Rück\u00adsendung", "rücksendung"),
        ("I can’t", "i can't"),
        ("a\ud800b", "a b"),
    ],
)
def test_clean(original: str, seen: str) -> None:
    assert clean(original).text == seen


def test_clean_knows_where_everything_came_from() -> None:
    original = "\uff28\uff49, ｶﾞｽ von taro@example.jp 返品"
    cleaned = clean(original)

    found = [
        original[cleaned.starts[token.start] : cleaned.ends[token.end - 1]]
        for token in tokens(cleaned.text)
    ]

    assert found == ["\uff28\uff49", "ｶﾞｽ", "von", "taro@example.jp", "返品"]


def test_tokens_part_scripts() -> None:
    assert tokens("can't 返品したい xyz_9") == [
        Token("can't", 0, cjk=False),
        Token("返品したい", 6, cjk=True),
        Token("xyz", 12, cjk=False),
        Token("9", 16, cjk=False),
    ]


def rows(found: Features) -> list[tuple[str, int, int]]:
    return list(zip(found.names, found.starts, found.ends, strict=True))


def test_word_features_are_words_and_pairs_and_characters_of_runs() -> None:
    assert rows(word_features(tokens("my order 返品"))) == [
        ("my", 0, 2),
        ("order", 3, 8),
        ("my order", 0, 8),
        ("返", 9, 10),
        ("品", 10, 11),
        ("返品", 9, 11),
    ]


def test_char_features_stay_inside_their_word() -> None:
    assert rows(char_features(tokens("ab"))) == [
        (" a", 0, 1),
        ("ab", 0, 2),
        ("b ", 1, 2),
        (" ab", 0, 2),
        ("ab ", 0, 2),
        (" ab ", 0, 2),
    ]


def test_char_features_of_a_run_are_its_pieces() -> None:
    assert rows(char_features(tokens("x 返品した")))[3:] == [
        ("返品", 2, 4),
        ("品し", 3, 5),
        ("した", 4, 6),
        ("返品し", 2, 5),
        ("品した", 3, 6),
        ("返品した", 2, 6),
    ]


def test_addresses_and_numbers_leave_no_trace() -> None:
    text = "ann.lee@example.com 030 1234567 https://example.com/ann"

    assert words_of(text) == ["xxmail", "xxphone", "xxmail xxphone", "xxurl", "xxphone xxurl"]
    assert chars_of(text) == []


@pytest.mark.parametrize(
    "piece",
    ["a.", "a@", "+0 ", "0(", "\u0301", "\ufdfa", "ﾞ", "http://", "www.", "です", "x'", "\ud800"],
)
def test_ten_times_the_text_takes_no_longer(piece: str) -> None:
    def seconds(text: str) -> float:
        begun = time.process_time()
        words_of(text)
        chars_of(text)
        return time.process_time() - begun

    long = piece * (LIMIT // len(piece) + 1)

    assert min(seconds(long * 10) for _ in range(3)) < 0.2 + 3 * seconds(long)
