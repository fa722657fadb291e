"""A backup is one moment of everything, and brings it back on either kind of database."""

import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from app.core.errors import Invalid
from app.core.secrets import Keys
from app.domain.words import DeliveryState, Role
from app.services import intake, integrity, outbox, portable, samples, tickets
from app.services.access import Actor
from app.store import backup, schema, search
from app.store.blobs import Blobs
from app.store.database import Database
from app.store.tables import Arrival, Change, Customer, Delivery, Message, Ticket, metadata
from channels.contract import Phase
from tests.inquiries import LINKS, Desk, inquiry, make_desk

KEY = bytes(range(32))
ADMIN = Actor(name="Ann Bell", role=Role.ADMIN)


@pytest.fixture
def full(db: Database, keys: Keys, blobs: Blobs) -> Desk:
    """Samples, a filed inquiry with a copy, and an answer that waits to be sent."""
    desk = make_desk(db, keys)
    desk.do(samples.add, ADMIN)
    ticket = desk.ticket(inquiry(canonical="the same", text="返品したいです。"))
    desk.arrive(inquiry(canonical="the same"))
    desk.do(tickets.reply, desk.ann, ticket.ref, tickets.Draft("Of course."))
    for arrival in desk.all(Arrival):
        blobs.put(arrival.external_id.encode())
    return desk


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    """An empty, migrated SQLite database, whichever kind the backup came from."""
    database = Database("", tmp_path / "other" / "setten.sqlite3")
    schema.migrate(database)
    yield database
    database.close()


def _rows(db: Database) -> dict[str, list[dict[str, object]]]:
    """Every row of every table but the note that there was a restore."""
    with db.reading() as session:
        found = {
            name: [
                dict(row) for row in session.execute(table.select().order_by(table.c.id)).mappings()
            ]
            for name, table in metadata.tables.items()
        }
    found["change"] = [row for row in found["change"] if row["what"] != "restored"]
    return found


def _restore(db: Database, file: Path, blobs: Blobs, folder: Path, *, go_on: bool = True) -> int:
    folder.mkdir()
    archive = backup.unpack(file, blobs, folder)
    assert archive.key == KEY
    with db.transaction() as session:
        return portable.move_in(session, archive, go_on=go_on)


def test_a_backup_brings_everything_back(
    full: Desk, blobs: Blobs, other: Database, tmp_path: Path
) -> None:
    file = tmp_path / "setten.tar"
    there = Blobs(tmp_path / "other-blobs")

    made = backup.write(full.db, blobs, KEY, "0.1.0", file)
    _restore(other, file, there, tmp_path / "unpacked")

    before, after = _rows(full.db), _rows(other)
    # What is to be sent is due at once, and nobody is sending it.
    for rows in (before, after):
        for delivery in rows["delivery"]:
            delivery.pop("next_at")
            delivery.pop("changed_at")
    assert after == before
    assert made.rows == sum(len(rows) for rows in _rows(full.db).values())
    assert list(there.every()) == list(blobs.every())
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    with other.reading() as session:
        assert integrity.problems(session, there) == []
        hits = [session.get_one(Ticket, one).subject for one in search.find(session, "返品")]
    samples = ["ライトの色味が合わず、返品したいです", "注文番号 K-20418 の返品について"]
    assert sorted(hits) == ["A question", *samples]


@pytest.mark.postgres
def test_a_backup_of_sqlite_goes_into_postgres(
    sqlite_db: Database, postgres_db: Database, keys: Keys, blobs: Blobs, tmp_path: Path
) -> None:
    desk = make_desk(sqlite_db, keys)
    desk.do(samples.add, ADMIN)
    desk.ticket(inquiry(text="A NUL \0 that SQLite does not mind."))
    for arrival in desk.all(Arrival):
        blobs.put(arrival.external_id.encode())
    file = tmp_path / "setten.tar"
    backup.write(sqlite_db, blobs, KEY, "0.1.0", file)

    _restore(postgres_db, file, blobs, tmp_path / "unpacked")

    moved = make_again(postgres_db, keys, desk)
    with postgres_db.reading() as session:
        assert integrity.problems(session, blobs) == []
        assert "\0" not in "".join(session.exec(select(Message.text)).all())
    # New rows go on behind the old ones.
    newest = max(row.id for row in moved.all(Ticket))
    ticket = moved.ticket()
    assert ticket.id == newest + 1


