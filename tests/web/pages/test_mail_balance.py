"""The page that shows both sides of the mail balance."""

import re

from app.core import clock
from app.domain.words import ArrivalState
from app.store.database import Database
from app.store.tables import Arrival, Folder, LedgerRow
from tests.factories import make_inbox
from tests.web.conftest import Person


def fill(db: Database, states: tuple[ArrivalState, ...], unexplained: tuple[int, ...] = ()) -> None:
    now = clock.now()
    with db.transaction() as session:
        inbox = make_inbox(session, name="Support")
        for number, state in enumerate(states, 1):
            arrival = Arrival(
                inbox_id=inbox.id, external_id=str(number), state=state, reason="x", received_at=now
            )
            session.add(arrival)
            session.flush()
            session.add(
                LedgerRow(
                    inbox_id=inbox.id,
                    scope="INBOX/7",
                    number=number,
                    arrival_id=arrival.id,
                    seen_at=now,
                )
            )
        session.add(
            Folder(
                inbox_id=inbox.id,
                scope="INBOX/7",
                looked_at=now,
                on_server=len(states) + len(unexplained),
                not_explained=len(unexplained),
                unexplained=list(unexplained),
            )
        )


def figures(page: str) -> dict[str, str]:
    return dict(re.findall(r'<dt>([^<]+)</dt><dd class="num">(\d+)</dd>', page))


def test_page_counts_what_became_of_every_mail(db: Database, ann: Person) -> None:
    filed, copy, aside = ArrivalState.FILED, ArrivalState.COPY, ArrivalState.SET_ASIDE
    fill(db, (filed, filed, copy, aside))

    page = ann.client.get("/mail-balance").text

    assert figures(page) == {
        "On the server": "4",
        "Filed": "2",
        "Not filed yet": "0",
        "Copies": "1",
        "Ignored": "0",
        "Set aside": "1",
        "Discarded": "0",
        "Not fetched": "0",
        "Not wanted, older": "0",
    }
    assert "Every mail is accounted for" in page


def test_page_names_what_is_not_accounted_for(db: Database, ann: Person) -> None:
    fill(db, (ArrivalState.FILED,), unexplained=(17, 18))

    page = ann.client.get("/mail-balance").text

    assert "2 mails are not accounted for" in page
    assert "Numbers on the server: 17, 18" in page
    assert "Every mail is accounted for" not in page
