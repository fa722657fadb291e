"""Every move from every status: where it leads, or that it is refused."""

import pytest

from app.core.errors import Conflict
from app.domain.lifecycle import Move, after, allows
from app.domain.words import Status

LEADS_TO = {
    #                     open       waiting    snoozed    resolved   spam    dismissed
    Move.CUSTOMER_WROTE: ("open", "open", "open", "open", "spam", "open"),
    Move.AGENT_REPLIED: ("waiting", "waiting", "waiting", "waiting", None, "waiting"),
    Move.RESOLVE: ("resolved", "resolved", "resolved", None, None, None),
    Move.REOPEN: (None, "open", "open", "open", "open", "open"),
    Move.SNOOZE: ("snoozed", "snoozed", "snoozed", None, None, None),
    Move.WAKE: (None, None, "open", None, None, None),
    Move.MARK_SPAM: ("spam", "spam", "spam", "spam", None, "spam"),
    Move.DISMISS: ("dismissed", "dismissed", "dismissed", "dismissed", None, None),
}


@pytest.mark.parametrize("move", Move)
def test_every_move_from_every_status(move: Move) -> None:
    for status, leads_to in zip(Status, LEADS_TO[move], strict=True):
        assert allows(status, move) == (leads_to is not None)
        if leads_to:
            assert after(status, move) == leads_to
            continue
        with pytest.raises(Conflict) as refused:
            after(status, move)
        assert refused.value.data == {"status": status, "move": move}
