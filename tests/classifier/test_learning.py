"""Learning what people of an organisation said, beside the samples."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from classifier import learning, storage
from classifier.contract import Why
from classifier.encoders import Nothing, Remembering
from classifier.learning import Lesson, Subject
from tests.classifier.conftest import small_samples

TOPICS = {
    "fault_repair": {"en": "Fault", "ja": "故障", "de": "Störung"},
    "delivery": {"en": "Delivery", "ja": "配送", "de": "Lieferung"},
    "t_parts": {"en": "Spare parts", "ja": "部品", "de": "Ersatzteile"},
}
PARTS = (
    "I need a spare lid",
    "Where can I order a spare seal?",
    "Please send a spare part, a hose",
)


def lesson(number: int, text: str, **labels: tuple[str, float]) -> Lesson:
    return Lesson(str(number), text, f"customer {number}", "en", labels)


def subject(*lessons: Lesson) -> Subject:
    return Subject("own-1", lessons, TOPICS, {"return_refund": "delivery"}, small_samples(), ())


def parts(weight: float = 2.0) -> list[Lesson]:
    return [
        lesson(number, text, stage=("C", 1.0), topic=("t_parts", weight))
        for number, text in enumerate(PARTS)
    ]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A model taught three inquiries about spare parts, and one that is none."""
    path = tmp_path_factory.mktemp("learned") / "own.npz"
    none = lesson(9, "I apply as a cook.", stage=("", 2.0), topic=("", 2.0))
    said = learning.learn(subject(*parts(), none), path, Remembering(Nothing()), [path / "none"])
    return path, said


def test_only_topics_of_the_organisation_are_predicted(learned: tuple[Path, Any]) -> None:
    model = storage.load(learned[0], Nothing())

    assert set(model.heads["topic"].labels) == set(TOPICS)
    assert model.identity.name == "own-1"


def test_what_people_said_is_learned(learned: tuple[Path, Any]) -> None:
    model = storage.load(learned[0], Nothing())

    said = model.predict("Do you have a spare lid for mine?", language="en")

    assert said.topic.top[0].label == "t_parts"


def test_a_topic_without_any_text_is_known_by_its_name() -> None:
    model = learning.fit(subject(), [], Nothing())

    said = model.predict("Ersatzteile", language="de")

    assert said.topic.top[0].label == "t_parts"


def test_a_single_topic_is_no_answer() -> None:
    one = {"delivery": TOPICS["delivery"]}
    model = learning.fit(replace(subject(), topics=one), [], Nothing())

    said = model.predict("Where is my parcel?", language="en").topic

    assert (said.label, said.probability, said.top, said.why) == (None, 0.0, (), Why.NO_CHOICE)


def test_each_text_is_answered_by_a_part_that_has_not_seen_it(learned: tuple[Path, Any]) -> None:
    said = learned[1]

    assert {head: set(answers) for head, answers in said["answers"].items()} == {
        "stage": {"0", "1", "2"},
        "topic": {"0", "1", "2"},
    }
    assert {head: set(answers) for head, answers in said["former"].items()} == {
        "stage": {"0", "1", "2"},
        "topic": {"0", "1", "2"},
    }
    # The samples alone know nothing of what this organisation calls spare parts.
    assert said["former"]["topic"]["0"]["given"] == 0.0
    assert (said["samples"], said["skipped"]) == (len(small_samples()), 1)
    assert said["refused"] in (0.0, 1.0)


def test_it_is_compared_with_the_version_before(learned: tuple[Path, Any], tmp_path: Path) -> None:
    said = learning.learn(
        subject(*parts()), tmp_path / "next.npz", Remembering(Nothing()), [learned[0]]
    )

    assert (said["skipped"], said["refused"]) == (0, None)
    assert said["former"]["topic"]["0"]["label"] == "t_parts"


def test_what_weighs_nothing_is_not_learned() -> None:
    asked = {
        "name": "own-1",
        "topics": TOPICS,
        "merged": {},
        "agents": [],
        "lessons": [
            {
                "names": [], "firms": [],
                "key": "1", "text": "A lid", "customer": "c", "language": "en",
                "labels": {"stage": ["C", 0.0], "topic": ["t_parts", 1.0]},
                "weak": ["topic"],
            }
        ],
    }  # fmt: skip

    [one] = learning.read(asked).lessons

    labels = {"topic": ("t_parts", 1.0)}
    assert one == Lesson("1", "A lid", "c", "en", labels, frozenset({"topic"}), "c")


def test_a_text_that_several_sent_is_on_one_side_of_every_test_and_has_several_writers() -> None:
    lessons = [
        {
            "key": str(number), "text": text, "customer": f"c{number}", "language": "en",
            "labels": {"stage": ["C", 1.0]}, "weak": [], "names": [], "firms": [],
        }
        for number, text in enumerate(
            ("We all want the bus back, dear council!", "We all want the bus back, dear council",
             "A lid, please")
        )
    ]  # fmt: skip

    asked = {"name": "own", "topics": {}, "merged": {}, "agents": [], "lessons": lessons}
    read = learning.read(asked).lessons

    assert [(one.group, one.customer) for one in read] == [("c0", "c0"), ("c0", "c1"), ("c2", "c2")]
    model = learning.fit(subject(), read, Nothing())
    assert "bus" in model.vocabulary.blocks[0]


def test_who_wrote_and_whom_they_address_is_not_learned() -> None:
    said = [
        "Dear Mark, please write to info@xaverhuber.example, Yumi Takahashi's lid fell on us.",
        "Takahashi Pottery waits for a lid. Xaverhuber, info@schn\u00fcrpel.example, x 30 mark",
    ]
    lessons = [
        {
            "key": str(number), "text": text, "customer": f"c{number}", "language": "en",
            "labels": {"stage": ["C", 1.0]}, "weak": [],
            "names": ["Yumi Takahashi", "Xaverhuber"], "firms": ["Takahashi Pottery Ltd."],
        }
        for number, text in enumerate(said)
    ]  # fmt: skip

    asked = {"name": "o", "topics": {}, "merged": {}, "agents": ["Mark Bell"], "lessons": lessons}
    read = learning.read(asked).lessons

    assert [one.text.split() for one in read] == [
        ["Dear", ",", "please", "write", "to", "xxmail", ",", "'s", "lid", "fell", "on", "us."],
        ["waits", "for", "a", "lid.", ",", "xxmail", ",", "x", "11", "mark"],
    ]


def test_its_process_says_in_a_line_what_is_wrong(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "classifier.learning", str(tmp_path / "x.npz")],
        input=json.dumps({}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines()[-1] == "KeyError: 'lessons'"
    assert list(tmp_path.iterdir()) == []
