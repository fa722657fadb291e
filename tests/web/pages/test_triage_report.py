"""The report card on a screen and over the API, with nothing said and with enough."""

import re
from pathlib import Path

from sqlmodel import Session

from app.core import clock
from app.domain.drawing import drawn
from app.domain.words import Head, Verdict
from app.services import agents
from app.services.access import Actor
from app.store.database import Database
from app.store.tables import Correction
from tests.factories import make_customer, make_guess, make_inbox, make_message, make_ticket
from tests.web.conftest import Person

PAGE = "/settings/triage/report"


def fill(session: Session, actor: Actor) -> int:
    """Sixty inquiries a person spoke about, a fifth of them to correct; how many were drawn."""
    inbox, customer = make_inbox(session), make_customer(session)
    found = 0
    for n in range(60):
        ticket = make_ticket(session, inbox, customer, at=clock.now())
        message = make_message(session, ticket)
        guess = make_guess(session, message, Head.STAGE, [("D", 0.6 + n % 4 / 10), ("C", 0.1)])
        session.add(
            Correction(
                ticket_id=ticket.id,
                prediction_id=guess.id,
                agent_id=actor.agent_id or 0,
                head=Head.STAGE,
                verdict=Verdict.CORRECTED if n % 5 == 0 else Verdict.ACCEPTED,
                label="C" if n % 5 == 0 else "D",
                act=f"act {n}",
                at=clock.now(),
            )
        )
        found += drawn(ticket.ref)
    return found


def test_before_anybody_spoke_the_page_says_so(boss: Person) -> None:
    page = boss.client.get(PAGE).text

    assert page.count("nobody has said of an inquiry what it is") == 2
    assert page.count("<small>not enough data: 0</small>") == 8
    assert '<svg class="chart"' not in page
    assert f'href="{PAGE}"' in boss.client.get("/settings/triage").text


def test_the_page_says_where_the_model_card_lies(boss: Person, db: Database) -> None:
    cards = {
        "en": "docs/model-card.md",
        "de": "docs/de/model-card.md",
        "ja": "docs/ja/model-card.md",
    }

    for language, card in cards.items():
        with db.transaction() as session:
            agents.set_preferences(session, boss.actor, language=language, theme="dark")
        assert (Path(__file__).parents[3] / card).is_file()
        assert card in boss.client.get(PAGE).text


def test_sentences_come_first_then_plots_each_with_its_table(boss: Person, db: Database) -> None:
    with db.transaction() as session:
        fill(session, boss.actor)

    for language in ("en", "ja", "de"):
        page = boss.client.get(PAGE, headers={"accept-language": language}).text

        sentences = re.findall(r'<li class="\w+">.*?</svg><span>(.*?)</span>', page, re.DOTALL)
        assert len(sentences) >= 6
        assert page.index(sentences[0]) < page.index('<svg class="chart"')
        names = re.findall(r'<svg class="chart"[^>]*aria-labelledby="([^"]+)"', page)
        assert names == ["stage-reliability-t", "stage-thresholds-t", "stage-weeks-t"]
        assert [page.count(f'id="{name}"') for name in names] == [1, 1, 1]
        assert "%(" not in page


def test_the_same_over_the_api(boss: Person, ann: Person, db: Database) -> None:
    with db.transaction() as session:
        number = fill(session, boss.actor)

    found = boss.client.get("/api/triage/report?days=30").json()

    card = found["stage"]["card"]
    assert (found["days"], card["judged"], card["drawn_judged"]) == (30, 60, number)
    assert card["languages"] == [
        {
            "key": "en",
            "n": 60,
            "right": {"hits": 48, "n": 60, "low": 68.2, "high": 88.2},
            "given": {"hits": 60, "n": 60, "low": 94.0, "high": 100.0},
            "right_given": {"hits": 48, "n": 60, "low": 68.2, "high": 88.2},
        }
    ]
    assert found["topic"]["findings"][0]["point"] == "nobody_spoke"
    assert ann.client.get("/api/triage/report").status_code == 403
    assert ann.client.get(PAGE).status_code == 403
