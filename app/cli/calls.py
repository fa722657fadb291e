"""`import calls FILE`: a call log from an exchange, row by row, safe to repeat."""

import argparse

from sqlmodel import Session, col, select

from app.cli import console
from app.cli.console import Installation, complain, say
from app.core.errors import Conflict, Invalid, NotFound
from app.core.settings import Settings
from app.services import inboxes, intake
from app.services.intake import Stored
from app.store.tables import Inbox
from channels.contract import LARGEST_FILE, BadRow, Imports, Raw
from channels.registry import all_channels


def take(asked: argparse.Namespace, settings: Settings) -> int:
    try:
        if asked.file.stat().st_size > LARGEST_FILE:
            most = LARGEST_FILE // 1024 // 1024
            raise Invalid(f"{asked.file} is larger than {most} MB: split the file.")
        body = asked.file.read_bytes()
    except OSError as problem:
        raise Invalid(f"{asked.file} cannot be read: {problem.strerror}.") from problem
    with console.opened(settings) as house:
        with house.database.reading() as session:
            inbox = _inbox(session, asked.inbox)
        channel = all_channels()[inbox.kind]
        assert isinstance(channel, Imports)
        config = inboxes.config_of(inbox, house.keys, channel.config)
        rows = channel.read_file(config, body)
        taken, repeated = _keep(house, inbox, [row for row in rows if isinstance(row, Raw)])
    bad = [row for row in rows if isinstance(row, BadRow)]
    for row in bad:
        complain(f"{asked.file}, line {row.line}: {row.words}")
    say(f"{taken} taken, {repeated} were here already, {len(bad)} could not be read.")
    return 1 if bad else 0


def _inbox(session: Session, wanted: str | None) -> Inbox:
    importing = [kind for kind, one in all_channels().items() if isinstance(one, Imports)]
    found = session.exec(
        select(Inbox)
        .where(col(Inbox.kind).in_(importing), col(Inbox.enabled).is_(True))
        .order_by(col(Inbox.id))
    ).all()
    if wanted:
        found = [one for one in found if wanted in {str(one.id), one.name}]
    elif len(found) > 1:
        # Somebody who made an inbox of their own means that one.
        found = [one for one in found if not one.built_in]
    match found:
        case [inbox]:
            return inbox
        case []:
            raise NotFound("There is no such inbox that takes call logs; see “setten inbox list”.")
        case _:
            numbers = ", ".join(f"{one.id} ({one.name})" for one in found)
            raise Conflict(f"There are several: add --inbox with one of {numbers}.")


def _keep(house: Installation, inbox: Inbox, rows: list[Raw]) -> tuple[int, int]:
    """As every arrival: the bytes first, then a row and a job, each in a transaction of its own."""
    taken = 0
    for raw in rows:
        stored = Stored(house.blobs.put(raw.body), len(raw.body))
        with house.database.transaction() as session:
            taken += intake.keep(session, inbox.id, raw, stored) is not None
    return taken, len(rows) - taken