def make_again(db: Database, keys: Keys, desk: Desk) -> Desk:
    return Desk(db, keys, desk.inbox, desk.ann, desk.lead)


def test_restoring_replaces_what_is_there(full: Desk, blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "setten.tar"
    backup.write(full.db, blobs, KEY, "0.1.0", file)
    refs = sorted(row.ref for row in full.all(Ticket))
    later = full.ticket(inquiry(text="This came after the backup."))

    _restore(full.db, file, blobs, tmp_path / "unpacked")

    assert sorted(row.ref for row in full.all(Ticket)) == refs
    assert later.ref not in refs
    with full.db.reading() as session:
        assert search.find(session, "after the backup") == []


def test_what_waited_is_held_unless_it_may_go_on(full: Desk, blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "setten.tar"
    backup.write(full.db, blobs, KEY, "0.1.0", file)

    held = _restore(full.db, file, blobs, tmp_path / "one", go_on=False)
    careful = full.all(Delivery)
    let_go = _restore(full.db, file, blobs, tmp_path / "two")

    assert (held, let_go) == (1, 0)
    assert [(one.state, one.next_at) for one in careful] == [(DeliveryState.HELD, None)]
    assert careful[0].words.startswith("From a backup of ")
    assert [one.state for one in full.all(Delivery)] == [DeliveryState.QUEUED]
    assert full.all(Change)[-1].data["held"] == 0


def test_what_was_being_handed_over_is_in_doubt(full: Desk, blobs: Blobs, tmp_path: Path) -> None:
    [delivery] = full.all(Delivery)
    parcel = full.do(outbox.pack, full.keys, "worker", delivery.message_id, LINKS)
    full.do(outbox.mark_phase, delivery.message_id, parcel.holder, Phase.AMBIGUOUS)
    file = tmp_path / "setten.tar"
    backup.write(full.db, blobs, KEY, "0.1.0", file)

    _restore(full.db, file, blobs, tmp_path / "unpacked")

    assert [one.state for one in full.all(Delivery)] == [DeliveryState.IN_DOUBT]


def test_a_backup_is_one_moment_while_others_write(
    full: Desk, blobs: Blobs, other: Database, tmp_path: Path
) -> None:
    file, stop = tmp_path / "setten.tar", threading.Event()
    filed: list[int] = []

    def work() -> None:
        while not stop.is_set():
            arrival = full.arrive(inquiry())
            blobs.put(arrival.external_id.encode())
            filed.append(arrival.id)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        for number in range(5):
            while len(filed) <= number * 3:
                stop.wait(0.01)
            backup.write(full.db, blobs, KEY, "0.1.0", tmp_path / f"{number}.tar")
        backup.write(full.db, blobs, KEY, "0.1.0", file)
        written = len(filed)
    finally:
        stop.set()
        writer.join()

    for number in range(5):
        _restore(other, tmp_path / f"{number}.tar", blobs, tmp_path / f"unpacked-{number}")
        with other.reading() as session:
            assert integrity.problems(session, blobs) == []
    assert written >= 13


def test_a_backup_of_a_circle_comes_back(full: Desk, other: Database, tmp_path: Path) -> None:
    """An arrival names the message it repeats, and that message an arrival of its own; a customer
    names another one."""
    first, second = full.all(Customer)[:2]
    with full.db.transaction() as session:
        row = session.get_one(Customer, first.id)
        row.merged_into_id = second.id
        session.add(row)
    blobs = Blobs(tmp_path / "blobs")
    file = tmp_path / "setten.tar"

    made = backup.write(full.db, blobs, KEY, "0.1.0", file)
    _restore(other, file, blobs, tmp_path / "unpacked")

    with other.reading() as session:
        copy = session.exec(select(Arrival).where(Arrival.state == "copy")).one()
        assert copy.copy_of_id == next(
            one.copy_of_id for one in full.all(Arrival) if one.copy_of_id
        )
        assert session.get_one(Customer, first.id).merged_into_id == second.id
    assert made.missing > 0  # the raw mails were in another blob store


def _spoiled(source: Path, target: Path, member: str, content: bytes | None) -> Path:
    """The same backup with one member changed, or without it."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for one in old.getmembers():
            body = old.extractfile(one)
            assert body is not None
            if one.name.startswith(member):
                if content is None:
                    continue
                one.size = len(content)
                new.addfile(one, io.BytesIO(content))
                continue
            new.addfile(one, body)
    return target


@pytest.mark.parametrize(
    ("member", "content", "words"),
    [
        ("blobs/", b"something else", "is damaged"),
        ("blobs/", None, "its end is missing"),
        ("tables/ticket.jsonl", b"{}\n", "the table ticket is damaged"),
        ("secret.key", b"short", "its end is missing"),
        ("manifest.json", b"[]", "is no complete backup"),
    ],
)
def test_a_damaged_backup_changes_nothing(
    full: Desk, blobs: Blobs, tmp_path: Path, member: str, content: bytes | None, words: str
) -> None:
    file = tmp_path / "setten.tar"
    backup.write(full.db, blobs, KEY, "0.1.0", file)
    bad = _spoiled(file, tmp_path / "bad.tar", member, content)

    with pytest.raises(Invalid, match=words):
        backup.unpack(bad, blobs, tmp_path)


def test_a_backup_of_another_schema_says_so(full: Desk, blobs: Blobs, tmp_path: Path) -> None:
    file = tmp_path / "setten.tar"
    backup.write(full.db, blobs, KEY, "0.1.0", file)
    with tarfile.open(file) as tar:
        found = tar.extractfile("manifest.json")
        assert found is not None
        manifest = json.load(found)
    manifest |= {"schema": "9999", "version": "7.1"}
    bad = _spoiled(file, tmp_path / "bad.tar", "manifest.json", json.dumps(manifest).encode())

    with pytest.raises(Invalid, match=r"made by Setten 7\.1, whose tables are others"):
        backup.unpack(bad, blobs, tmp_path)


def test_a_file_that_is_no_backup_is_refused(tmp_path: Path, blobs: Blobs) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Setten,")

    with pytest.raises(Invalid, match="is no complete backup of Setten"):
        backup.unpack(file, blobs, tmp_path)


def test_lives_here_names_what_would_be_replaced(sqlite_db: Database, keys: Keys) -> None:
    def there(session: Session) -> str:
        return portable.lives_here(session)

    with sqlite_db.reading() as session:
        empty = there(session)
    desk = make_desk(sqlite_db, keys)
    desk.ticket()
    with sqlite_db.reading() as session:
        full = there(session)
    assert (empty, full) == ("", "an organisation, accounts, arrivals, customers, tickets")


def test_an_arrival_that_waits_is_filed_after_a_restore(
    full: Desk, blobs: Blobs, other: Database, tmp_path: Path
) -> None:
    waiting = full.kept()
    blobs.put(waiting.external_id.encode())
    file = tmp_path / "setten.tar"
    backup.write(full.db, blobs, KEY, "0.1.0", file)

    _restore(other, file, blobs, tmp_path / "unpacked")

    with other.transaction() as session:
        found = intake.next_waiting(session, full.inbox.id)
        assert found is not None
        assert found.external_id == waiting.external_id
        assert session.connection().execute(text("SELECT count(*) FROM search")).scalar_one() > 12
