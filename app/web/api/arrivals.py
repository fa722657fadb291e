"""What came in: the list, its balance, and deciding about what nobody could read."""

from typing import Annotated

from fastapi import Body, Response
from pydantic import BaseModel

from app.domain.words import ArrivalState
from app.services import intake
from app.services.access import Permission, require
from app.services.intake import Stored
from app.services.queries import arrivals, balance, mailboxes
from app.services.queries import intake as came_in
from app.services.queries.intake import Came
from app.services.queries.mailboxes import FolderBalance, Import
from app.web import routes
from app.web.api.fields import Before, Input, Limit, Line
from app.web.deps import CurrentActor, Db, Id, TheHouse

router = routes.api("arrivals")


class Reason(Input):
    reason: Line = ""


class Ours(Input):
    """`through` is the id of the last arrival that was seen."""

    through: Id
    reason: Line


Bytes = Annotated[bytes, Body(media_type="application/octet-stream", min_length=1)]


class MailBalance(BaseModel):
    folders: tuple[FolderBalance, ...]
    imports: tuple[Import, ...]


@router.get("/balance")
def balanced(actor: CurrentActor, db: Db) -> dict[str, int]:
    """How much was received, and what became of it. `received` is the sum of all others."""
    require(actor, Permission.READ)
    with db.reading() as session:
        found = balance.view(session)
    return {"received": found.received, **{s.value: n for s, n in found.by_state.items()}}


@router.get("/mail-balance")
def mail_balance(actor: CurrentActor, db: Db) -> MailBalance:
    """For each folder of a server: what it held at the last look, and what became of it."""
    with db.reading() as session:
        folders = mailboxes.balances(session, actor)
        return MailBalance(folders=folders, imports=mailboxes.imports(session, actor))


@router.get("/arrivals")
def listed(
    actor: CurrentActor,
    db: Db,
    state: ArrivalState | None = None,
    before: Before | None = None,
    limit: Limit = 50,
) -> list[Came]:
    """Newest first; continue with `before` = the last id."""
    with db.reading() as session:
        return list(came_in.listed(session, actor, state, before, limit))


@router.get("/arrivals/{arrival}")
def one(arrival: Id, actor: CurrentActor, db: Db) -> Came:
    with db.reading() as session:
        return came_in.one(session, actor, arrival)


@router.get("/arrivals/{arrival}/raw", response_class=Response)
def raw(arrival: Id, actor: CurrentActor, db: Db, house: TheHouse) -> Response:
    """The bytes exactly as they came, to be saved and never shown. For administrators."""
    with db.reading() as session:
        sha256 = arrivals.source(session, actor, arrival)
    return Response(
        house.blobs.get(sha256),
        media_type="application/octet-stream",
        headers={
            "content-disposition": f'attachment; filename="arrival-{arrival}.bin"',
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        },
    )


@router.post("/arrivals/{arrival}/try-again")
def try_again(arrival: Id, actor: CurrentActor, db: Db) -> Came:
    """Read a set-aside arrival again."""
    with db.transaction() as session:
        intake.try_again(session, actor, arrival)
        return came_in.one(session, actor, arrival)


@router.post("/arrivals/try-again")
def try_all_again(actor: CurrentActor, db: Db) -> dict[str, int]:
    """Read everything that is set aside again; how many there were."""
    with db.transaction() as session:
        return {"tried_again": intake.try_all_again(session, actor)}


@router.put("/arrivals/{arrival}/raw")
def mend(arrival: Id, body: Bytes, actor: CurrentActor, db: Db, house: TheHouse) -> Came:
    """Read a set-aside arrival from bytes that were mended; those that came are kept as well."""
    stored = Stored(house.blobs.put(body), len(body))
    with db.transaction() as session:
        intake.mend(session, actor, arrival, stored)
        return came_in.one(session, actor, arrival)


@router.post("/arrivals/{arrival}/take")
def take(arrival: Id, actor: CurrentActor, db: Db) -> Came:
    """It is an inquiry, though an address of ours sent it."""
    with db.transaction() as session:
        intake.take(session, actor, arrival)
        return came_in.one(session, actor, arrival)


@router.post("/arrivals/discard-ours")
def discard_ours(body: Ours, actor: CurrentActor, db: Db) -> dict[str, int]:
    """Discard what an address of ours sent, up to an id; how many, 300 at once at most."""
    with db.transaction() as session:
        return {"discarded": intake.discard_ours(session, actor, body.through, body.reason)}


@router.post("/arrivals/{arrival}/discard")
def discard(arrival: Id, body: Reason, actor: CurrentActor, db: Db) -> Came:
    """Decide that a set-aside arrival is not needed. Its raw source stays."""
    with db.transaction() as session:
        intake.discard(session, actor, arrival, body.reason)
        return came_in.one(session, actor, arrival)
