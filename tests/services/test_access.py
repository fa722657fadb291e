"""The only door to tickets: what each role may, and what it is told otherwise."""

import pytest

from app.core.errors import NotAllowed, NotFound
from app.domain.words import Role
from app.services import access
from app.services.access import Actor, Permission
from tests.inquiries import Desk

MAY = {
    Role.AGENT: {Permission.READ, Permission.REPLY},
    Role.LEAD: {Permission.READ, Permission.REPLY, Permission.LEAD},
    Role.ADMIN: set(Permission),
}


@pytest.mark.parametrize("role", Role)
def test_each_role_may_what_it_may(role: Role) -> None:
    actor = Actor("x", role)

    assert {one for one in Permission if access.may(actor, one)} == MAY[role]
    for one in set(Permission) - MAY[role]:
        with pytest.raises(NotAllowed) as refused:
            access.require(actor, one)
        assert refused.value.data == {"right": one}


def test_a_ticket_is_found_by_its_reference(desk: Desk) -> None:
    ticket = desk.ticket()

    assert desk.do(access.ticket, desk.ann, ticket.ref, Permission.REPLY).id == ticket.id
    with pytest.raises(NotAllowed):
        desk.do(access.ticket, desk.ann, ticket.ref, Permission.ADMIN)
    with pytest.raises(NotFound):
        desk.do(access.ticket, desk.ann, "nowhere", Permission.READ)
