"""A day of trial that ends, and going back to a version from before that lasts."""

from datetime import timedelta
from typing import Any

import pytest

from app.domain.words import Head, Promotion
from app.services import models, organisation
from app.services.access import SYSTEM
from app.store.tables import ModelVersion
from tests.inquiries import Desk
from tests.services.conftest import Forward
from tests.services.test_models import SOON, due, judged, states, trained, words


def promotion(desk: Desk) -> Promotion:
    with desk.db.reading() as session:
        house = organisation.current(session)
    assert house
    return house.promotion


def test_in_a_busy_house_a_day_of_trial_ends_as_well(desk: Desk, forward: Forward) -> None:
    desk.do(models.set_promotion, SYSTEM, Promotion.AFTER_A_DAY)
    judged(desk, 25)
    forward(SOON)
    trained(desk, "own-1")
    judged(desk, 25)

    forward(20 * timedelta(hours=1))
    meanwhile = due(desk)
    forward(4 * timedelta(hours=1))
    desk.do(models.tried)

    assert (meanwhile, states(desk), due(desk)) == (False, {"own-1": "champion"}, True)


def test_a_trial_that_nobody_ends_keeps_none_from_learning(desk: Desk, forward: Forward) -> None:
    first, _ = trained(desk, "own-1"), trained(desk, "own-2")
    desk.do(models.try_out, SYSTEM, first.id)
    judged(desk, 25)

    forward(SOON)

    assert due(desk)


@pytest.mark.parametrize(
    ("act", "which", "after"),
    [
        (models.promote, 0, Promotion.BY_HAND),
        (models.promote, 2, Promotion.AT_ONCE),  # forwards, though it was turned down
        (models.retire, 1, Promotion.BY_HAND),  # to the samples
        (models.retire, 0, Promotion.AT_ONCE),  # which did not answer
    ],
)
def test_the_next_version_does_not_undo_that_somebody_went_back(
    desk: Desk, act: Any, which: int, after: Promotion
) -> None:
    names = [trained(desk, f"own-{n}").id for n in range(2)]
    tickets = judged(desk, 12)
    former = {Head.STAGE: dict.fromkeys(words(desk, tickets), "D")}
    names.append(trained(desk, "own-2", "A", beside="own-1", former=former).id)
    before = [(one.state, one.id) for one in desk.all(ModelVersion)]

    desk.do(act, SYSTEM, names[which])

    assert [state for state, _ in before] == ["retired", "champion", "rejected"]
    assert promotion(desk) is after


def test_who_goes_back_says_so_until_somebody_lifts_it(desk: Desk) -> None:
    first, _ = trained(desk, "own-1"), trained(desk, "own-2")
    desk.do(models.promote, SYSTEM, first.id)
    trained(desk, "own-3")
    waiting = states(desk)

    desk.do(models.set_promotion, SYSTEM, Promotion.AT_ONCE)
    trained(desk, "own-4")

    assert waiting == {"own-1": "champion", "own-2": "retired", "own-3": "challenger"}
    assert states(desk)["own-4"] == "champion"
