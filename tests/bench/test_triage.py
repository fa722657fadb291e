"""What the table of triage learns from and asks; how good triage is, it does not assert."""

import csv
from collections import Counter
from pathlib import Path

from bench import triage


def test_a_few_of_each_label_are_drawn_and_the_rest_is_asked(tmp_path: Path) -> None:
    rows = [
        (f"text {n}", label, language, "train")
        for n in range(4)
        for label in ("science/technology", "travel")
        for language in ("de", "ja")
    ]
    with (tmp_path / "sib200.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label", "lang", "split"), *rows])

    part = triage._drawn("sib200", "ja", "train", 3)(tmp_path)

    assert {label for label, _ in part.names} == {"science/technology", "travel"}
    assert len(part.draws) == len(list(triage._pairs(part))) == 3
    for learned, asked in part.draws:
        assert set(Counter(each.label for each in learned).values()) == {3}
        assert {each.language for each in [*learned, *asked]} == {"ja"}
        assert len({(each.text, each.label) for each in [*learned, *asked]}) == 8
    assert len({tuple(each.text for each in learned) for learned, _ in part.draws}) > 1
