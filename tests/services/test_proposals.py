"""Topics that are proposed: when one looks, what stays decided, and giving one to inquiries."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import col

from app.core.errors import Conflict, NotAllowed, NotFound
from app.domain.words import Head, ProposalState, Role, Status
from app.services import proposals, topics, verdicts
from app.services.access import Actor
from app.services.proposals import Group
from app.services.queries import proposals as query
from app.store.tables import Correction, Inbox, Ticket, Topic, TopicProposal
from tests.factories import make_agent, make_customer, make_ticket
from tests.inquiries import Desk, guess, inquiry
from tests.services.conftest import Forward

DAY = timedelta(days=1)
NAMES = {"de": "Geschenke"}
GIFTS = {"en": "Gifts"}
UNSURE = replace(guess("D", None), vector=b"\x00\x3c", space="s")


@pytest.fixture
def boss(desk: Desk) -> Iterator[Actor]:
    """An administrator; the topics they make are gone afterwards: PostgreSQL's are shared."""
    with desk.db.transaction() as session:
        made = make_agent(session, "Bo Hart", Role.ADMIN)
    yield made
    with desk.db.transaction() as session:
        session.execute(update(Ticket).values(topic_id=None))
        session.execute(delete(TopicProposal))
        session.execute(delete(Topic).where(col(Topic.added_at).is_not(None)))


@pytest.fixture
def gifts(desk: Desk) -> list[Ticket]:
    """Eight inquiries the model gave no topic."""
    with desk.db.transaction() as session:
        inbox, customer = session.get_one(Inbox, desk.inbox.id), make_customer(session)
        return [make_ticket(session, inbox, customer, subject=f"Gift {n}") for n in range(8)]


def group(tickets: Sequence[Ticket], names: Mapping[str, str] = NAMES) -> Group:
    refs = [ticket.ref for ticket in tickets]
    return Group(refs, refs[:5], 4, names)


def kept(desk: Desk, *groups: Group) -> list[TopicProposal]:
    """After a look that found these."""
    desk.do(proposals.keep, 12, max((len(one.refs) for one in groups), default=5), groups)
    found: list[TopicProposal] = desk.all(TopicProposal)
    return found


def overview(desk: Desk, actor: Actor) -> query.Overview:
    with desk.db.reading() as session:
        return query.overview(session, actor)


def is_due(desk: Desk) -> bool:
    with desk.db.reading() as session:
        return proposals.due(session)


def about(desk: Desk, tickets: Sequence[Ticket], topic: Topic) -> int:
    """How many of them a person has said to be about it."""
    again = [desk.again(ticket) for ticket in tickets]
    return sum((one.topic_id, one.topic_by) == (topic.id, "person") for one in again)


def test_nobody_looks_where_nothing_came(desk: Desk, forward: Forward) -> None:
    forward(2 * DAY)

    assert not is_due(desk)


def test_one_looks_once_a_day_and_when_asked(desk: Desk, boss: Actor, forward: Forward) -> None:
    desk.ticket(inquiry(), prediction=UNSURE)
    never = is_due(desk)
    kept(desk)
    just = is_due(desk)
    forward(DAY / 2)
    desk.do(proposals.ask, boss)
    asked, told = is_due(desk), overview(desk, boss).asked
    kept(desk)
    done = is_due(desk)
    forward(DAY)

    assert (never, just, asked, told, done, is_due(desk)) == (True, False, True, True, False, True)


def test_looked_at_is_what_has_no_topic(desk: Desk) -> None:
    about = ("Oldest", "Said", "None", "Older", "Newer")
    made = [desk.ticket(inquiry(text=text), prediction=UNSURE) for text in about]
    desk.ticket(inquiry(), prediction=replace(UNSURE, topic=guess(None, "delivery").topic))
    desk.ticket(inquiry(), prediction=replace(UNSURE, space="another"))
    desk.do(verdicts.choose, desk.ann, made[1].ref, Head.TOPIC, "delivery")
    desk.do(verdicts.dismiss, desk.ann, made[2].ref)
    desk.ticket(inquiry(text="Newest"), prediction=UNSURE)

    with desk.db.reading() as session:
        found = proposals.unsure(session, 4)

    words = [one.text for one in found.inquiries]
    assert words == [f"A question\n{text}" for text in ("Newest", "Newer", "Older")]
    assert (found.space, {one.vector for one in found.inquiries}) == ("s", {b"\x00\x3c"})
    assert (sorted(found.agents), found.house) == (["Ann Bell", "Leo Field"], "金田うつわ店")
    assert {one.customer for one in found.inquiries} == {"Yumi"}


