"""Which texts are nearly the same, and which only sound alike."""

import pytest

from app.domain.sameness import LONGEST, groups

PORTAL = (
    "{}, seit heute Morgen funktioniert der Login in Ihrem Kundenportal nicht mehr. "
    "Bitte prüfen Sie das. Mit freundlichen Grüßen, Petra Müller"
)
SAME = [
    ("Where is my order 4711? Anna", "Where is my order 5822? Bert"),
    ("今朝注文した荷物はいつ届きますか。", "昨日注文した荷物はいつ届きますか。"),
    (PORTAL.format("Sehr geehrte Damen und Herren"), PORTAL.format("Guten Tag")),
    ("ﾃｽﾄ送信です", "テスト送信です"),
    ("a" * LONGEST + "one end", "a" * LONGEST + "another"),
    ("?", "?"),
]
APART = [
    ("I want to cancel my order", "I want to cancel my contract"),
    ("Ich möchte meinen Vertrag kündigen.", "Ich möchte meinen Vertrag verlängern."),
    ("注文をキャンセルしたいです。", "予約をキャンセルしたいです。"),
    ("", ""),
]


@pytest.mark.parametrize("pair", SAME, ids=lambda pair: pair[0][:20])
def test_nearly_the_same(pair: tuple[str, str]) -> None:
    assert groups(["Good morning", *pair]) == [0, 1, 1]


@pytest.mark.parametrize("pair", APART, ids=lambda pair: pair[0][:20])
def test_not_the_same(pair: tuple[str, str]) -> None:
    assert groups(pair) == [0, 1]
