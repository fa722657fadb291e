"""Which language a text is taken for."""

import pytest

from classifier import corpus
from classifier.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order?", "en"),
        ("Wo bleibt meine Bestellung?", "de"),
        ("注文した荷物が届きません", "ja"),
        ("返品希望", "ja"),
        ("ﾊﾟｽﾜｰﾄﾞを忘れました", "ja"),
        ("SSO の設定で SAML metadata の URL がわかりません", "ja"),
        ("Dear team, my name is Tanaka (田中), I have a question about the invoice.", "en"),
        ("RÜCKSENDUNG FÜR GRÖSSE 42", "de"),
        ("I can’t log in", "en"),
        ("4711", ""),
        ("", ""),
        ("\ud800", ""),
        ("Где моя посылка?", ""),
    ],
)
def test_detect(text: str, language: str) -> None:
    assert detect(text) == language


def test_detect_knows_the_language_of_nearly_every_sample() -> None:
    samples = corpus.load()

    wrong = [sample for sample in samples if detect(sample.text) != sample.language]

    assert len(wrong) / len(samples) <= 0.02
