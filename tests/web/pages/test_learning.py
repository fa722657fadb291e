"""Settings of triage: versions with figures, the way back, verdicts in doubt, topics."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlmodel import select

from app.core import clock
from app.domain.words import Head, ModelState, Promotion
from app.services import lessons, models, verdicts
from app.services.models import Answer, Trained
from app.store.database import Database
from app.store.tables import ModelVersion, Organisation, Ticket, Topic
from tests.factories import make_message, make_ticket, make_touchpoint
from tests.web.conftest import Person

PAGE = "/settings/triage"
Train = Callable[..., ModelVersion]


@pytest.fixture
def ticket(db: Database, ann: Person) -> Ticket:
    """Ann has said that its stage is D."""
    with db.transaction() as session:
        made = make_ticket(session, subject="Lid <b>broken</b>")
        message = make_message(session, made, "It does not close.")
        make_touchpoint(session, made, "D", message_id=message.id)
        verdicts.choose(session, ann.actor, made.ref, Head.STAGE, "D")
        return made


@pytest.fixture
def train(db: Database, ticket: Ticket) -> Train:
    """A version that takes the ticket for something else."""

    def made(name: str, stage: str = "A", former: str = "") -> ModelVersion:
        with db.transaction() as session:
            curriculum = lessons.gather(session)
            [lesson] = [one for one in curriculum.lessons if one.ticket_id == ticket.id]
            said = {lesson.message_id: Answer(stage, 0.97, 0.01)}
            known = {Head.STAGE: {lesson.message_id: former}} if former else {}
            result = Trained(
                name, b"weights", b"{}", "ab" * 32,
                {"samples": 100, "stage": 1, "topic": 0}, {Head.STAGE: said}, "", known,
            )  # fmt: skip
            return models.keep(session, result, curriculum, clock.now())

    return made


def states(db: Database) -> list[str]:
    with db.reading() as session:
        return [session.get_one(ModelVersion, n).state for n in (1, 2)]


def post(client: TestClient, act: str, **fields: str) -> int:
    return client.post(f"{PAGE}/{act}", data=fields).status_code


def test_before_anything_is_learned_the_samples_answer(boss: Person) -> None:
    page = boss.client.get(PAGE).text

    assert "No version of your own yet" in page
    assert "Nothing is in doubt." in page
    assert "Order status" in page
    assert f'href="{PAGE}"' in boss.client.get("/settings").text


def test_versions_are_shown_with_their_figures_and_doubts(
    boss: Person, ticket: Ticket, train: Train
) -> None:
    train("own-1", "A", former="D")

    page = boss.client.get(PAGE).text

    assert "was worse" in page
    assert "1 stages, 0 topics, 100 samples" in page
    assert '<b class="num">0%</b> <small class="muted">before 100%, on 1 inquiries</small>' in page
    assert f'<a href="/tickets/{ticket.ref}" lang="en">Lid &lt;b&gt;broken&lt;/b&gt;</a>' in page
    assert "<td>Conversion" in page.replace("<span>", "").replace('<td data-label="Said">', "<td>")


def test_a_version_is_promoted_tried_out_and_retired(
    boss: Person, db: Database, train: Train
) -> None:
    train("own-1")
    train("own-2")

    seen = [states(db)]
    for act in ("1/promote", "2/try-out", "1/retire"):
        assert post(boss.client, f"versions/{act}") == 303
        seen.append(states(db))

    assert seen == [
        [ModelState.RETIRED, ModelState.CHAMPION],
        [ModelState.CHAMPION, ModelState.RETIRED],
        [ModelState.CHAMPION, ModelState.SHADOW],
        [ModelState.RETIRED, ModelState.SHADOW],
    ]


def test_training_is_asked_for_and_promotion_chosen(boss: Person, db: Database) -> None:
    assert post(boss.client, "train") == 303
    assert post(boss.client, "promotion", promotion="by_hand") == 303

    with db.reading() as session:
        house = session.get_one(Organisation, 1)
    assert (house.training_asked_at is not None, house.promotion) == (True, Promotion.BY_HAND)
    assert "Training begins in a moment." in boss.client.get(PAGE).text


def test_topics_are_added_renamed_and_merged(boss: Person, db: Database) -> None:
    found = [
        post(boss.client, "topics", en="Spare parts"),
        post(boss.client, "topics", en="Spare parts"),
        post(boss.client, "topics/rename", key="delivery", en="Shipping", ja="配送"),
        post(boss.client, "topics/rename", key="delivery"),
        post(boss.client, "topics/merge", key="order_status", into="delivery"),
        post(boss.client, "topics/merge", key="delivery", into="delivery"),
    ]

    with db.reading() as session:
        known = {topic.labels["en"]: topic.active for topic in session.exec(select(Topic))}
    assert found == [303, 422, 303, 422, 303, 422]
    assert (known["Spare parts"], known["Shipping"], known["Order status"]) == (True, True, False)


def test_a_topic_is_put_out_of_use_and_used_again(boss: Person) -> None:
    offered = '<option value="delivery">'

    found = [post(boss.client, "topics/put-out-of-use", key="delivery")]
    resting = boss.client.get(PAGE).text
    found += [post(boss.client, "topics/use-again", key="delivery") for _ in range(2)]

    assert found == [303, 303, 422]
    assert (offered in resting, "Out of use" in resting) == (False, True)
    page = boss.client.get(PAGE).text
    assert (offered in page, "Out of use" in page) == (True, False)


@pytest.mark.parametrize("act", ["train", "versions/1/promote", "topics"])
def test_agents_may_not(ann: Person, act: str) -> None:
    assert post(ann.client, act, en="Spare parts") == 403
    assert ann.client.get(PAGE).status_code == 403


def test_the_same_over_the_api(boss: Person, train: Train) -> None:
    train("own-1", former="A")
    version = boss.client.get("/api/models").json()["versions"][0]
    shadow = boss.client.post("/api/models/1/retire").json()
    again = boss.client.post("/api/models/1/promote").json()
    refused = boss.client.post("/api/models/1/try-out").status_code
    asked = boss.client.post("/api/models/train").status_code
    chosen = boss.client.put("/api/models/promotion", json={"promotion": "by_hand"}).status_code
    found = boss.client.get("/api/models").json()

    assert (version["name"], version["state"]) == ("own-1", "champion")
    assert version["stage"]["texts"] == 1
    assert (shadow["state"], again["state"], refused) == ("retired", "champion", 409)
    assert (asked, chosen) == (202, 204)
    assert (found["asked"], found["promotion"], found["verdicts"]) == (True, "by_hand", 1)
    assert [one["guess"] for one in found["doubts"]] == ["A"]


def test_whether_the_model_acts_by_itself_is_switched(boss: Person) -> None:
    def on() -> tuple[bool, bool]:
        found = boss.client.get("/api/models").json()["by_itself"]
        return found, 'name="by_itself" value="on" checked' in boss.client.get(PAGE).text

    seen = [on()]
    assert post(boss.client, "acting", by_itself="on") == 303
    seen.append(on())
    assert post(boss.client, "acting") == 303
    seen.append(on())
    assert boss.client.put("/api/models/acting", json={"by_itself": True}).status_code == 204

    assert [*seen, on()] == [(False, False), (True, True), (False, False), (True, True)]


def test_there_is_nothing_to_promote(boss: Person) -> None:
    assert boss.client.post("/api/models/7/promote").status_code == 404
    assert boss.client.get("/api/models").json()["versions"] == []
