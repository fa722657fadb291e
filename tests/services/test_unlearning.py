"""A customer's inquiries that are to be forgotten: no lesson, no version, no way back to one."""

from datetime import timedelta

import pytest

from app.core import clock
from app.core.errors import NotAllowed
from app.domain.words import Head, ModelState
from app.services import lessons, models, occasions, unlearning, verdicts
from app.services.lessons import Curriculum
from app.services.models import Trained
from app.store.tables import Customer, ModelFile, ModelVersion, Organisation, Ticket
from tests.inquiries import Desk, guess, inquiry
from tests.services.conftest import Forward


def judged(desk: Desk, who: str) -> Ticket:
    ticket = desk.ticket(inquiry(f"{who}@customers.test"), prediction=guess("D", None))
    desk.do(verdicts.choose, desk.ann, ticket.ref, Head.STAGE, "F")
    return ticket


def gathered(desk: Desk) -> Curriculum:
    with desk.db.reading() as session:
        return lessons.gather(session)


def kept(desk: Desk, name: str, curriculum: Curriculum) -> ModelVersion:
    made = Trained(name, b"weights", b"{}", "ab" * 32, {"samples": 7}, {})
    version: ModelVersion = desk.do(models.keep, made, curriculum, clock.now())
    return version


def refuse(desk: Desk, ticket: Ticket, *, allowed: bool = False) -> Customer:
    ref = desk.one(Customer, ticket.customer_id).ref
    changed: Customer = desk.do(unlearning.allow, desk.lead, ref, allowed=allowed)
    return changed


def test_what_a_customer_wrote_is_forgotten_by_every_version(desk: Desk, forward: Forward) -> None:
    old, other = judged(desk, "yumi"), judged(desk, "ken")
    kept(desk, "own-1", gathered(desk))
    kept(desk, "own-2", gathered(desk))
    forward(timedelta(minutes=1))

    customer = refuse(desk, old)

    assert customer.may_learn is False
    assert [lesson.ticket_id for lesson in gathered(desk).lessons] == [other.id]
    assert [(one.state, one.problem) for one in desk.all(ModelVersion)] == [
        (ModelState.RETIRED, models.UNLEARNED)
    ] * 2
    assert desk.all(ModelFile) == []
    with desk.db.reading() as session:
        assert (models.in_force(session), occasions.due(session)) == (("", ""), True)


def test_allowed_again_it_is_learned_again(desk: Desk) -> None:
    ticket = judged(desk, "yumi")
    refuse(desk, ticket)

    refuse(desk, ticket, allowed=True)

    assert [lesson.ticket_id for lesson in gathered(desk).lessons] == [ticket.id]


def test_of_a_customer_nobody_judged_there_is_nothing_to_forget(desk: Desk) -> None:
    judged(desk, "ken")
    silent = desk.ticket(inquiry("yumi@customers.test"), prediction=guess("D", None))
    kept(desk, "own-1", gathered(desk))

    refuse(desk, silent)

    [version] = desk.all(ModelVersion)
    assert (version.state, len(desk.all(ModelFile))) == (ModelState.CHAMPION, 1)
    assert desk.all(Organisation)[0].training_asked_at is None


def test_a_version_that_was_being_trained_meanwhile_is_not_kept(desk: Desk) -> None:
    ticket = judged(desk, "yumi")
    curriculum = gathered(desk)
    refuse(desk, ticket)

    version = kept(desk, "own-1", curriculum)

    assert (version.state, version.problem) == (ModelState.FAILED, models.UNLEARNED)
    assert desk.all(ModelFile) == []


def test_not_every_agent_has_models_deleted(desk: Desk) -> None:
    ticket = judged(desk, "yumi")
    ref = desk.one(Customer, ticket.customer_id).ref

    with pytest.raises(NotAllowed):
        desk.do(unlearning.allow, desk.ann, ref, allowed=False)

    assert desk.one(Customer, ticket.customer_id).may_learn is True
