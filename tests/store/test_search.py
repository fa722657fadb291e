import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core import clock
from app.domain import tokens
from app.domain.words import MessageKind
from app.store import search
from app.store.database import Database
from app.store.search import Entry
from app.store.tables import Customer, Inbox, Message, Ticket

TEXTS = {
    1: ("返品について", "先日注文した商品を返品したいです。請求書番号はＫ－２０４１８です。"),
    2: ("Rechnungsadresse ändern", "Die Straße in Bestellung K20418 ist falsch.", "Jürgen Groß"),
    3: ("Invoice K-20419", "Please change the address.", "Anna Berg", "anna.berg@example.com"),
    4: ("ｶﾀﾛｸﾞ請求", "資料を送って\nください。", "x7k2m9pq4"),
    5: ("", "品川の店で買いました 🙂"),
    6: ("Re: invoice", 'It\'s "quoted" AND (NOT) NEAR/3 ok* col:umn', "report_2026-11.pdf"),
}


EXPECTED = {
    "返品": [10],
    "品": [50, 10],
    "請求": [40, 10],
    "請求書": [10],
    "カタログ": [40],
    "ｶﾀﾛｸﾞ": [40],
    "送ってください": [40],
    "返品 請求書": [10],
    "返品請求書": [],
    "20418": [20, 10],
    "2041": [],
    "K-20418": [20, 10],
    "ｋ２０４１８": [20, 10],  # noqa: RUF001
    "K-20419": [30],
    "adresse": [20],
    "address": [30],
    "Rechnung": [20],
    "strasse": [20],
    "GROSS": [20],
    "jurgen": [20],
    "INVOICE": [60, 30],
    "invoice anna": [30],
    "anna.berg@example.com": [30],
    "berg@example": [30],
    "anna.ber": [30],
    "example.com": [30],
    "x7k2m9pq4": [40],
    "x7k2m9": [40],
    "2026-11": [60],
    "report_2026": [60],
    "quoted": [60],
    "not near": [60],
    "column": [],
    "col:umn": [60],
    "notthere": [],
}

HOSTILE = [
    "", " ", "'", '"', '""', "*", "a*", "(", ")", "a AND", "NOT a", "NEAR(a b)", "a:b", "^a",
    "a' OR '1'='1", "a & | ! <-> b", "\\", "a\\'b", "\x00", "a\x00b", "\ud800", "🙂", "🙂🙂 a",
    "-", "--", "{a b}:c", "%", "_", "a" * 10_000, "a " * 5_000, "あ" * 10_000, "1" * 10_000,
    "('" * 5_000, "a-" * 5_000, "\u0301" * 10_000, "tokens:a", "rowid", ";DROP TABLE search;",
]  # fmt: skip


def _fill(db: Database) -> None:
    with db.transaction() as session:
        search.reindex(session, [Entry(n, n * 10, parts) for n, parts in TEXTS.items()])


def _find(db: Database, query: str, limit: int = 200) -> list[int]:
    with db.reading() as session:
        return search.find(session, query, limit)


def test_find_gives_the_same_on_both(db: Database) -> None:
    _fill(db)

    assert {query: _find(db, query) for query in EXPECTED} == EXPECTED


def test_no_query_is_wrong(db: Database) -> None:
    _fill(db)

    for query in HOSTILE:
        assert set(_find(db, query)) <= {n * 10 for n in TEXTS}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=60))
def test_what_was_indexed_is_found_by_itself(db: Database, words: str) -> None:
    with db.transaction() as session:
        search.index(session, Entry(1, 77, (words,)))

    assert _find(db, words) in ([77], [])
    assert bool(_find(db, words)) is bool(tokens.terms_of(words))


def test_find_lists_a_ticket_once_newest_message_first(db: Database) -> None:
    with db.transaction() as session:
        search.reindex(
            session, [Entry(n, ticket, ("hallo",)) for n, ticket in enumerate((1, 2, 3, 1, 2), 1)]
        )

    assert _find(db, "hallo") == [2, 1, 3]
    assert _find(db, "hallo", limit=2) == [2, 1]
    assert _find(db, "hallo", limit=0) == []


def test_find_reads_many_hits_page_by_page(db: Database) -> None:
    with db.transaction() as session:
        count = search.reindex(
            session, [Entry(n, n // 2_400, ("hallo welt",)) for n in range(1, 2_500)]
        )

    assert count == 2_499
    assert _find(db, "hallo") == [1, 0]


def test_index_replaces_what_was_known(db: Database) -> None:
    _fill(db)

    with db.transaction() as session:
        search.index(session, Entry(1, 15, ("Umtausch",)))

    assert _find(db, "返品") == []
    assert _find(db, "umtausch") == [15]


def test_index_is_undone_with_its_transaction(db: Database) -> None:
    def fail() -> None:
        with db.transaction() as session:
            search.index(session, Entry(1, 10, ("hallo",)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert _find(db, "hallo") == []


def test_index_sees_its_own_transaction(db: Database) -> None:
    with db.transaction() as session:
        search.index(session, Entry(1, 10, ("hallo",)))

        assert search.find(session, "hallo") == [10]


def test_remove_makes_unfindable(db: Database) -> None:
    _fill(db)

    with db.transaction() as session:
        search.remove(session, [1, 2, 999])
        search.remove(session, [])

    assert _find(db, "20418") == []
    assert _find(db, "invoice") == [60, 30]


@pytest.mark.parametrize(
    "words",
    [
        " ".join(chr(0x10400 + n % 40) * 60 + str(n) for n in range(9_000)),
        "ja " * 20_000,
        "あ" * 100_000,
        " ".join(f"Rechnungsadresse{n}" for n in range(30_000)),
        "\x00\ud800'\\",
    ],
    ids=["long", "repeated", "run", "many", "hostile"],
)
def test_no_text_is_too_much(db: Database, words: str) -> None:
    with db.transaction() as session:
        search.index(session, Entry(1, 10, ("Anfang", words)))

    assert _find(db, "anfang") == [10]


def test_a_phrase_is_found_behind_many_repetitions(db: Database) -> None:
    with db.transaction() as session:
        search.index(session, Entry(1, 10, ("ja " * 300 + "Nein K-20418",)))

    assert _find(db, "nein") == [10]
    assert _find(db, "K-20418") == [10]


def test_outdated_names_messages_the_index_lacks(db: Database) -> None:
    now = clock.now()
    with db.transaction() as session:
        inbox = Inbox(kind="email", name="", token="t", sealed_config=b"", created_at=now)
        customer = Customer(ref="c", created_at=now)
        session.add_all([inbox, customer])
        session.flush()
        ticket = Ticket(
            ref="t",
            inbox_id=inbox.id,
            channel="email",
            customer_id=customer.id,
            created_at=now,
            last_activity_at=now,
        )
        session.add(ticket)
        session.flush()
        rows = [
            Message(
                ticket_id=ticket.id,
                inbox_id=inbox.id,
                kind=MessageKind.INBOUND,
                sent_at=now,
                created_at=now,
            )
            for _ in range(3)
        ]
        session.add_all(rows)
        session.flush()
        first, second, third = (row.id for row in rows)
        search.reindex(session, [Entry(n, ticket.id, ("hallo",)) for n in (first, second)])
        session.connection().execute(text("UPDATE search SET version = 0 WHERE 1 = 1"))
        search.index(session, Entry(first, ticket.id, ("hallo",)))

        assert search.outdated(session) == [third, second]
        assert search.outdated(session, limit=1) == [third]
