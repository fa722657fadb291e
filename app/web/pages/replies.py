"""The composer's forms: an answer, sent now or later and taken back, a note, a draft."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session
from starlette.datastructures import UploadFile

from app.core.errors import Conflict, Invalid
from app.domain.storable import storable
from app.services import drafts, resting, tickets
from app.services.access import Actor
from app.services.resting import When
from app.web import routes
from app.web.deps import CurrentActor, Db, House, Id, TheHouse
from app.web.pages import listing
from app.web.pages.shell import go
from app.web.pages.tickets import Typed, addresses, load, moment, ref_of, render

router = routes.pages("/tickets/{ref}")

FILE_LIMIT = 25_000_000


@dataclass(frozen=True, slots=True)
class ReplyForm:
    text: str
    to: str
    cc: str
    last_seen: int | None
    view: str
    files: tuple[UploadFile, ...]
    kept: frozenset[int]  # files of the draft that go out with it
    act: str
    later: str  # when it leaves; "" for now


def _act(shown: str, text: str) -> str:
    """One page and one text are one act: a second press changes nothing, a changed text does."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{storable(shown)[:60]}.{digest[:24]}" if shown else ""


async def reply_form(request: Request) -> AsyncIterator[ReplyForm]:
    async with request.form(max_files=20, max_fields=60) as form:

        def field(name: str) -> str:
            value = form.get(name, "")
            return value if isinstance(value, str) else ""

        seen, view = field("last_seen"), field("view")
        kept = [one for one in form.getlist("kept") if isinstance(one, str)]
        also = [one for one in form.getlist("also") if isinstance(one, str)]  # of the newcomers
        later = field("later")
        yield ReplyForm(
            text=field("text"),
            to=field("to"),
            cc=", ".join([field("cc"), *also]).strip(", "),
            last_seen=int(seen) if seen.isascii() and seen.isdigit() else None,
            view=listing.or_open(view),
            files=tuple(file for file in form.getlist("files") if isinstance(file, UploadFile)),
            kept=frozenset(int(one) for one in kept if one.isascii() and one.isdigit()),
            act=_act(field("act"), field("text")),
            later=field("later_at") or "?" if later == "at" else later,
        )


Reply = Annotated[ReplyForm, Depends(reply_form)]


def _store(house: House, files: tuple[UploadFile, ...]) -> tuple[drafts.NewFile, ...]:
    """Keep the bytes before a transaction names them."""
    stored = []
    for file in files:
        if not file.filename:
            continue
        body = file.file.read(FILE_LIMIT + 1)
        if len(body) > FILE_LIMIT:
            raise Invalid("A file is larger than 25 MB.", field="files")
        stored.append(
            drafts.NewFile(
                name=file.filename[:200],
                content_type=file.content_type or "application/octet-stream",
                sha256=house.blobs.put(body),
                size=len(body),
            )
        )
    return tuple(stored)


def _when(session: Session, actor: Actor, ref: str, form: ReplyForm) -> When:
    if form.later:
        return When(at=moment(session, form.later))
    return resting.usual(session, actor, ref)


@router.post("/reply")
def reply(
    request: Request, ref: str, house: TheHouse, actor: CurrentActor, form: Reply
) -> Response:
    """Sent after the seconds of a second thought, or at the moment chosen."""
    try:
        stored = _store(house, form.files)
        with house.database.transaction() as session:
            draft = tickets.Draft(
                form.text,
                addresses(form.to),
                addresses(form.cc),
                (*drafts.files(session, actor, ref, form.kept), *stored),
                form.last_seen,
                form.act,
                _when(session, actor, ref, form),
            )
            message = tickets.reply(session, actor, ref, draft)
            rests = resting.of(session, message.id) is not None
            number = message.id
    except (Invalid, Conflict) as error:
        return _refused(request, house, actor, form, error)
    did = "planned" if form.later else "sent"
    return go(f"/tickets/{ref}", view=form.view, did=did, on=ref, sent=str(number) if rests else "")


def _refused(
    request: Request, house: House, actor: Actor, form: ReplyForm, error: Invalid | Conflict
) -> HTMLResponse:
    """The page again with everything that was typed, and what is in the way."""
    newer = "newer" in error.data
    with house.database.reading() as session:
        loaded = load(session, request, actor, ref_of(request), form.view)
    typed = Typed(form.text, "reply", form.to, form.cc, "" if newer else error.message, newer)
    return render(request, loaded, typed, 409 if isinstance(error, Conflict) else 422)


@router.post("/replies/{message_id}/take-back")
def take_back(
    ref: str, message_id: Id, actor: CurrentActor, db: Db, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        resting.take_back(session, actor, ref, message_id)
    return go(f"/tickets/{ref}", view=view, did="taken_back", on=ref)


@router.post("/note")
def note(ref: str, actor: CurrentActor, db: Db, form: Reply) -> RedirectResponse:
    with db.transaction() as session:
        tickets.note(session, actor, ref, form.text, form.act)
    return go(f"/tickets/{ref}", view=form.view, did="noted", on=ref)


@router.post("/draft", status_code=204)
def draft(ref: str, actor: CurrentActor, db: Db, text: Annotated[str, Form()] = "") -> Response:
    with db.transaction() as session:
        drafts.save(session, actor, ref, text)
    return Response(status_code=204)
