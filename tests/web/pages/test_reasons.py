"""Why the model guesses what it does, as an agent reads it on the ticket."""

import re
from html import unescape

from app.domain.words import Head
from app.services import verdicts
from app.store.database import Database
from classifier.contract import Why
from tests.factories import make_guess, make_message, make_ticket
from tests.web.conftest import Person

SAID = {
    Why.EMPTY: "No word in it tells anything.",
    Why.STRANGE: "It is unlike everything the model has learned.",
    Why.NO_CHOICE: "With fewer than two topics there is nothing to choose between.",
    Why.UNSURE: "No guess is likely enough to be suggested.",
    Why.FEW_LABELS: "people have labelled too few of your own inquiries in this language.",
    Why.NO_THRESHOLD: "such guesses were not right often enough yet.",
    Why.NOT_SURE_ENOUGH: "it is not certain enough to go without you.",
}


def made(db: Database, top: list[tuple[str, float]], **given: object) -> str:
    with db.transaction() as session:
        ticket = make_ticket(session)
        message = make_message(session, ticket, "The lid <i>leaks</i>. Delivered today.")
        make_message(session, ticket, "It leaks.")
        make_guess(session, message, Head.STAGE, top, **given)
        make_guess(session, message, Head.TOPIC, [("fault_repair", 0.9)])
        return ticket.ref


def plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def told(page: str) -> str:
    return plain(page[page.index('<div class="told">') : page.index("</details>\n</section>")])


def test_every_reason_to_hold_back_has_a_sentence(ann: Person, db: Database) -> None:
    for why in Why:
        page = ann.client.get(f"/tickets/{made(db, [('F', 0.4), ('D', 0.3)], why=why)}").text

        assert [sentence in plain(page) for sentence in SAID.values()] == [
            one is why for one in SAID
        ]


def test_words_for_and_against_and_the_second_guess(ann: Person, db: Database) -> None:
    given = {"reasons": ["leaks"], "against": ["Delivered"], "beaten_by": ["lid"]}

    page = ann.client.get(f"/tickets/{made(db, [('F', 0.6), ('D', 0.1)], **given)}").text

    # In the message it judged, and in no other.
    assert "The lid &lt;i&gt;<mark>leaks</mark>&lt;/i&gt;." in page
    assert '<mark class="against">Delivered</mark> today.' in page
    assert "It leaks." in page
    assert told(page) == (
        "Stage: Satisfaction For it: leaks Against it: Delivered "
        "Far less likely: Conversion. Rather not, because of lid "
        "Topic: Fault & repair No single word decided it."
    )


def test_what_a_person_said_needs_no_reasons(ann: Person, db: Database) -> None:
    ref = made(db, [("F", 0.6)], reasons=["leaks"])
    with db.transaction() as session:
        verdicts.choose(session, ann.actor, ref, Head.STAGE, "F")

    page = ann.client.get(f"/tickets/{ref}").text

    assert told(page) == "Topic: Fault & repair No single word decided it."
    assert "Accept it" in page
