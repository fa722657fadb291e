"""Third parties and joined tickets, as an agent meets them without any script."""

import pytest
from sqlmodel import Session, select

from app.core import clock
from app.domain.words import Status
from app.store.database import Database
from app.store.tables import Address, Customer, FormerRef, Message, Ticket
from tests.factories import make_message, make_ticket
from tests.web.conftest import Person

EVE = "eve@elsewhere.test"


def third_party(session: Session, ticket: Ticket) -> Message:
    message = make_message(session, ticket, "I am her colleague.", unverified=True, author="Eve")
    address = Address(
        customer_id=make_ticket(session).customer_id,
        kind="email",
        value=EVE,
        normal=EVE,
        created_at=clock.now(),
    )
    session.add(address)
    session.flush()
    message.address_id, ticket.unverified = address.id, 1
    session.add(ticket)
    return message


def same_as(session: Session, ticket: Ticket) -> Customer:
    return session.get_one(Customer, ticket.customer_id)


def test_a_third_party_is_shown_and_let_in_with_one_press(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session, subject="Kettle")
        message = third_party(session, ticket)
    ref, number = ticket.ref, message.id

    page = ann.client.get(f"/tickets/{ref}").text
    assert f"{EVE} takes no part in this conversation" in page
    assert f'name="to" value="{EVE}"' not in page
    waiting = ann.client.get("/inbox?view=unverified").text
    assert "Kettle" in waiting
    assert 'href="/inbox?view=unverified" aria-current="page"' in waiting

    answer = ann.client.post(f"/tickets/{ref}/accept-message", data={"message": str(number)})

    assert answer.headers["location"] == f"/tickets/{ref}?view=open&did=accepted&on={ref}"
    assert "takes no part" not in ann.client.get(f"/tickets/{ref}").text
    assert "unverified" not in ann.client.get("/inbox?view=open").text
    with db.reading() as session:
        assert session.exec(select(Message.unverified).where(Message.id == number)).one() is False


def test_a_third_party_is_given_a_ticket_of_its_own(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session, subject="Kettle")
        message = third_party(session, ticket)

    answer = ann.client.post(
        f"/tickets/{ticket.ref}/part-message", data={"message": str(message.id)}
    )

    with db.reading() as session:
        own = session.exec(select(Ticket).where(Ticket.claims_ref == ticket.ref)).one()
    assert answer.headers["location"] == f"/tickets/{own.ref}?view=open&did=parted&on={own.ref}"
    page = ann.client.get(f"/tickets/{own.ref}").text
    assert f'This names ticket <a href="/tickets/{ticket.ref}">#{ticket.ref}</a>' in page


def test_the_first_sender_of_what_was_forwarded_is_taken_with_one_press(
    db: Database, ann: Person
) -> None:
    first = {"name": "Jane", "address": "jane@x.test", "sent_at": "", "subject": "", "text": "Hi"}
    with db.transaction() as session:
        tickets = [make_ticket(session, subject="Kettle") for _ in range(2)]
        messages = [
            make_message(session, one, "Fwd", author="Bo", passes_on=first) for one in tickets
        ]
    by_page, over_api = tickets

    page = ann.client.get(f"/tickets/{by_page.ref}").text
    told = ann.client.get(f"/api/tickets/{over_api.ref}").json()["said"]
    pressed = ann.client.post(
        f"/tickets/{by_page.ref}/take-sender", data={"message": str(messages[0].id)}
    )
    done = ann.client.post(
        f"/api/tickets/{over_api.ref}/messages/{messages[1].id}/take-sender"
    ).json()

    assert "passes on a mail of Jane &lt;jane@x.test&gt;" in page
    assert [one["passes_on"] for one in told] == ["Jane <jane@x.test>"]
    assert done["ref"] == over_api.ref
    after = ann.client.get(pressed.headers["location"]).text
    assert ("passes on a mail" in after, "Their ticket now" in after) == (False, True)
    assert "Ann took the first sender of a mail that Bo forwarded as the customer" in after
    with db.reading() as session:
        assert set(session.exec(select(Message.author))) == {"Jane"}


