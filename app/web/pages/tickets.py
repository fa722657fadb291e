"""One ticket: the page, and what an agent does on it."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session
from starlette.datastructures import UploadFile

from app.core import clock, secrets
from app.core.errors import Conflict, Invalid
from app.domain.storable import storable
from app.domain.words import Head
from app.services import agents, organisation, tagging, tickets
from app.services.access import Actor
from app.services.queries import inbox, ticket
from app.services.queries.inbox import Row, Selection, View
from app.services.queries.ticket import Conversation, Event, Said
from app.web import routes, speech
from app.web.deps import CurrentActor, Db, House, TheHouse
from app.web.pages import shell
from app.web.pages.inbox import context as list_context
from app.web.pages.inbox import speak
from app.web.pages.shell import Shell, go
from app.web.speech import say

router = routes.pages("/tickets/{ref}")

UNFOLDED = 3  # messages that are open when the page is; older ones show one line
FILE_LIMIT = 25_000_000
KINDS = {"email": "mail", "phone": "phone"}  # icons of ways to reach somebody

ViewField = Annotated[View, Form()]
Following = Annotated[str, Form(alias="next", pattern="^[0-9a-z]{0,20}$")]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the conversation, message or change."""

    at: datetime
    said: Said | None = None
    event: Event | None = None
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Preset:
    name: str
    at: datetime

    @property
    def value(self) -> str:
        return self.at.isoformat()


@dataclass(frozen=True, slots=True)
class Typed:
    """What the agent had typed when it could not be sent."""

    text: str = ""
    kind: str = "reply"
    to: str = ""
    cc: str = ""
    problem: str = ""
    newer: bool = False


def timeline(found: Conversation) -> list[Item]:
    last = {message.id for message in found.said[-UNFOLDED:]}
    fold = len(found.said) > UNFOLDED + 1
    items = [
        Item(message.at, said=message, folded=fold and message.id not in last)
        for message in found.said
    ]
    items += [Item(event.at, event=event) for event in found.events]
    return sorted(items, key=lambda item: item.at)


def presets() -> list[Preset]:
    """When a snoozed ticket may come back, in the organisation's time zone."""
    now = speech.local(clock.now())
    morning = datetime.combine(now.date(), time(9), now.tzinfo)
    monday = morning + timedelta(days=7 - now.weekday())
    return [
        Preset(say("In three hours"), now.replace(second=0, microsecond=0) + timedelta(hours=3)),
        Preset(say("Tomorrow morning"), morning + timedelta(days=1)),
        Preset(say("Monday"), monday),
        Preset(say("In a week"), morning + timedelta(days=7)),
    ]


def _next(rows: tuple[Row, ...], ref: str) -> str:
    refs = [row.ref for row in rows]
    at = refs.index(ref) if ref in refs else -1
    following = refs[at + 1 : at + 2] or [other for other in refs[:1] if other != ref]
    return following[0] if following else ""


@dataclass(frozen=True, slots=True)
class Loaded:
    around: Shell
    found: Conversation
    context: dict[str, Any]


def _load(session: Session, request: Request, actor: Actor, ref: str, view: View) -> Loaded:
    around = shell.load(session, actor)
    chosen = Selection(view=view)
    rows = inbox.rows(session, actor, chosen)
    found = ticket.view(session, actor, ref, around.words)
    people = [person for person in agents.listed(session) if person.active]
    speak(request, around)
    return Loaded(
        around,
        found,
        {
            **list_context(around, chosen, rows, "", ref),
            "t": found,
            "timeline": timeline(found),
            "agents": people,
            "next": _next(rows.rows, ref),
            "snoozes": presets(),
            "kinds": KINDS,
            "can_send": found.can_answer,
        },
    )


def _render(request: Request, loaded: Loaded, typed: Typed, status: int = 200) -> HTMLResponse:
    found = loaded.found
    return shell.page(
        request,
        "ticket/page.html",
        loaded.around,
        status=status,
        **loaded.context,
        draft=typed.text or found.draft,
        kind=typed.kind,
        to=typed.to or found.to,
        cc=typed.cc or ", ".join(found.cc),
        open_to=bool(typed.problem),
        problem=typed.problem,
        newer=typed.newer,
        act=secrets.new_ref(20),
        did=request.query_params.get("did", ""),
        on=request.query_params.get("on", ref_of(request)),
    )


