"""Items a server lists and does not hand out: tried again ever more seldom, and never unsaid."""

from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from app.core import clock
from app.services import inboxes, ledger
from app.store.tables import LedgerRow
from app.worker.works import Works
from channels.contract import Mailbox, ServerId, Warns, Withheld

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)


def note(
    session: Session, inbox_id: int, item: ServerId, problem: Withheld, *, sent: bool = False
) -> None:
    """It was not fetched; the ledger says why, how often it was tried, and when it is again."""
    row = ledger.row_of(session, inbox_id, item, sent=sent)
    row.attempts += 1
    row.problem = str(problem)
    row.next_at = clock.now() + min(FIRST_WAIT * 4 ** min(row.attempts - 1, 9), LONGEST_WAIT)
    session.add(row)


def due(session: Session, inbox_id: int, *, sent: bool = False) -> list[ServerId]:
    rows = session.exec(
        select(LedgerRow)
        .where(
            LedgerRow.inbox_id == inbox_id,
            col(LedgerRow.sent).is_(sent),
            col(LedgerRow.next_at) <= clock.now(),
        )
        .order_by(col(LedgerRow.id))
    ).all()
    return [ServerId(row.scope, row.number) for row in rows]


async def say(works: Works, inbox_id: int, box: Mailbox, trouble: str, asked: datetime) -> None:
    """After a look that ended well and began when the server was `asked`: what is not as it
    should be though mail comes in."""
    warning = box.warning if isinstance(box, Warns) else ""
    await works.in_transaction(_say, inbox_id, [trouble, warning], asked)


def _say(session: Session, inbox_id: int, words: list[str], asked: datetime) -> None:
    waiting = (LedgerRow.inbox_id == inbox_id, col(LedgerRow.next_at).is_not(None))
    many = session.exec(select(func.count()).select_from(LedgerRow).where(*waiting)).one()
    if many:
        first = select(LedgerRow.problem).where(*waiting).order_by(col(LedgerRow.id)).limit(1)
        problem = session.exec(first).one()
        words.append(problem if many == 1 else f"{many} mails are not handed out. {problem}")
    inboxes.note_trouble(session, inbox_id, "")
    inboxes.note_warning(session, inbox_id, " ".join(word for word in words if word))
    ledger.note_answer(session, inbox_id)
    ledger.note_seen(session, inbox_id, asked)