def test_tickets_are_joined_and_the_old_name_leads_there(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        older = make_ticket(session, subject="Kettle")
        newer = make_ticket(session, customer=same_as(session, older), subject="Lid")
        make_message(session, older, "It leaks.")
        make_message(session, newer, "It does not close.")

    answer = ann.client.post(f"/tickets/{older.ref}/join", data={"other": f"#{newer.ref.upper()}"})

    assert answer.headers["location"] == f"/tickets/{older.ref}?view=open&did=joined&on={older.ref}"
    old_name = ann.client.get(f"/tickets/{newer.ref}")
    assert (old_name.status_code, old_name.headers["location"]) == (
        303,
        f"/tickets/{older.ref}?view=open",
    )
    page = ann.client.get(f"/tickets/{older.ref}").text
    assert "It leaks." in page
    assert "It does not close." in page
    assert f"Ann joined ticket #{newer.ref} with this one" in page
    with db.reading() as session:
        assert session.exec(select(FormerRef.ref)).all() == [newer.ref]


def test_the_same_over_the_api(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        older = make_ticket(session)
        newer = make_ticket(session, customer=same_as(session, older))
        message = third_party(session, newer)

    joined = ann.client.post(f"/api/tickets/{newer.ref}/join", json={"ref": older.ref})
    seen = ann.client.get(f"/api/tickets/{newer.ref}")
    path = f"/api/tickets/{newer.ref}/messages/{message.id}"
    parted = ann.client.post(f"{path}/part")
    again = ann.client.post(f"{path}/accept")

    assert (joined.status_code, joined.json()["ref"]) == (200, older.ref)
    assert seen.json()["ref"] == older.ref
    assert [said["unverified"] for said in seen.json()["said"]] == [True]
    assert parted.status_code == 200
    assert parted.json()["ref"] not in {older.ref, newer.ref}
    assert again.status_code == 404


def test_a_ticket_names_the_one_it_follows_and_can_be_joined_with_it(
    db: Database, ann: Person
) -> None:
    with db.transaction() as session:
        older = make_ticket(session, subject="Kettle")
        newer = make_ticket(session, customer=same_as(session, older), subject="Lid")
        foreign = make_ticket(session, subject="Ours as well")
        newer.follows_ref = foreign.follows_ref = older.ref
    first = older.ref

    by_them, by_others = (
        ann.client.get(f"/tickets/{ref}").text for ref in (newer.ref, foreign.ref)
    )

    assert f'This follows ticket <a href="/tickets/{first}">#{first} Kettle</a>.' in by_them
    assert f'This follows ticket <a href="/tickets/{first}">#{first}</a>.' in by_others
    joins = f'name="other" value="{first}"'
    assert (joins in by_them, joins in by_others) == (True, False)
    assert ann.client.get(f"/api/tickets/{newer.ref}").json()["follows_ref"] == first


def test_a_ticket_names_those_that_go_on_from_it(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        ticket, joined = make_ticket(session), make_ticket(session)
        for number in range(12):
            later = make_ticket(session, subject=f"Lid {number}")
            later.follows_ref = ticket.ref if number else joined.ref
        spam = make_ticket(session, subject="Spam", status=Status.SPAM)
        spam.follows_ref = ticket.ref
        session.flush()
        first, second = ticket.ref, joined.ref

    def followers(ref: str) -> list[str]:
        found = ann.client.get(f"/api/tickets/{ref}").json()["followed_by"]
        return [one["subject"] for one in found]

    newest = [f"Lid {number}" for number in range(11, 1, -1)]
    page = ann.client.get(f"/tickets/{first}").text
    alone = ann.client.get(f"/tickets/{second}").text
    assert (followers(first), followers(second)) == (newest, ["Lid 0"])
    assert (page.count("This goes on in <a"), alone.count("This goes on in <a")) == (1, 1)
    shown = [line for line in page.splitlines() if "This goes on in" in line]
    assert [shown[0].count(name) for name in ("Lid 11</a>, <a", "Lid 2</a>.", "Spam")] == [1, 1, 0]
    with db.transaction() as session:
        at = session.exec(select(Ticket).where(Ticket.ref == first)).one()
        session.add(FormerRef(ref="0ldname00", ticket_id=at.id))
        make_ticket(session, subject="Of a joined one").follows_ref = "0ldname00"
    assert followers(first)[0] == "Of a joined one"


def test_what_may_belong_together_is_joined_with_one_press(db: Database, ann: Person) -> None:
    with db.transaction() as session:
        older = make_ticket(session, subject="Kettle")
        newer = make_ticket(session, customer=same_as(session, older), subject="Kettle")
        newer.claims_ref = older.ref
        for ticket in (older, newer):
            make_message(session, ticket, "It does not close.", subject="Re: Kettle")
    first, second = older.ref, newer.ref

    page = ann.client.get(f"/tickets/{second}").text
    told = ann.client.get(f"/api/tickets/{second}").json()["may_belong_to"]

    assert "of the same customer." in page
    assert "takes no part there" not in page
    assert f'name="other" value="{first}"' in page
    assert told == [{"ref": first, "subject": "Kettle"}]
    assert "of the same customer." not in ann.client.get(f"/tickets/{first}").text

    where = ann.client.post(f"/tickets/{second}/keep-apart", data={"other": first}).headers
    apart = ann.client.get(where["location"]).text
    assert f"Ann said that ticket #{first} is about something else" in apart
    assert ("of the same customer." in apart, "Not suggested any more" in apart) == (False, True)
    back = ann.client.post(f"/tickets/{second}/suggest-again", data={"other": first}).headers
    assert "of the same customer." in ann.client.get(back["location"]).text
    one = f"/api/tickets/{second}/apart-from/{first}"
    assert ann.client.put(one).json()["ref"] == second
    assert ann.client.get(f"/api/tickets/{second}").json()["may_belong_to"] == []
    assert ann.client.delete(one).json()["ref"] == second
    assert ann.client.get(f"/api/tickets/{second}").json()["may_belong_to"] == told

    answer = ann.client.post(f"/tickets/{second}/join", data={"view": "open", "other": first})
    assert answer.headers["location"] == f"/tickets/{first}?view=open&did=joined&on={first}"


def test_what_a_server_says_of_a_sender_is_shown(db: Database, ann: Person) -> None:
    failed = {"spf": "pass", "dkim": "pass", "dkim_domain": "x.test", "dmarc": "fail"}
    with db.transaction() as session:
        ticket = make_ticket(session)
        for verdicts in (failed, {"dmarc": "pass"}, {}, None, {"unproved": True}):
            make_message(session, ticket, "Hello", verdicts=verdicts)

    page = ann.client.get(f"/tickets/{ticket.ref}").text
    said = ann.client.get(f"/api/tickets/{ticket.ref}").json()["said"]

    assert page.count("may be from somebody else") == 1
    assert page.count("<summary>Sender check: ") == 4
    assert page.count("<summary>Sender check: not verified") == 1
    assert page.count("Only the form or the group was checked") == 1
    assert "DKIM: passed (x.test)" in page
    assert [one["verdicts"] and one["verdicts"]["dmarc"] for one in said] == [
        "fail",
        "pass",
        "",
        None,
        "",
    ]


@pytest.mark.parametrize("did", ["sent", "planned", "kept_apart", "made up"])
def test_the_list_undoes_nothing_that_it_does_not_know(ann: Person, did: str) -> None:
    page = ann.client.get(f"/inbox?did={did}&on=x")

    assert (page.status_code, "data-undo" in page.text) == (200, False)
