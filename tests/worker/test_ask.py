"""The job that asks for feedback: the request is written, and leaves only where links work."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.words import SurveyState
from app.services import tickets
from app.store.tables import Delivery, Message
from app.worker.deliver import deliver
from app.worker.engine import KINDS
from tests.fakes import FakeChannel, FakeServer
from tests.worker.conftest import Plant

HOUSE = "https://support.example.com"


def due(plant: Plant) -> int:
    """A request that may be asked now."""
    desk = plant.desk
    ticket = desk.ticket()
    desk.answered(ticket)
    desk.do(tickets.resolve, desk.ann, ticket.ref)
    plant.forward(timedelta(days=1))
    [survey] = desk.surveys()
    return int(survey.id)


def at(plant: Plant, public_url: str) -> Plant:
    settings = plant.works.settings.model_copy(update={"public_url": public_url})
    return replace(plant, works=replace(plant.works, settings=settings))


async def test_it_asks_once_and_the_link_works(plant: Plant) -> None:
    server = FakeServer()
    plant = at(plant.with_channel(FakeChannel(server)), HOUSE)
    survey_id = due(plant)
    before = plant.desk.jobs()

    for _ in range(2):
        await KINDS["ask"](plant.works, survey_id=survey_id)

    [message] = plant.desk.all(Message, request=True)
    assert [survey.state for survey in plant.desk.surveys()] == [SurveyState.QUEUED]
    assert plant.desk.jobs() == before + 1

    await deliver(plant.works, message.id)

    token = plant.desk.keys.survey_token(plant.desk.surveys()[0].nonce)
    assert [survey.state for survey in plant.desk.surveys()] == [SurveyState.SENT]
    assert [f"{HOUSE}/f/{token}" in sent.decode() for sent, _ in server.sent] == [True]


@pytest.mark.parametrize("public_url", ["", "http://127.0.0.1:8000"])
async def test_where_no_link_would_work_it_is_held(plant: Plant, public_url: str) -> None:
    server = FakeServer()
    plant = at(plant.with_channel(FakeChannel(server)), public_url)
    survey_id = due(plant)
    before = plant.desk.jobs()

    await KINDS["ask"](plant.works, survey_id=survey_id)

    [message] = plant.desk.all(Message, request=True)
    assert [survey.state for survey in plant.desk.surveys()] == [SurveyState.HELD]
    assert [row.state for row in plant.desk.all(Delivery, message_id=message.id)] == ["held"]
    assert plant.desk.jobs() == before

    await deliver(plant.works, message.id)

    assert server.sent == []


async def test_a_request_that_was_deleted_meanwhile_is_not_asked(plant: Plant) -> None:
    before = plant.desk.jobs()

    await KINDS["ask"](plant.works, survey_id=999)

    assert plant.desk.all(Message) == []
    assert plant.desk.jobs() == before
