"""The ticket page: what it shows, and what its buttons do without any script."""

import re
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient
from sqlmodel import col, select

from app.core import clock, secrets
from app.domain.words import DeliveryState, Head, MessageKind, Status, SurveyState
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import (
    Address,
    Attachment,
    Change,
    Delivery,
    Draft,
    Message,
    Participant,
    Seen,
    Survey,
    Ticket,
)
from tests.factories import make_customer, make_guess, make_inbox, make_message, make_ticket
from tests.web.conftest import Person


@dataclass(frozen=True)
class Case:
    """A ticket with one message of its customer."""

    ref: str
    id: int
    message_id: int


@pytest.fixture
def case(db: Database) -> Case:
    with db.transaction() as session:
        customer = make_customer(session, "Yumi <b>Takahashi</b>", "yumi@customers.test")
        ticket = make_ticket(
            session, make_inbox(session), customer, subject="Lid <script>x</script>"
        )
        message = make_message(
            session,
            ticket,
            "It does not close.\n\nSee https://photos.test/1",
            author="Yumi",
            cc=["shop@customers.test"],
            html='<p>It <b>does not</b> close<img src="https://track.er/x"><img src="cid:lid"></p>',
        )
        make_guess(session, message, Head.STAGE, [("F", 0.6), ("E", 0.2), ("C", 0.1)])
        make_guess(session, message, Head.TOPIC, [("fault_repair", 0.4)], reasons=["does not"])
        return Case(ticket.ref, ticket.id, message.id)


def ticket_of(db: Database, case: Case) -> Ticket:
    with db.reading() as session:
        return session.get_one(Ticket, case.id)


def post(client: TestClient, case: Case, act: str, **fields: str) -> str:
    answer = client.post(f"/tickets/{case.ref}/{act}", data=fields)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_page_shows_what_was_written_and_escapes_it(ann: Person, case: Case) -> None:
    page = ann.client.get(f"/tickets/{case.ref}").text

    assert "Lid &lt;script&gt;x&lt;/script&gt;" in page
    assert "<script>x" not in page
    assert "Yumi &lt;b&gt;Takahashi&lt;/b&gt;" in page
    assert 'href="https://photos.test/1" rel="noopener noreferrer nofollow"' in page
    assert "<mark>does not</mark>" in page
    assert "estimated on sample texts" in page
    assert 'name="to" value="yumi@customers.test"' in page
    assert f'name="last_seen" value="{case.message_id}"' in page


