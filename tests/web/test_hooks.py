"""Webhooks: kept raw before they are answered, or refused with nothing stored."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlmodel import select

from app.core import clock
from app.services import inboxes
from app.services.access import SYSTEM
from app.services.inboxes import NewInbox
from app.store import jobs
from app.store.database import Database
from app.store.tables import Arrival, Inbox
from app.web.deps import House
from app.web.limits import HOOK
from channels.chat.config import ChatConfig
from channels.signature import sign

CONFIG = ChatConfig(secret=SecretStr("whsec_" + "c2V0dGVu" * 4))
BODY = json.dumps({"type": "message.created", "text": "返品したい"}, ensure_ascii=False).encode()


@pytest.fixture
def inbox(house: House) -> Inbox:
    with house.database.transaction() as session:
        new = NewInbox("chat", "Shop chat", CONFIG, writes_to="chat")
        return inboxes.create(session, SYSTEM, house.keys, new)


def signed(body: bytes = BODY, number: str = "msg_1", age: float = 0) -> dict[str, str]:
    seconds = int((clock.now() - timedelta(seconds=age)).timestamp())
    return sign(CONFIG.keys(), number, seconds, body)


def post(
    client: TestClient, inbox: Inbox, body: bytes | Iterator[bytes], headers: dict[str, str]
) -> tuple[int, dict[str, object]]:
    answer = client.post(f"/hooks/chat/{inbox.token}", content=body, headers=headers)
    return answer.status_code, answer.json()


def arrivals(db: Database) -> list[tuple[str, str, str, int]]:
    with db.reading() as session:
        rows = session.exec(select(Arrival).order_by(Arrival.id)).all()  # type: ignore[arg-type]
        return [(row.state, row.external_id[:8], row.reason, row.size) for row in rows]


def test_signed_call_is_kept_raw_and_a_job_waits_for_it(
    client: TestClient, inbox: Inbox, house: House, db: Database
) -> None:
    status, answer = post(client, inbox, BODY, signed())

    with db.reading() as session:
        row = session.exec(select(Arrival)).one()
        waiting = jobs.waiting(session)
    assert (status, answer) == (202, {"arrival": row.id})
    assert house.blobs.get(row.sha256) == BODY
    assert (row.state, row.external_id, row.size, waiting) == ("waiting", "msg_1", len(BODY), 1)


def test_same_call_again_gets_the_same_answer(
    client: TestClient, inbox: Inbox, db: Database
) -> None:
    first = post(client, inbox, BODY, signed())
    second = post(client, inbox, BODY, signed())

    assert first == second
    assert len(arrivals(db)) == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (BODY, {}),
        (BODY + b" ", signed()),
        (BODY, signed(number="msg_2") | {"webhook-id": "msg_1"}),
        (BODY, signed(age=900)),
        (BODY, signed(age=-90_000)),  # signed when tests are collected: no run takes a day
        (BODY, signed() | {"webhook-signature": "v1,"}),
        (BODY, signed() | {"webhook-signature": "v2," + signed()["webhook-signature"][3:]}),
        (BODY, sign([b"k" * 32], "msg_1", int(clock.now().timestamp()), BODY)),
        (b"", {}),
    ],
)
def test_call_nobody_signed_stores_nothing(
    client: TestClient,
    inbox: Inbox,
    house: House,
    db: Database,
    body: bytes,
    headers: dict[str, str],
) -> None:
    status, answer = post(client, inbox, body, headers)

    assert (status, answer["error"]) == (401, "sign_in")
    assert (arrivals(db), list(house.blobs.every())) == ([], [])


def test_second_signature_header_does_not_help(client: TestClient, inbox: Inbox) -> None:
    wrong = sign([b"k" * 32], "msg_1", int(clock.now().timestamp()), BODY)
    headers = [*wrong.items(), ("webhook-signature", signed()["webhook-signature"])]

    answer = client.post(f"/hooks/chat/{inbox.token}", content=BODY, headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize("kind", ["chat", "email", "phone", "telegram", "..", "%00"])
def test_hook_that_is_none_is_not_found(
    client: TestClient, inbox: Inbox, db: Database, kind: str
) -> None:
    answer = client.post(f"/hooks/{kind}/{inbox.token[:-1]}", content=BODY, headers=signed())

    assert answer.status_code in {400, 404}
    assert arrivals(db) == []


def test_switched_off_inbox_takes_nothing(client: TestClient, inbox: Inbox, db: Database) -> None:
    with db.transaction() as session:
        inboxes.set_enabled(session, SYSTEM, inbox.id, enabled=False)

    assert post(client, inbox, BODY, signed())[0] == 404


def _in_pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65_536):
        yield b"x" * 65_536


@pytest.mark.parametrize("whole", [True, False])
def test_call_that_is_too_large_is_turned_away_and_counted(
    client: TestClient, inbox: Inbox, db: Database, *, whole: bool
) -> None:
    body = b"x" * (HOOK + 1) if whole else _in_pieces(HOOK + 65_536)

    status, answer = post(client, inbox, body, signed())

    words = "Too large: at most 5 MB can be sent here."
    assert (status, answer["error"], answer["message"]) == (413, "too_large", words)
    assert arrivals(db) == [("refused", "refused-", words, HOOK + 1 if whole else 0)]


def test_flood_of_unsigned_calls_is_slowed(client: TestClient, inbox: Inbox) -> None:
    statuses = [post(client, inbox, BODY, {})[0] for _ in range(32)]

    assert statuses == [401] * 30 + [429] * 2


def test_busy_database_asks_the_sender_to_come_again(
    client: TestClient, inbox: Inbox, db: Database
) -> None:
    with db.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 1")
    other = Database("", Path(str(db.engine.url.database)))
    with other.transaction() as session:
        session.exec(select(Inbox)).one()  # now it holds the lock
        busy = post(client, inbox, BODY, signed())
    other.close()
    then = post(client, inbox, BODY, signed())

    assert (busy[0], busy[1]["error"], then[0]) == (503, "busy", 202)
    assert len(arrivals(db)) == 1