def test_look_is_told_honestly(desk: Desk, boss: Actor, gifts: list[Ticket]) -> None:
    before = overview(desk, boss)
    kept(desk)
    nothing = overview(desk, boss)
    kept(desk, group(gifts))
    found = overview(desk, boss)

    assert (before.looked_at, before.texts) == (None, 0)
    assert (nothing.texts, nothing.largest, nothing.proposals) == (12, 5, [])
    [one] = found.proposals
    assert (one.names, one.tickets, one.customers) == (NAMES, 8, 4)
    assert [(each.ref, each.preview) for each in one.typical] == [
        (ticket.ref, ticket.preview) for ticket in gifts[:5]
    ]


def test_group_that_grows_stays_the_same_proposal(desk: Desk, gifts: list[Ticket]) -> None:
    [first] = kept(desk, group(gifts[:6]))
    [second] = kept(desk, group(gifts, names={"en": "Gifts"}))
    gone = kept(desk)

    assert (second.id, second.names, len(second.refs)) == (first.id, {"en": "Gifts"}, 8)
    assert gone == []


def refused(desk: Desk, boss: Actor, number: int) -> None:
    desk.do(proposals.refuse, boss, number)


def made(desk: Desk, boss: Actor, number: int) -> None:
    desk.do(proposals.make, boss, number, GIFTS)


@pytest.mark.parametrize("decide", [refused, made])
@pytest.mark.parametrize(("known", "proposed"), [(5, 0), (4, 1)])
def test_mostly_the_same_is_not_proposed_again(
    desk: Desk,
    boss: Actor,
    gifts: list[Ticket],
    decide: Callable[[Desk, Actor, int], None],
    known: int,
    proposed: int,
) -> None:
    [first] = kept(desk, group(gifts[:known]))
    decide(desk, boss, first.id)

    kept(desk, group(gifts))

    assert len(overview(desk, boss).proposals) == proposed


def test_refusing_can_be_undone(desk: Desk, boss: Actor, gifts: list[Ticket]) -> None:
    [one] = kept(desk, group(gifts))
    desk.do(proposals.refuse, boss, one.id)
    hidden = overview(desk, boss).proposals
    desk.do(proposals.take_up, boss, one.id)

    assert (hidden, [each.id for each in overview(desk, boss).proposals]) == ([], [one.id])


def test_topic_is_given_to_the_inquiries_only_when_somebody_says_so(
    desk: Desk, boss: Actor, gifts: list[Ticket]
) -> None:
    [one] = kept(desk, group(gifts))
    topic: Topic = desk.do(proposals.make, boss, one.id, GIFTS)
    first = about(desk, gifts, topic)
    desk.do(verdicts.choose, desk.ann, gifts[0].ref, Head.TOPIC, "delivery")
    offered = overview(desk, boss).made
    given = desk.do(proposals.give, boss, one.id)
    again = desk.do(proposals.give, boss, one.id)

    assert (first, given, again, about(desk, gifts, topic)) == (0, 7, 0, 7)
    assert [(each.names["en"], each.without, each.given) for each in offered] == [("Gifts", 7, 0)]
    assert {row.agent_id for row in desk.all(Correction, label=topic.key)} == {boss.agent_id}


def test_giving_is_undone_but_for_what_was_said_since(
    desk: Desk, boss: Actor, gifts: list[Ticket]
) -> None:
    [one] = kept(desk, group(gifts))
    topic: Topic = desk.do(proposals.make, boss, one.id, GIFTS)
    desk.do(proposals.give, boss, one.id)
    desk.do(verdicts.choose, desk.ann, gifts[0].ref, Head.TOPIC, topic.key)
    undone = desk.do(proposals.take_back, boss, one.id)
    offered = overview(desk, boss).made

    assert (undone, about(desk, gifts, topic)) == (7, 1)
    assert [(each.without, each.given) for each in offered] == [(7, 1)]
    assert desk.do(proposals.take_back, boss, one.id) == 0


def test_what_is_decided_is_decided_once_and_by_administrators(
    desk: Desk, boss: Actor, forward: Forward, gifts: list[Ticket]
) -> None:
    [one] = kept(desk, group(gifts))
    topic: Topic = desk.do(proposals.make, boss, one.id, GIFTS)
    for verb in (proposals.refuse, proposals.take_up):
        with pytest.raises(Conflict):
            desk.do(verb, boss, one.id)
    with pytest.raises(NotFound):
        desk.do(proposals.refuse, boss, one.id + 1)
    for act in (lambda: desk.do(proposals.ask, desk.lead), lambda: overview(desk, desk.lead)):
        with pytest.raises(NotAllowed):
            act()
    desk.do(topics.merge, boss, topic.key, "delivery")
    with pytest.raises(Conflict):
        desk.do(proposals.give, boss, one.id)
    forward(8 * DAY)

    assert desk.one(TopicProposal, one.id).state is ProposalState.MADE
    assert overview(desk, boss).made == []
    assert desk.again(gifts[0]).status is Status.OPEN