def _summary(page: str) -> str:
    """What is seen of the recipients while their fields are folded."""
    found = re.search(r'<span class="gets"[^>]*>(.*?)</summary>', page, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_whom_somebody_put_in_cc_gets_an_answer_only_when_an_agent_says_so(
    db: Database, ann: Person, case: Case
) -> None:
    page = ann.client.get(f"/tickets/{case.ref}").text
    assert 'name="cc" value=""' in page
    assert 'name="also" value="shop@customers.test">shop@customers.test' in page
    assert "shop@" not in _summary(page)

    post(ann.client, case, "reply", text="First.", to="yumi@customers.test", cc="")
    post(
        ann.client, case, "reply", text="Now.", to="yumi@customers.test", also="shop@customers.test"
    )

    with db.reading() as session:
        sent = session.exec(
            select(Message.to, Message.cc).where(Message.kind == MessageKind.OUTBOUND)
        ).all()
        part = session.exec(select(Address.value).join(Participant)).all()
    assert list(sent) == [
        (["yumi@customers.test"], []),
        (["yumi@customers.test"], ["shop@customers.test"]),
    ]
    assert set(part) == {"yumi@customers.test", "shop@customers.test"}
    page = ann.client.get(f"/tickets/{case.ref}").text
    assert 'name="cc" value="shop@customers.test"' in page
    assert 'name="also"' not in page
    assert _summary(page).endswith("yumi@customers.test Cc shop@customers.test")


def test_who_is_new_among_the_recipients_is_marked_before_it_is_sent(
    ann: Person, case: Case
) -> None:
    form = {"text": "", "to": "yumi@customers.test", "cc": "boss@customers.test"}

    page = ann.client.post(f"/tickets/{case.ref}/reply", data={**form, "also": "x@b.test"}).text

    assert 'name="cc" value="boss@customers.test, x@b.test"' in page
    assert _summary(page).endswith(
        "yumi@customers.test Cc boss@customers.test new here , x@b.test new here"
    )


@pytest.mark.parametrize(
    ("stage", "topic", "said"),
    [
        ("own", "own", []),
        ("own", "samples", ["Topic: estimated on sample texts"]),
        ("samples", "own", ["Stage: estimated on sample texts"]),
        ("samples", "samples", ["estimated on sample texts"]),
    ],
)
def test_page_says_which_percentages_are_of_sample_texts(
    db: Database, ann: Person, stage: str, topic: str, said: list[str]
) -> None:
    with db.transaction() as session:
        ticket = make_ticket(session, urgent=True, urgent_by="model")
        message = make_message(session, ticket, "It does not close.")
        make_guess(session, message, Head.STAGE, [("F", 0.6), ("E", 0.2)], basis=stage)
        make_guess(session, message, Head.TOPIC, [("fault_repair", 0.6)], basis=topic)
        make_guess(session, message, Head.URGENT, [("yes", 0.9)], basis=topic)
        ref = ticket.ref

    page = ann.client.get(f"/tickets/{ref}").text

    assert re.findall(r'<span class="basis">([^<]*)</span>', page) == said
    flag = re.search(r'title="(estimated by the model[^".]*)\.', page)
    assert flag is not None
    own = "estimated by the model (90%)"
    assert flag[1] == (own if topic == "own" else own.replace(")", ", estimated on sample texts)"))


def test_page_merges_the_anchors_of_a_stage(ann: Person, case: Case) -> None:
    page = ann.client.get(f"/tickets/{case.ref}").text

    assert '<b>Satisfaction</b><span class="num">80%</span>' in page
    assert page.count("<b>Satisfaction</b>") == 1


def test_page_marks_the_ticket_read_once(db: Database, ann: Person, case: Case) -> None:
    for _ in range(2):
        assert ann.client.get(f"/tickets/{case.ref}").status_code == 200

    with db.reading() as session:
        seen = session.exec(select(Seen.agent_id, Seen.ticket_id)).all()
    assert list(seen) == [(ann.id, case.id)]


def test_reply_is_queued_for_everybody_it_names(db: Database, ann: Person, case: Case) -> None:
    answer = ann.client.post(
        f"/tickets/{case.ref}/reply",
        data={
            "text": "We send a **new** one.",
            "to": "yumi@customers.test",
            "cc": "shop@customers.test, boss@customers.test",
            "last_seen": str(case.message_id),
            "view": "mine",
        },
        files={"files": ("proof.txt", b"as promised", "text/plain")},
    )

    with db.reading() as session:
        sent = session.exec(select(Message).where(Message.kind == MessageKind.OUTBOUND)).one()
        queued = session.exec(
            select(Delivery.recipient, Delivery.is_copy).order_by(col(Delivery.id))
        ).all()
        files = session.exec(select(Attachment.name, Attachment.size)).all()
    where = f"/tickets/{case.ref}?view=mine&did=sent&on={case.ref}&sent={sent.id}"
    assert answer.headers["location"] == where
    assert (sent.text, sent.author) == ("We send a **new** one.", "Ann")
    assert list(queued) == [
        ("yumi@customers.test", False),
        ("shop@customers.test", True),
        ("boss@customers.test", True),
    ]
    assert list(files) == [("proof.txt", 11)]
    assert "<strong>new</strong>" in ann.client.get(f"/tickets/{case.ref}").text


def test_reply_that_missed_something_newer_is_kept_and_not_sent(
    db: Database, ann: Person, case: Case
) -> None:
    with db.transaction() as session:
        make_message(session, session.get_one(Ticket, case.id), "Never mind, solved!")

    answer = ann.client.post(
        f"/tickets/{case.ref}/reply",
        data={"text": "My long answer", "last_seen": str(case.message_id)},
    )

    assert answer.status_code == 409
    assert "Something newer was said meanwhile" in answer.text
    assert "Never mind, solved!" in answer.text
    assert ">My long answer</textarea>" in answer.text
    with db.reading() as session:
        assert session.exec(select(Delivery)).all() == []


def test_send_pressed_twice_sends_once(db: Database, ann: Person, case: Case) -> None:
    page = ann.client.get(f"/tickets/{case.ref}").text
    found = re.search(r'name="act" value="(\w{20})"', page)
    assert found is not None
    form = {"act": found.group(1), "text": "On its way.", "last_seen": str(case.message_id)}

    answers = [
        ann.client.post(f"/tickets/{case.ref}/reply", data=data)
        for data in (form, form, {**form, "text": "Another text."})
    ]

    assert [answer.status_code for answer in answers] == [303, 303, 409]
    assert "Something newer was said meanwhile" in answers[2].text
    with db.reading() as session:
        texts = session.exec(select(Message.text).where(Message.kind == MessageKind.OUTBOUND)).all()
    assert list(texts) == ["On its way."]


def test_reply_form_shows_where_the_answer_is_wanted(db: Database, ann: Person, case: Case) -> None:
    with db.transaction() as session:
        ticket = session.get_one(Ticket, case.id)
        make_message(session, ticket, "Please tell the office.", reply_to="office@customers.test")
        make_message(session, ticket, "I am on holiday.", automatic=True, author="Robot")

    page = ann.client.get(f"/tickets/{case.ref}").text

    assert 'name="to" value="office@customers.test"' in page
    assert "They wrote from yumi@customers.test and want the answer at another address." in page
    assert '<details class="to for-reply" open>' in page


def test_reply_to_a_wrong_address_keeps_what_was_typed(ann: Person, case: Case) -> None:
    answer = ann.client.post(
        f"/tickets/{case.ref}/reply", data={"text": "My answer", "to": "nobody at all"}
    )

    assert answer.status_code == 422
    assert ">My answer</textarea>" in answer.text
    assert 'name="to" value="nobody at all"' in answer.text


def test_note_reaches_nobody_outside(db: Database, ann: Person, case: Case) -> None:
    post(ann.client, case, "note", text="Batch 07 is broken")

    page = ann.client.get(f"/tickets/{case.ref}").text
    assert "Internal note, never sent" in page
    assert "Batch 07 is broken" in page
    with db.reading() as session:
        assert session.exec(select(Delivery)).all() == []


def test_resolving_leads_to_the_next_ticket_and_can_be_undone(
    db: Database, ann: Person, case: Case
) -> None:
    where = post(ann.client, case, "resolve", view="open", next="abcdefghj")

    assert where == f"/tickets/abcdefghj?view=open&did=resolved&on={case.ref}"
    assert ticket_of(db, case).status is Status.RESOLVED
    undo = ann.client.get(f"/inbox?view=open&did=resolved&on={case.ref}").text
    assert f'action="/tickets/{case.ref}/reopen"' in undo

    post(ann.client, case, "reopen")

    assert ticket_of(db, case).status is Status.OPEN


def test_snooze_takes_a_moment_in_the_time_of_the_organisation(
    db: Database, ann: Person, case: Case
) -> None:
    post(ann.client, case, "snooze", at="2099-01-05T09:00")

    until = ticket_of(db, case).snoozed_until
    assert until is not None
    assert until.isoformat() == "2099-01-05T00:00:00+00:00"


@pytest.mark.parametrize("fields", [{}, {"at": "soon"}, {"until": "2001-01-01T00:00"}])
def test_snooze_until_no_moment_is_refused(
    db: Database, ann: Person, case: Case, fields: dict[str, str]
) -> None:
    answer = ann.client.post(f"/tickets/{case.ref}/snooze", data=fields)

    assert answer.status_code == 422
    assert ticket_of(db, case).status is Status.OPEN


def test_choosing_a_stage_is_remembered_as_a_persons_word(
    db: Database, ann: Person, case: Case
) -> None:
    post(ann.client, case, "tag", stage="C")
    post(ann.client, case, "tag", topic="delivery")

    ticket = ticket_of(db, case)
    assert (ticket.stage, ticket.stage_by, ticket.topic_by) == ("C", "person", "person")
    page = ann.client.get(f"/tickets/{case.ref}").text
    assert "Ann set the stage to Engagement" in page
    assert "Ann set the topic to Delivery" in page


def test_flags_and_language_are_set_by_one_press_and_can_be_taken_back(
    db: Database, ann: Person, case: Case
) -> None:
    where = post(ann.client, case, "tag", urgent="yes", view="open.urgent")
    post(ann.client, case, "tag", language="de")

    ticket = ticket_of(db, case)
    page = ann.client.get(f"/tickets/{case.ref}?view=open.urgent").text
    post(ann.client, case, "take-back-verdict")
    assert where == f"/tickets/{case.ref}?view=open.urgent&did=tagged&on={case.ref}"
    assert (ticket.urgent, ticket.urgent_by, ticket.language) == (True, "person", "de")
    assert "Ann said that it is urgent" in page
    assert "Ann set the language to German" in page
    assert 'name="urgent" value="no" aria-pressed="true" title="set by a person.' in page
    assert ticket_of(db, case).language == "en"


def test_accepting_takes_the_best_guess_of_both(db: Database, ann: Person, case: Case) -> None:
    post(ann.client, case, "accept")

    assert ticket_of(db, case).stage == "F"


def test_no_inquiry_goes_on_with_the_next_and_is_taken_back(
    db: Database, ann: Person, case: Case
) -> None:
    said = post(ann.client, case, "dismiss", view="triage")
    page = ann.client.get(said, headers={"accept": "text/html"}).text
    there = ticket_of(db, case).status
    back = post(ann.client, case, "take-back-verdict", view="triage", place="list")

    assert said == f"/inbox?view=triage&did=dismissed&on={case.ref}"
    assert f'action="/tickets/{case.ref}/take-back-verdict"' in page
    assert (there, ticket_of(db, case).status) == (Status.DISMISSED, Status.OPEN)
    assert back == f"/inbox?view=triage&did=verdict_taken_back&on={case.ref}"


@pytest.mark.parametrize(("n", "tags"), [("2", ("C", "person", "")), ("4", ("", "", "person"))])
def test_a_guess_is_chosen_from_the_list_by_its_number(
    db: Database, ann: Person, case: Case, n: str, tags: tuple[str, str, str]
) -> None:
    back = post(ann.client, case, "guess", n=n, place="list", view="open")

    ticket = ticket_of(db, case)
    assert back == f"/inbox?view=open&did=tagged&on={case.ref}"
    assert (ticket.stage, ticket.stage_by, ticket.topic_by) == tags


def test_a_guess_that_there_is_not_changes_nothing(db: Database, ann: Person, case: Case) -> None:
    answer = ann.client.post(f"/tickets/{case.ref}/guess", data={"n": "6"})

    assert answer.status_code == 409
    assert ticket_of(db, case).topic_by == ""


def test_assigning_to_somebody_and_to_nobody(db: Database, ann: Person, case: Case) -> None:
    post(ann.client, case, "assign", agent=str(ann.id))
    mine = ticket_of(db, case).assignee_id
    post(ann.client, case, "assign", agent="")

    assert (mine, ticket_of(db, case).assignee_id) == (ann.id, None)
    with db.reading() as session:
        assert session.exec(
            select(Change.data).where(Change.what == "assigned").order_by(col(Change.id))
        ).all() == [{"to": "Ann"}, {"to": ""}]


def test_draft_is_kept_on_the_server(db: Database, ann: Person, case: Case) -> None:
    answer = ann.client.post(f"/tickets/{case.ref}/draft", data={"text": "Half an ans"})

    assert (answer.status_code, answer.content) == (204, b"")
    with db.reading() as session:
        assert session.exec(select(Draft.text)).all() == ["Half an ans"]
    assert ">Half an ans</textarea>" in ann.client.get(f"/tickets/{case.ref}").text


def test_failed_delivery_says_why_and_can_be_sent_again(
    db: Database, ann: Person, case: Case
) -> None:
    with db.transaction() as session:
        ticket = session.get_one(Ticket, case.id)
        message = make_message(session, ticket, "Sorry", MessageKind.OUTBOUND, author="Ann")
        delivery = Delivery(
            message_id=message.id,
            recipient="yumi@customers.test",
            state=DeliveryState.FAILED,
            words="552 Mailbox <full>",
            changed_at=clock.now(),
        )
        session.add(delivery)

    page = ann.client.get(f"/tickets/{case.ref}").text
    answer = ann.client.post(f"/outbox/{delivery.id}/again", data={"ref": case.ref})

    assert "552 Mailbox &lt;full&gt;" in page
    assert answer.headers["location"] == f"/tickets/{case.ref}?did=sent&on={case.ref}"
    with db.reading() as session:
        assert session.exec(select(Delivery.state)).one() is DeliveryState.QUEUED


def test_layout_of_a_mail_loads_nothing_from_elsewhere(
    db: Database, blobs: Blobs, ann: Person, case: Case
) -> None:
    with db.transaction() as session:
        session.add(
            Attachment(
                ref=secrets.new_ref(20),
                message_id=case.message_id,
                name="lid.png",
                content_type="image/png",
                size=3,
                sha256=blobs.put(b"PNG"),
                content_id="lid",
                inline=True,
            )
        )

    answer = ann.client.get(f"/messages/{case.message_id}/html")

    assert "track.er" not in answer.text
    assert '<img src="data:image/png;base64,UE5H">' in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        "sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
    )
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize(
    ("declared", "served"),
    [("text/html", "application/octet-stream"), ("image/png", "image/png")],
)
def test_attachment_is_always_a_download(
    db: Database, blobs: Blobs, ann: Person, case: Case, declared: str, served: str
) -> None:
    with db.transaction() as session:
        file = Attachment(
            ref=secrets.new_ref(20),
            message_id=case.message_id,
            name='写真";x=.html',
            content_type=declared,
            size=7,
            sha256=blobs.put(b"<b>x</b>"),
        )
        session.add(file)

    answer = ann.client.get(f"/attachments/{file.ref}")

    assert answer.content == b"<b>x</b>"
    assert answer.headers["content-type"] == served
    assert answer.headers["content-disposition"] == (
        "attachment; filename*=UTF-8''%E5%86%99%E7%9C%9F%22%3Bx%3D.html"
    )
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("path", ["/tickets/nothere00", "/attachments/x", "/messages/999/html"])
def test_what_is_not_there_is_a_page_that_says_so(ann: Person, path: str) -> None:
    answer = ann.client.get(path, headers={"accept": "text/html"})

    assert answer.status_code == 404
    assert "There is nothing here" in answer.text


def test_page_says_that_a_request_was_not_answered(db: Database, ann: Person, case: Case) -> None:
    with db.transaction() as session:
        ticket = session.get_one(Ticket, case.id)
        session.add(
            Survey(
                ticket_id=ticket.id,
                customer_id=ticket.customer_id,
                resolution=1,
                state=SurveyState.EXPIRED,
                nonce="n",
                resolved_at=clock.now(),
                due_at=clock.now(),
            )
        )

    page = ann.client.get(f"/tickets/{case.ref}").text

    assert "The feedback request was not answered, and its time is over" in page


def test_spam_says_what_follows_and_is_taken_back_by_one_press(
    db: Database, ann: Person, case: Case
) -> None:
    post(ann.client, case, "spam")
    page = ann.client.get(f"/tickets/{case.ref}?view=spam").text

    post(ann.client, case, "reopen")

    assert "Ann marked it as spam; what this sender writes next goes there, too" in page
    assert "Not spam <kbd" in page
    with db.reading() as session:
        assert session.exec(select(Address.spam_at)).all() == [None]
    assert ticket_of(db, case).status is Status.OPEN