def ref_of(request: Request) -> str:
    return str(request.path_params["ref"])


@router.get("")
def shown(
    request: Request, ref: str, actor: CurrentActor, db: Db, view: View = View.OPEN
) -> Response:
    with db.reading() as session:
        loaded = _load(session, request, actor, ref, view)
    if loaded.found.ref != ref:
        return go(f"/tickets/{loaded.found.ref}", view=view)
    if loaded.found.unread:
        # Reading marks it read: without a script there is no other moment for it.
        with db.transaction() as session:
            tickets.mark_seen(session, actor, ref)
    return _render(request, loaded, Typed())


@router.get("/thread")
def thread(request: Request, ref: str, actor: CurrentActor, db: Db) -> HTMLResponse:
    """The conversation as a fragment, for a screen that follows along."""
    with db.reading() as session:
        loaded = _load(session, request, actor, ref, View.OPEN)
    return shell.page(request, "ticket/_thread.html", loaded.around, **loaded.context)


@dataclass(frozen=True, slots=True)
class ReplyForm:
    text: str
    to: str
    cc: str
    last_seen: int | None
    view: View
    files: tuple[UploadFile, ...]
    act: str


def _act(shown: str, text: str) -> str:
    """One page and one text are one act: a second press changes nothing, a changed text does."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{storable(shown)[:60]}.{digest[:24]}" if shown else ""


async def reply_form(request: Request) -> AsyncIterator[ReplyForm]:
    async with request.form(max_files=20, max_fields=20) as form:

        def field(name: str) -> str:
            value = form.get(name, "")
            return value if isinstance(value, str) else ""

        seen, view = field("last_seen"), field("view")
        yield ReplyForm(
            text=field("text"),
            to=field("to"),
            cc=field("cc"),
            last_seen=int(seen) if seen.isascii() and seen.isdigit() else None,
            view=View(view) if view in list(View) else View.OPEN,
            files=tuple(file for file in form.getlist("files") if isinstance(file, UploadFile)),
            act=_act(field("act"), field("text")),
        )


Reply = Annotated[ReplyForm, Depends(reply_form)]


def _addresses(line: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in line.replace(";", ",").split(",") if part.strip())


def _store(house: House, files: tuple[UploadFile, ...]) -> tuple[tickets.NewFile, ...]:
    """Keep the bytes before a transaction names them."""
    stored = []
    for file in files:
        if not file.filename:
            continue
        body = file.file.read(FILE_LIMIT + 1)
        if len(body) > FILE_LIMIT:
            raise Invalid("A file is larger than 25 MB.", field="files")
        stored.append(
            tickets.NewFile(
                name=file.filename[:200],
                content_type=file.content_type or "application/octet-stream",
                sha256=house.blobs.put(body),
                size=len(body),
            )
        )
    return tuple(stored)


@router.post("/reply")
def reply(
    request: Request, ref: str, house: TheHouse, actor: CurrentActor, form: Reply
) -> Response:
    try:
        draft = tickets.Draft(
            form.text,
            _addresses(form.to),
            _addresses(form.cc),
            _store(house, form.files),
            form.last_seen,
            form.act,
        )
        with house.database.transaction() as session:
            tickets.reply(session, actor, ref, draft)
    except (Invalid, Conflict) as error:
        return _refused(request, house, actor, form, error)
    return go(f"/tickets/{ref}", view=form.view, did="sent", on=ref)


def _refused(
    request: Request, house: House, actor: Actor, form: ReplyForm, error: Invalid | Conflict
) -> HTMLResponse:
    """The page again with everything that was typed, and what is in the way."""
    newer = "newer" in error.data
    with house.database.reading() as session:
        loaded = _load(session, request, actor, ref_of(request), form.view)
    typed = Typed(form.text, "reply", form.to, form.cc, "" if newer else error.message, newer)
    return _render(request, loaded, typed, 409 if isinstance(error, Conflict) else 422)


@router.post("/note")
def note(ref: str, actor: CurrentActor, db: Db, form: Reply) -> RedirectResponse:
    with db.transaction() as session:
        tickets.note(session, actor, ref, form.text, form.act)
    return go(f"/tickets/{ref}", view=form.view, did="noted", on=ref)


@router.post("/draft", status_code=204)
def draft(ref: str, actor: CurrentActor, db: Db, text: Annotated[str, Form()] = "") -> Response:
    with db.transaction() as session:
        tickets.save_draft(session, actor, ref, text)
    return Response(status_code=204)


def _onward(ref: str, view: View, following: str, did: str) -> RedirectResponse:
    """To the next ticket of the view the agent works through, or back to the list."""
    path = f"/tickets/{following}" if following else "/inbox"
    return go(path, view=view, did=did, on=ref)


@router.post("/resolve")
def resolve(
    ref: str, actor: CurrentActor, db: Db, view: ViewField = View.OPEN, following: Following = ""
) -> RedirectResponse:
    with db.transaction() as session:
        tickets.resolve(session, actor, ref)
    return _onward(ref, view, following, "resolved")


@router.post("/spam")
def spam(
    ref: str, actor: CurrentActor, db: Db, view: ViewField = View.OPEN, following: Following = ""
) -> RedirectResponse:
    with db.transaction() as session:
        tickets.mark_spam(session, actor, ref)
    return _onward(ref, view, following, "spam")


@router.post("/reopen")
def reopen(ref: str, actor: CurrentActor, db: Db, view: ViewField = View.OPEN) -> RedirectResponse:
    with db.transaction() as session:
        tickets.reopen(session, actor, ref)
    return go(f"/tickets/{ref}", view=view, did="reopened", on=ref)


@dataclass
class SnoozeForm:
    """A preset, or a moment in the organisation's own time."""

    until: Annotated[str, Form(max_length=40)] = ""
    at: Annotated[str, Form(max_length=40)] = ""
    view: ViewField = View.OPEN
    following: Following = ""


