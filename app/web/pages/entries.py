"""Writing a contact down by hand, and importing a file of many."""

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response
from pydantic import BaseModel
from sqlmodel import Session
from starlette.datastructures import UploadFile

from app.core import clock
from app.core.errors import Conflict, Invalid, NotFound
from app.services import agents, inboxes, intake
from app.services.access import Actor, Permission, require
from app.services.intake import Stored
from app.store.tables import Inbox
from app.web import forms, routes
from app.web.deps import CurrentActor, House, TheHouse
from app.web.pages import shell
from app.web.pages.inbox import speak
from app.web.pages.inboxes import Sent, channel_of
from app.web.pages.shell import go
from channels.contract import (
    LARGEST_FILE,
    BadRow,
    Channel,
    ChannelError,
    Imports,
    Raw,
    TakesEntries,
)
from channels.registry import all_channels

router = routes.pages("/log")

SHOWN_ROWS = 20


def _ways() -> list[Channel]:
    return [
        channel
        for channel in all_channels().values()
        if isinstance(channel, TakesEntries | Imports)
    ]


@router.get("")
def choose(request: Request, actor: CurrentActor, house: TheHouse) -> Response:
    """Which channel; with only one there is nothing to choose."""
    ways = _ways()
    if len(ways) == 1:
        return go(f"/log/{ways[0].kind}", did=request.query_params.get("did", ""))
    with house.database.reading() as session:
        around = shell.load(session, actor)
    return shell.page(request, "entry/choose.html", around, ways=ways)


def _inbox(session: Session, kind: str) -> Inbox | None:
    """The inbox an entry belongs to: a real one before the one the program made."""
    fitting = [inbox for inbox in inboxes.enabled(session) if inbox.kind == kind]
    return min(fitting, key=lambda inbox: (inbox.built_in, inbox.id), default=None)


def _page(
    request: Request, house: House, actor: Actor, channel: Channel, **more: Any
) -> HTMLResponse:
    require(actor, Permission.REPLY)
    with house.database.reading() as session:
        around = shell.load(session, actor)
        inbox = _inbox(session, channel.kind)
    speak(request, around)
    values, errors = more.pop("values", {}), more.pop("errors", {})
    drawn: list[forms.Field] = []
    if isinstance(channel, TakesEntries):
        values = values or forms.defaults_of(channel.entry)
        drawn = forms.fields(channel.entry, values, errors)
    context = {
        "channel": channel,
        "inbox": inbox,
        "fields": drawn,
        "imports": isinstance(channel, Imports),
        "kept": None,
        "known": 0,
        "bad": [],
        "problem": errors.get("", ""),
        "did": request.query_params.get("did", ""),
        "on": "",
        **more,
    }
    return shell.page(request, "entry/page.html", around, status=422 if errors else 200, **context)


@router.get("/{kind}")
def entry_page(request: Request, kind: str, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    return _page(request, house, actor, channel_of(kind))


@router.post("/{kind}")
def write_down(
    request: Request, kind: str, actor: CurrentActor, house: TheHouse, form: Sent
) -> Response:
    channel = channel_of(kind)
    require(actor, Permission.REPLY)
    if not isinstance(channel, TakesEntries):
        raise NotFound("Nothing can be written down for this channel.")
    filled = forms.read(channel.entry, form)
    if filled.model is None:
        return _page(request, house, actor, channel, values=filled.values, errors=filled.errors)
    with house.database.reading() as session:
        author = agents.own(session, actor).email if actor.agent_id else actor.name
    raw = channel.write_down(filled.model, clock.now(), author)
    _keep(house, channel.kind, [raw])
    return go(f"/log/{kind}", did="logged")


def _keep(house: House, kind: str, raws: list[Raw]) -> int:
    """Store what came in by hand like anything else that comes in; how many were new."""
    stored = [(raw, Stored(house.blobs.put(raw.body), len(raw.body))) for raw in raws]
    with house.database.transaction() as session:
        inbox = _inbox(session, kind)
        if inbox is None:
            raise Conflict("There is no inbox of this channel yet.")
        kept = [intake.keep(session, inbox.id, raw, where) for raw, where in stored]
    return sum(arrival is not None for arrival in kept)


async def uploaded(request: Request) -> bytes:
    async with request.form(max_files=1, max_fields=5) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Invalid("Choose a file.", field="file")
        body = await file.read(LARGEST_FILE + 1)
    if len(body) > LARGEST_FILE:
        raise Invalid("The file is larger than 25 MB.", field="file")
    return body


@router.post("/{kind}/import")
def import_file(
    request: Request,
    kind: str,
    actor: CurrentActor,
    house: TheHouse,
    body: Annotated[bytes, Depends(uploaded)],
) -> HTMLResponse:
    channel = channel_of(kind)
    require(actor, Permission.REPLY)
    if not isinstance(channel, Imports):
        raise NotFound("Files cannot be imported for this channel.")
    with house.database.reading() as session:
        inbox = _inbox(session, kind)
    if inbox is None:
        raise Conflict("There is no inbox of this channel yet.")
    config: BaseModel = inboxes.config_of(inbox, house.keys, channel.config)
    try:
        found = channel.read_file(config, body)
    except ChannelError as error:
        return _page(request, house, actor, channel, errors={"": str(error)})
    raws = [row for row in found if isinstance(row, Raw)]
    bad = [row for row in found if isinstance(row, BadRow)]
    kept = _keep(house, kind, raws)
    return _page(
        request,
        house,
        actor,
        channel,
        kept=kept,
        known=len(raws) - kept,
        bad=bad[:SHOWN_ROWS],
    )
