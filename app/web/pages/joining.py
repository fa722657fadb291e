"""Whose a ticket is and what belongs to it: third parties, forwarded mail, tickets that are one."""

from typing import Annotated

from fastapi import Form
from fastapi.responses import RedirectResponse

from app.services import merging, originals, third_parties
from app.web import routes
from app.web.deps import CurrentActor, Db
from app.web.pages import listing
from app.web.pages.shell import go

router = routes.pages("/tickets/{ref}")

MessageId = Annotated[int, Form(ge=1, lt=2**63)]
OtherField = Annotated[str, Form(max_length=40)]


@router.post("/accept-message")
def accept(
    ref: str, actor: CurrentActor, db: Db, message: MessageId, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        ticket = third_parties.accept(session, actor, ref, message)
    return go(f"/tickets/{ticket.ref}", view=view, did="accepted", on=ticket.ref)


@router.post("/part-message")
def part(
    ref: str, actor: CurrentActor, db: Db, message: MessageId, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        own = third_parties.part(session, actor, ref, message)
    return go(f"/tickets/{own.ref}", view=view, did="parted", on=own.ref)


@router.post("/take-sender")
def take_sender(
    ref: str, actor: CurrentActor, db: Db, message: MessageId, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    """Who wrote first what the message passes on is the customer."""
    with db.transaction() as session:
        ticket = originals.take(session, actor, ref, message)
    return go(f"/tickets/{ticket.ref}", view=view, did="sender_taken", on=ticket.ref)


@router.post("/join")
def join(
    ref: str,
    actor: CurrentActor,
    db: Db,
    other: OtherField,
    view: listing.InForm = listing.OPEN,
) -> RedirectResponse:
    with db.transaction() as session:
        ticket = merging.merge(session, actor, ref, other.strip().lstrip("#").lower())
    return go(f"/tickets/{ticket.ref}", view=view, did="joined", on=ticket.ref)


@router.post("/keep-apart")
def keep_apart(
    ref: str, actor: CurrentActor, db: Db, other: OtherField, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        ticket = merging.keep_apart(session, actor, ref, other)
    return go(f"/tickets/{ticket.ref}", view=view, did="kept_apart", on=ticket.ref, other=other)


@router.post("/suggest-again")
def suggest_again(
    ref: str, actor: CurrentActor, db: Db, other: OtherField, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        ticket = merging.suggest_again(session, actor, ref, other)
    return go(f"/tickets/{ticket.ref}", view=view)
