"""Set aside: what came in and could not be read or filed, for a person to decide on."""

from typing import Annotated

from fastapi import Form, Request, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Invalid
from app.services import intake
from app.services.intake import Stored
from app.services.queries import arrivals
from app.web import routes
from app.web.deps import CurrentActor, Db, Id, TheHouse
from app.web.pages import shell
from app.web.pages.shell import go

router = routes.pages("/set-aside")

SOURCE_LIMIT = 50_000_000
EDITED_LIMIT = 200_000  # bytes that are changed in a page and not in a file
BEGINNING = 6_000  # bytes of it that are shown


def download(body: bytes, name: str) -> Response:
    """Bytes nobody has looked at: saved, never shown."""
    return Response(
        body,
        media_type="application/octet-stream",
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        },
    )


@router.get("")
def listed(request: Request, actor: CurrentActor, db: Db) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        rows = arrivals.set_aside(session, actor)
        ours = arrivals.ours(session)
    return shell.page(
        request, "work/set_aside.html", around, rows=rows, ours=ours, at_once=intake.AT_ONCE
    )


@router.get("/{arrival_id}")
def shown(request: Request, arrival_id: Id, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    with house.database.reading() as session:
        around = shell.load(session, actor)
        row = arrivals.one(session, actor, arrival_id)
        body = house.blobs.get(arrivals.source(session, actor, arrival_id)) if row.kept else b""
    return shell.page(
        request,
        "work/arrival.html",
        around,
        row=row,
        beginning=body[:BEGINNING].decode("utf-8", "replace"),
        text=editable(body),
    )


def editable(body: bytes) -> str:
    """What can be changed in a page without changing anything else; "" otherwise."""
    if len(body) > EDITED_LIMIT or b"\0" in body:
        return ""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return ""


@router.get("/{arrival_id}/source")
def source(arrival_id: Id, actor: CurrentActor, house: TheHouse) -> Response:
    with house.database.reading() as session:
        sha256 = arrivals.source(session, actor, arrival_id)
    return download(house.blobs.get(sha256), f"arrival-{arrival_id}.raw")


@router.post("/again")
def all_again(actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        intake.try_all_again(session, actor)
    return go("/set-aside", did="again")


@router.post("/discard-ours")
def discard_ours(
    actor: CurrentActor,
    db: Db,
    through: Annotated[int, Form(ge=0, le=2**53)],
    reason: Annotated[str, Form(max_length=300)],
) -> RedirectResponse:
    """What an address of ours sent, up to the last one that was seen."""
    with db.transaction() as session:
        intake.discard_ours(session, actor, through, reason)
    return go("/set-aside", did="discarded")


@router.post("/{arrival_id}/again")
def again(arrival_id: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    with db.transaction() as session:
        intake.try_again(session, actor, arrival_id)
    return go("/set-aside", did="again")


@router.post("/{arrival_id}/take")
def take(arrival_id: Id, actor: CurrentActor, db: Db) -> RedirectResponse:
    """It is an inquiry, though an address of ours sent it."""
    with db.transaction() as session:
        intake.take(session, actor, arrival_id)
    return go("/set-aside", did="again")


@router.post("/{arrival_id}/mend")
def mend(
    arrival_id: Id,
    actor: CurrentActor,
    house: TheHouse,
    source: UploadFile | None = None,
    text: Annotated[str, Form(max_length=2 * EDITED_LIMIT)] = "",
) -> RedirectResponse:
    """The raw source as somebody has mended it; it is read in place of what came."""
    body = source.file.read(SOURCE_LIMIT + 1) if source else text.encode()
    if not body or len(body) > SOURCE_LIMIT:
        raise Invalid("Choose the mended file, of 50 MB at most.", field="source")
    stored = Stored(house.blobs.put(body), len(body))
    with house.database.transaction() as session:
        intake.mend(session, actor, arrival_id, stored)
    return go("/set-aside", did="again")


@router.post("/{arrival_id}/discard")
def discard(
    arrival_id: Id,
    actor: CurrentActor,
    db: Db,
    reason: Annotated[str, Form(max_length=300)] = "",
) -> RedirectResponse:
    with db.transaction() as session:
        intake.discard(session, actor, arrival_id, reason)
    return go("/set-aside", did="discarded")
