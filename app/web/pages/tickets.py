"""One ticket: the page, and what an agent does on it."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlmodel import Session

from app.core import clock, secrets
from app.core.errors import Invalid
from app.domain.address import EMAIL, normal
from app.services import agents, letterheads, organisation, tickets
from app.services.access import Actor
from app.services.queries import inbox, neighbours, ticket
from app.services.queries.inbox import Row
from app.services.queries.neighbours import Beside, Similar
from app.services.queries.said import Said
from app.services.queries.ticket import Conversation, Event
from app.web import routes, speech
from app.web.deps import CurrentActor, Db
from app.web.pages import listing, shell
from app.web.pages.inbox import alarms, selected, speak
from app.web.pages.inbox import context as list_context
from app.web.pages.shell import Shell, go, onward
from app.web.speech import say

router = routes.pages("/tickets/{ref}")

UNFOLDED = 3  # messages that are open when the page is; older ones show one line
FILE_LIMIT = 25_000_000
KINDS = {"email": "mail", "phone": "phone"}  # icons of ways to reach somebody

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
class Recipient:
    """Somebody an answer goes to."""

    address: str
    new: bool  # nobody wrote to them here before


@dataclass(frozen=True, slots=True)
class Typed:
    """What the agent had typed when it could not be sent."""

    text: str = ""
    kind: str = "reply"
    to: str = ""
    cc: str = ""
    problem: str = ""
    newer: bool = False
    borrowed: Similar | None = None  # the ticket whose answer was put into the text


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
    found = [
        Preset(say("In three hours"), now.replace(second=0, microsecond=0) + timedelta(hours=3)),
        Preset(say("Tomorrow morning"), morning + timedelta(days=1)),
        Preset(say("In a week"), morning + timedelta(days=7)),
    ]
    # On a Sunday that is tomorrow, and on a Monday in a week: said once.
    if all(one.at != monday for one in found):
        found.insert(2, Preset(say("Monday"), monday))
    return found


def _next(rows: tuple[Row, ...], ref: str) -> str:
    refs = [row.ref for row in rows]
    at = refs.index(ref) if ref in refs else -1
    following = refs[at + 1 : at + 2] or [other for other in refs[:1] if other != ref]
    return following[0] if following else ""


@dataclass(frozen=True, slots=True)
class Loaded:
    around: Shell
    found: Conversation
    beside: Beside
    context: dict[str, Any]


def load(session: Session, request: Request, actor: Actor, ref: str, view: str) -> Loaded:
    around = shell.load(session, actor)
    chosen = selected(listing.read(view))
    rows = inbox.rows(session, actor, chosen)
    found = ticket.view(session, actor, ref, around.words)
    beside = neighbours.view(session, actor, found.ref)
    signature = letterheads.signature_on(session, found.ref, actor.name)
    people = [person for person in agents.listed(session) if person.active]
    told = alarms(session, actor)
    speak(request, around)
    return Loaded(
        around,
        found,
        beside,
        {
            **list_context(around, chosen, rows, "", ref, told),
            "t": found,
            "beside": beside,
            "timeline": timeline(found),
            "agents": people,
            "next": _next(rows.rows, ref),
            "snoozes": presets(),
            "kinds": KINDS,
            "can_send": found.can_answer,
            "signature": signature,
        },
    )


def render(request: Request, loaded: Loaded, typed: Typed, status: int = 200) -> HTMLResponse:
    found = loaded.found
    to = typed.to or ", ".join(found.draft_to) or found.to
    cc = typed.cc or ", ".join(found.draft_cc if found.draft_to else found.cc)
    in_copy = _recipients(found, cc)
    return shell.page(
        request,
        "ticket/page.html",
        loaded.around,
        status=status,
        **loaded.context,
        draft=typed.text or found.draft,
        kind=typed.kind,
        to=to,
        cc=cc,
        goes_to=_recipients(found, to),
        in_copy=in_copy,
        newcomers=[one for one in found.newcomers if one not in {it.address for it in in_copy}],
        open_to=bool(typed.problem),
        problem=typed.problem,
        newer=typed.newer,
        borrowed=typed.borrowed,
        act=secrets.new_ref(20),
        did=request.query_params.get("did", ""),
        on=request.query_params.get("on", ref_of(request)),
        sent=request.query_params.get("sent", ""),
        other=request.query_params.get("other", ""),
    )


def addresses(line: str) -> tuple[str, ...]:
    """As somebody types them into one field."""
    return tuple(part.strip() for part in line.replace(";", ",").split(",") if part.strip())


def _recipients(found: Conversation, line: str) -> list[Recipient]:
    known = {normal(EMAIL, one, 0) for one in found.participants}
    return [Recipient(one, normal(EMAIL, one, 0) not in known) for one in addresses(line)]


def ref_of(request: Request) -> str:
    return str(request.path_params["ref"])


def _with_answer(loaded: Loaded, other: str) -> Typed:
    """The draft with what a similar ticket was answered, once. Nothing is kept or sent by it."""
    borrowed, draft = loaded.beside.answer(other), loaded.found.draft
    if borrowed is None:
        return Typed()
    text = draft if borrowed.answer in draft else f"{draft.rstrip()}\n\n{borrowed.answer}".lstrip()
    return Typed(text=text, borrowed=borrowed)


@router.get("")
def shown(
    request: Request,
    ref: str,
    actor: CurrentActor,
    db: Db,
    view: listing.InQuery = listing.OPEN,
    insert: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    with db.reading() as session:
        loaded = load(session, request, actor, ref, view)
    if loaded.found.ref != ref:
        return go(f"/tickets/{loaded.found.ref}", view=view)
    if loaded.found.unread:
        # Reading marks it read: without a script there is no other moment for it.
        with db.transaction() as session:
            tickets.mark_seen(session, actor, ref)
    return render(request, loaded, _with_answer(loaded, insert))


@router.get("/thread")
def thread(request: Request, ref: str, actor: CurrentActor, db: Db) -> HTMLResponse:
    """The conversation as a fragment, for a screen that follows along."""
    with db.reading() as session:
        loaded = load(session, request, actor, ref, listing.OPEN)
    return shell.page(request, "ticket/_thread.html", loaded.around, **loaded.context)


@router.post("/resolve")
def resolve(
    ref: str,
    actor: CurrentActor,
    db: Db,
    view: listing.InForm = listing.OPEN,
    following: Following = "",
) -> RedirectResponse:
    with db.transaction() as session:
        tickets.resolve(session, actor, ref)
    return onward(ref, view, following, "resolved")


@router.post("/spam")
def spam(
    ref: str,
    actor: CurrentActor,
    db: Db,
    view: listing.InForm = listing.OPEN,
    following: Following = "",
) -> RedirectResponse:
    with db.transaction() as session:
        tickets.mark_spam(session, actor, ref)
    return onward(ref, view, following, "spam")


@router.post("/reopen")
def reopen(
    ref: str, actor: CurrentActor, db: Db, view: listing.InForm = listing.OPEN
) -> RedirectResponse:
    with db.transaction() as session:
        tickets.reopen(session, actor, ref)
    return go(f"/tickets/{ref}", view=view, did="reopened", on=ref)


@dataclass
class SnoozeForm:
    """A preset, or a moment in the organisation's own time."""

    until: Annotated[str, Form(max_length=40)] = ""
    at: Annotated[str, Form(max_length=40)] = ""
    view: listing.InForm = listing.OPEN
    following: Following = ""


def moment(session: Session, typed: str) -> datetime:
    """A moment of a form; without a zone it is meant in the organisation's own time."""
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        raise Invalid("Choose a day and an hour.", field="until") from None
    known = organisation.current(session)
    return (
        found
        if found.tzinfo
        else found.replace(tzinfo=ZoneInfo(known.time_zone if known else "UTC"))
    )


@router.post("/snooze")
def snooze(
    ref: str, actor: CurrentActor, db: Db, form: Annotated[SnoozeForm, Depends()]
) -> RedirectResponse:
    with db.transaction() as session:
        until = moment(session, form.until or form.at)
        tickets.snooze(session, actor, ref, until)
    return onward(ref, form.view, form.following, "snoozed")


@router.post("/assign")
def assign(
    ref: str,
    actor: CurrentActor,
    db: Db,
    agent: Annotated[str, Form(max_length=18)] = "",
    view: listing.InForm = listing.OPEN,
) -> RedirectResponse:
    chosen = int(agent) if agent.isascii() and agent.isdigit() else None
    with db.transaction() as session:
        tickets.assign(session, actor, ref, chosen)
    return go(f"/tickets/{ref}", view=view, did="assigned", on=ref)
