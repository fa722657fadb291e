"""Who may do what only one may do: fetch one mailbox, tick the clock."""

from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app.core import clock
from app.store.tables import Lease

WISH = "next"  # ends the name of the lease of whoever is to have it next
WISHED = timedelta(seconds=150)


def take(session: Session, name: str, holder: str, lasts: timedelta) -> int | None:
    """Take or renew the lease. Its token, or None while somebody else holds it.

    The token grows with every new holder: an act under an older one is refused by `held`.
    """
    now = clock.now()
    lease = session.exec(select(Lease).where(Lease.name == name).with_for_update()).one_or_none()
    if lease is None:
        return _first(session, Lease(name=name, holder=holder, until=now + lasts))
    if lease.holder == holder:
        lease.until = now + lasts
    elif lease.until <= now:
        lease.holder, lease.token, lease.until = holder, lease.token + 1, now + lasts
    else:
        return None
    session.add(lease)
    session.flush()
    return lease.token


def renew(session: Session, name: str, holder: str, lasts: timedelta) -> bool:
    """Go on holding it. False once it was given back or ran out: it may be somebody else's."""
    now = clock.now()
    lease = session.exec(select(Lease).where(Lease.name == name).with_for_update()).one_or_none()
    if lease is None or lease.holder != holder or lease.until <= now:
        return False
    lease.until = now + lasts
    session.add(lease)
    return True


def _first(session: Session, lease: Lease) -> int | None:
    try:
        with session.begin_nested():
            session.add(lease)
    except IntegrityError:
        return None  # somebody else began to hold it at this very moment
    return lease.token


def take_turn(
    session: Session, name: str, worker: str, who: str, lasts: timedelta, *, waits: bool
) -> bool:
    """Take what several want again and again. Who `waits` is the next one, if nobody else is.

    A wish is forgotten after WISHED: whoever had it may be gone.
    """
    if is_wanted(session, name, who) or take(session, name, f"{worker} {who}", lasts) is None:
        if waits:
            take(session, f"{name} {WISH}", who, WISHED)
        return False
    take(session, f"{name} {WISH}", who, timedelta(0))
    return True


def is_wanted(session: Session, name: str, who: str) -> bool:
    """Whether somebody else waits for it: the holder finishes what is under way, and leaves."""
    wish = session.exec(select(Lease).where(Lease.name == f"{name} {WISH}")).one_or_none()
    return wish is not None and wish.holder != who and wish.until > clock.now()


def held(session: Session, name: str, holder: str, token: int) -> bool:
    """Whether the lease is still this holder's; locks it until the transaction ends."""
    lease = session.exec(select(Lease).where(Lease.name == name).with_for_update()).one_or_none()
    return lease is not None and lease.holder == holder and lease.token == token


def drop(session: Session, holder: str) -> None:
    """Give back everything a worker holds, so that the next one need not wait.

    The rows stay, because their tokens must go on growing.
    """
    named = col(Lease.holder)
    mine = (named == holder) | named.startswith(f"{holder} ", autoescape=True)
    for lease in session.exec(select(Lease).where(mine).with_for_update()):
        lease.holder, lease.until = "", clock.now()
        session.add(lease)
