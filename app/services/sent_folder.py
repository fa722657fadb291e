"""What the folder of what was sent was seen to hold, from the moment it is watched."""

from collections.abc import Sequence

from sqlmodel import Session, col, func, select

from app.core import clock
from app.services import ledger
from app.store.tables import Folder, LedgerRow
from channels.contract import ServerId


def known(session: Session, inbox_id: int) -> Folder | None:
    """None as long as it was never looked at."""
    return session.exec(
        select(Folder).where(Folder.inbox_id == inbox_id, col(Folder.sent).is_(True))
    ).one_or_none()


def start(session: Session, inbox_id: int, there: Sequence[ServerId]) -> None:
    """From now on: what is there already is not wanted."""
    forget(session, inbox_id)
    session.add(
        Folder(
            inbox_id=inbox_id,
            scope=there[-1].scope if there else "",  # an empty one does not tell
            sent=True,
            start=there[-1].number if there else 0,
            looked_at=clock.now(),
            on_server=len(there),
            older=len(there),
        )
    )


def start_anew(
    session: Session, inbox_id: int, there: Sequence[ServerId], older: Sequence[ServerId]
) -> None:
    """Its server gave everything new numbers: what is older than the last look is not wanted."""
    start(session, inbox_id, there[-1:])
    found = known(session, inbox_id)
    assert found is not None
    found.start = found.older = 0
    session.add(found)
    ledger.skip(session, inbox_id, older, sent=True)


def forget(session: Session, inbox_id: int) -> None:
    """It is not watched any more, or as another folder."""
    if (found := known(session, inbox_id)) is not None:
        session.delete(found)
        session.flush()  # another may take its place at once


def newest(session: Session, inbox_id: int) -> ServerId | None:
    found = known(session, inbox_id)
    if found is None or not found.scope:
        return None
    number = session.exec(
        select(func.max(LedgerRow.number)).where(
            LedgerRow.inbox_id == inbox_id, LedgerRow.scope == found.scope
        )
    ).one()
    return ServerId(found.scope, max(number or 0, found.start))


def missing(session: Session, inbox_id: int, there: Sequence[ServerId]) -> list[ServerId]:
    """What of `there` has to be fetched, in the same order."""
    found = known(session, inbox_id)
    begin = found.start if found else 0
    return [item for item in ledger.missing(session, inbox_id, there) if item.number > begin]


def note_look(session: Session, inbox_id: int, there: Sequence[ServerId]) -> None:
    """All of it as it was just now, after everything missing was fetched."""
    found = known(session, inbox_id)
    if found is None:
        return
    found.scope = there[-1].scope if there else found.scope
    numbers, now = {item.number for item in there}, clock.now()
    rows = session.exec(
        select(LedgerRow.id, LedgerRow.number, LedgerRow.gone_at).where(
            LedgerRow.inbox_id == inbox_id, LedgerRow.scope == found.scope
        )
    ).all()
    ledger.note_gone_and_back(session, rows, numbers, now)
    unknown = numbers - {number for _, number, _ in rows}
    unexplained = sorted(number for number in unknown if number > found.start)
    found.looked_at, found.on_server = now, len(numbers)
    found.older = len(unknown) - len(unexplained)
    found.unexplained, found.not_explained = unexplained[: ledger.UNEXPLAINED], len(unexplained)
    session.add(found)
