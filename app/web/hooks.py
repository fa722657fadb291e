"""Every channel's webhook: kept raw and durable before it is answered, understood later."""

from functools import partial
from typing import Annotated, NoReturn

import anyio.to_thread
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel
from sqlmodel import select
from starlette.exceptions import HTTPException

from app.core import clock, secrets
from app.core.errors import NotFound
from app.services import inboxes, intake
from app.store.tables import Arrival, Inbox
from app.web.deps import House, TheHouse
from app.web.limits import Strangers
from app.web.origin import network_of
from channels.contract import Accepts, BadSignature, Raw
from channels.registry import all_channels

router = APIRouter()

Word = Annotated[str, Path(max_length=200)]


class Kept(BaseModel):
    """Safe with us. The same thing sent again gets the same number."""

    arrival: int


@router.post("/hooks/{kind}/{token}", status_code=202)
async def take(kind: Word, token: Word, request: Request, house: TheHouse) -> Kept:
    channel = all_channels().get(kind)
    if not isinstance(channel, Accepts):
        raise NotFound("There is no such hook.")
    inbox = await anyio.to_thread.run_sync(_inbox, house, kind, token)
    strangers, network = _strangers(request), network_of(request)
    strangers.check("hook", network)
    try:
        body = await request.body()
    except HTTPException as error:
        if error.status_code == 413:
            await _turn_away(request, house, inbox, error)
        raise
    headers = {
        name: ",".join(request.headers.getlist(name)) for name in dict.fromkeys(request.headers)
    }
    config = inboxes.config_of(inbox, house.keys, channel.config)
    try:
        raw = channel.accept(config, headers, body, clock.now())
    except BadSignature as error:
        strangers.allow("hook", network)
        raise HTTPException(401) from error
    return await anyio.to_thread.run_sync(_keep, house, inbox.id, raw)


def _strangers(request: Request) -> Strangers:
    strangers: Strangers = request.app.state.strangers
    return strangers


def _inbox(house: House, kind: str, token: str) -> Inbox:
    with house.database.reading() as session:
        return inboxes.by_token(session, kind, token)


def _keep(house: House, inbox_id: int, raw: Raw) -> Kept:
    stored = intake.Stored(house.blobs.put(raw.body), len(raw.body))
    with house.database.transaction() as session:
        arrival = intake.keep(session, inbox_id, raw, stored)
        if arrival is None:
            arrival = session.exec(
                select(Arrival).where(
                    Arrival.inbox_id == inbox_id, Arrival.external_id == raw.external_id
                )
            ).one()
    return Kept(arrival=arrival.id)


async def _turn_away(
    request: Request, house: House, inbox: Inbox, error: HTTPException
) -> NoReturn:
    """Count it, so that nothing that knocked is missing from the balance."""
    _strangers(request).allow("hook", network_of(request))
    declared = request.headers.get("content-length", "")
    size = int(declared[:18]) if declared.isascii() and declared.isdigit() else 0
    refuse = partial(_refuse, house, inbox.id, size, error.detail)
    await anyio.to_thread.run_sync(refuse)
    raise error


def _refuse(house: House, inbox_id: int, size: int, reason: str) -> None:
    with house.database.transaction() as session:
        intake.refuse(session, inbox_id, f"refused-{secrets.new_ref(20)}", size, reason)