def _moment(form: SnoozeForm, time_zone: str) -> datetime:
    try:
        found = datetime.fromisoformat(form.until or form.at)
    except ValueError:
        raise Invalid("Choose a day and an hour.", field="until") from None
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(time_zone))


@router.post("/snooze")
def snooze(
    ref: str, actor: CurrentActor, db: Db, form: Annotated[SnoozeForm, Depends()]
) -> RedirectResponse:
    with db.transaction() as session:
        known = organisation.current(session)
        until = _moment(form, known.time_zone if known else "UTC")
        tickets.snooze(session, actor, ref, until)
    return _onward(ref, form.view, form.following, "snoozed")


@router.post("/assign")
def assign(
    ref: str,
    actor: CurrentActor,
    db: Db,
    agent: Annotated[str, Form(max_length=18)] = "",
    view: ViewField = View.OPEN,
) -> RedirectResponse:
    chosen = int(agent) if agent.isascii() and agent.isdigit() else None
    with db.transaction() as session:
        tickets.assign(session, actor, ref, chosen)
    return go(f"/tickets/{ref}", view=view, did="assigned", on=ref)


@dataclass
class TagForm:
    stage: Annotated[str, Form(max_length=40)] = ""
    topic: Annotated[str, Form(max_length=80)] = ""
    view: ViewField = View.OPEN


@router.post("/tag")
def tag(
    ref: str, actor: CurrentActor, db: Db, form: Annotated[TagForm, Depends()]
) -> RedirectResponse:
    with db.transaction() as session:
        if form.stage:
            tagging.choose(session, actor, ref, Head.STAGE, form.stage)
        if form.topic:
            tagging.choose(session, actor, ref, Head.TOPIC, form.topic)
    return go(f"/tickets/{ref}", view=form.view, did="tagged", on=ref)


@router.post("/accept")
def accept(ref: str, actor: CurrentActor, db: Db, view: ViewField = View.OPEN) -> RedirectResponse:
    with db.transaction() as session:
        tagging.accept(session, actor, ref)
    return go(f"/tickets/{ref}", view=view, did="tagged", on=ref)
