"""What the model only suggests, and what it sets by itself."""

import pytest

from app.core.errors import NotAllowed
from app.services import organisation
from app.services.access import SYSTEM
from app.services.queries.customer import panel
from app.store.tables import Change, Customer, Touchpoint
from classifier.contract import Prediction
from tests.inquiries import Desk, guess, sure
from tests.services.test_tagging import tags


@pytest.mark.parametrize(
    ("said", "let", "by", "moved"),
    [
        (sure("G"), True, "model", "G"),
        (sure("G"), False, "suggestion", ""),
        (guess("G", "delivery"), True, "suggestion", ""),
    ],
)
def test_the_model_acts_by_itself_where_it_is_sure_and_let(
    desk: Desk, said: Prediction, let: bool, by: str, moved: str
) -> None:
    desk.do(organisation.let_model_act, SYSTEM, on=let)

    ticket = desk.ticket(prediction=said)

    assert tags(desk, ticket) == ("G", by, "delivery", by)
    [customer] = desk.all(Customer)
    [contact] = desk.all(Touchpoint)
    with desk.db.reading() as session:
        known = panel(session, customer)
    # It counts on the map, and the path of the customer shows what is known.
    assert (customer.stage, contact.stage, known.met) == (moved, "G", frozenset({moved} - {""}))


def test_the_switch_is_of_administrators_and_remembered(desk: Desk) -> None:
    with pytest.raises(NotAllowed):
        desk.do(organisation.let_model_act, desk.lead, on=True)
    desk.do(organisation.let_model_act, SYSTEM, on=True)

    assert desk.all(Change)[-1].what == "model_acting_changed"
