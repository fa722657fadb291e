"""Connecting a channel: one form for every kind, drawn from what it must be told."""

import asyncio
import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import BaseModel, SecretStr

from app.core.errors import Conflict, Invalid, NotFound
from app.services import access, inboxes, self_tests
from app.services.access import Actor, Permission, require
from app.services.inboxes import NewInbox
from app.services.queries import mailboxes
from app.services.queries.inboxes import Row, row_of
from app.store.tables import Inbox
from app.web import forms, routes
from app.web.deps import CurrentActor, House, Id, TheHouse
from app.web.forms import Filled
from app.web.pages import shell
from app.web.pages.inbox import speak
from app.web.pages.reopening import Reopening
from app.web.pages.shell import go
from channels.contract import (
    Accepts,
    AsksConsent,
    Channel,
    ChecksConnection,
    Finding,
    Misconfigured,
    OffersPresets,
    Preset,
    Published,
    SelfTests,
    Sends,
    Signs,
    TryLater,
    preset_for,
)
from channels.registry import all_channels

router = routes.pages("/settings/inboxes")

CONSENT = "setten-consent"  # the cookie while somebody is at their provider
CONSENT_SECONDS = 900
NOT_ASKED = "This browser did not ask for access, or too long ago. Start again."


@dataclass(frozen=True, slots=True)
class Sheet:
    """One inbox on the screen: new, stored, or refused with what was typed."""

    name: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    inbox_id: int | None = None
    enabled: bool = True
    hook: str = ""
    made: Mapping[str, str] = field(default_factory=dict)  # secrets shown this once
    was: BaseModel | None = None
    health: Row | None = None  # of one that is stored
    tested: Inbox | None = None  # where its channel can test itself
    seen_test: str = ""  # what its self-test had shown when the form was drawn
    tried: bool = False  # whether its connection was to be tested
    findings: tuple[Finding, ...] = ()
    folders: tuple[str, ...] = ()
    published: Mapping[str, Published] = field(default_factory=dict)  # of the keys it signs with
    asks: bool = False  # whether access can be granted at the provider with what is stored
    preset: str = ""  # whose settings were asked for
    reopening: Reopening = field(default_factory=Reopening)


def channel_of(kind: str) -> Channel:
    found = all_channels().get(kind)
    if found is None:
        raise NotFound("There is no such channel.")
    return found


async def sent(request: Request) -> dict[str, str]:
    async with request.form(max_files=0, max_fields=100) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


Sent = Annotated[dict[str, str], Depends(sent)]


def _page(
    request: Request, house: House, actor: Actor, channel: Channel, sheet: Sheet
) -> HTMLResponse:
    require(actor, Permission.ADMIN)
    with house.database.reading() as session:
        around = shell.load(session, actor)
        imports = mailboxes.imports(session, actor) if sheet.inbox_id else ()
    speak(request, around)
    preset = _preset(channel, sheet)
    known = forms.secrets_of(channel.config, sheet.was)
    drawn = [
        one
        for one in forms.fields(channel.config, sheet.values, sheet.errors, known)
        if not preset or one.name not in preset.skips or one.value or one.known
    ]
    usual = forms.defaults_of(channel.config) | dict(preset.values if preset else {})
    asked = preset.asks if preset else ()
    return shell.page(
        request,
        "settings/inbox.html",
        around,
        status=422 if sheet.errors or sheet.problem else 200,
        channel=channel,
        sheet=sheet,
        checks=isinstance(channel, ChecksConnection),
        answers=isinstance(channel, Sends),
        signs=channel.signing_keys if isinstance(channel, Signs) else (),
        back=_back(house) if isinstance(channel, AsksConsent) else "",
        preset=preset,
        presets=_by_region(channel),
        imports=[one for one in imports if one.inbox_id == sheet.inbox_id],
        fields=drawn,
        layout=forms.layout(channel.config, drawn, usual, asked),
    )


def _by_region(channel: Channel) -> list[tuple[str, list[Preset]]]:
    known = channel.presets if isinstance(channel, OffersPresets) else ()
    return [(region, list(some)) for region, some in groupby(known, key=lambda one: one.region)]


def _preset(channel: Channel, sheet: Sheet) -> Preset | None:
    """The one that was asked for, or else that the settings look like."""
    known = channel.presets if isinstance(channel, OffersPresets) else ()
    asked = next((one for one in known if one.key == sheet.preset), None)
    return asked or (preset_for(known, sheet.values) if known else None)


def _hook(house: House, channel: Channel, token: str) -> str:
    if not isinstance(channel, Accepts):
        return ""
    return f"{house.settings.link_base}/hooks/{channel.kind}/{token}"


def _back(house: House) -> str:
    """Where a provider sends people when they granted access."""
    return f"{house.settings.link_base}/settings/inboxes/consent/back"


def _wanted(channel: Channel, name: str, config: BaseModel) -> NewInbox:
    return NewInbox(
        kind=channel.kind,
        name=name,
        config=config,
        address=str(getattr(config, "address", "")),
        language=str(getattr(config, "language", "")),
        writes_to=channel.writes_to if isinstance(channel, Sends) else "",
        tester=channel if isinstance(channel, SelfTests) else None,
    )


def _made(config: BaseModel, form: Mapping[str, str]) -> dict[str, str]:
    """Secrets that were made here because the field was left empty: shown once."""
    return {
        name: value.get_secret_value()
        for name, value in config
        if isinstance(value, SecretStr) and value.get_secret_value() and not form.get(name)
    }


@router.get("/new/{kind}")
def new(
    request: Request, kind: str, actor: CurrentActor, house: TheHouse, preset: str = ""
) -> HTMLResponse:
    channel = channel_of(kind)
    sheet = Sheet(preset=preset)
    chosen = _preset(channel, sheet)
    values = forms.defaults_of(channel.config) | dict(chosen.values if chosen else {})
    return _page(request, house, actor, channel, replace(sheet, values=values))


@router.post("/new/{kind}")
def create(
    request: Request, kind: str, actor: CurrentActor, house: TheHouse, form: Sent
) -> Response:
    channel, sheet = channel_of(kind), _new_sheet(form)
    name = sheet.name
    filled = forms.read(channel.config, form)
    if filled.model is None:
        return _refused(request, house, actor, channel, sheet, filled)
    try:
        with house.database.transaction() as session:
            inbox = inboxes.create(session, actor, house.keys, _wanted(channel, name, filled.model))
            inboxes.set_reopening(session, actor, inbox.id, sheet.reopening.value())
    except (Conflict, Invalid) as error:
        sheet = replace(sheet, values=filled.values, problem=error.message)
        return _page(request, house, actor, channel, sheet)
    made = _made(filled.model, form)
    if not made:
        return go("/settings", did="saved")
    sheet = Sheet(
        name=inbox.name,
        values=forms.values_of(filled.model),
        inbox_id=inbox.id,
        hook=_hook(house, channel, inbox.token),
        made=made,
        was=filled.model,
        reopening=sheet.reopening,
    )
    return _page(request, house, actor, channel, sheet)


def _new_sheet(form: Sent) -> Sheet:
    name, reopening = form.get("inbox_name", "")[:200], Reopening().typed(form)
    return Sheet(name, preset=form.get("preset", ""), reopening=reopening)


def _refused(
    request: Request, house: House, actor: Actor, channel: Channel, sheet: Sheet, filled: Filled
) -> HTMLResponse:
    shown = replace(
        sheet, values=filled.values, errors=filled.errors, problem=filled.errors.get("", "")
    )
    return _page(request, house, actor, channel, shown)


def _stored(house: House, actor: Actor, inbox_id: int) -> tuple[Channel, Sheet]:
    with house.database.reading() as session:
        inbox = access.inbox(session, actor, inbox_id)
    channel = channel_of(inbox.kind)
    config: BaseModel = inboxes.config_of(inbox, house.keys, channel.config)
    return channel, Sheet(
        name=inbox.name,
        values=forms.values_of(config),
        inbox_id=inbox.id,
        enabled=inbox.enabled,
        hook=_hook(house, channel, inbox.token),
        was=config,
        health=row_of(inbox),
        tested=inbox if isinstance(channel, SelfTests) else None,
        seen_test=inboxes.test_stamp(inbox),
        reopening=Reopening.of(inbox),
        published=channel.published(config) if isinstance(channel, Signs) else {},
        asks=isinstance(channel, AsksConsent)
        and channel.ask_consent(config, _back(house)) is not None,
    )


@router.post("/new/{kind}/try")
def try_new(
    request: Request, kind: str, actor: CurrentActor, house: TheHouse, form: Sent
) -> HTMLResponse:
    sheet = replace(_new_sheet(form), tried=True)
    return _tried(request, house, actor, channel_of(kind), sheet, form)


@router.post("/{inbox_id}/try")
def try_changed(
    request: Request, inbox_id: Id, actor: CurrentActor, house: TheHouse, form: Sent
) -> HTMLResponse:
    channel, stored = _stored(house, actor, inbox_id)
    sheet = replace(_typed(stored, form), name=form.get("inbox_name", "")[:200], tried=True)
    return _tried(request, house, actor, channel, sheet, form)


def _typed(stored: Sheet, form: Sent) -> Sheet:
    seen = form.get("seen_test", stored.seen_test)
    return replace(stored, seen_test=seen, reopening=stored.reopening.typed(form))


def _tried(
    request: Request, house: House, actor: Actor, channel: Channel, sheet: Sheet, form: Sent
) -> HTMLResponse:
    """The form as it was sent, nothing stored, and what its servers had to say."""
    require(actor, Permission.ADMIN)
    if not isinstance(channel, ChecksConnection):
        raise Conflict("This channel cannot test its connection.")
    filled = forms.read(channel.config, form, sheet.was)
    if filled.model is None:
        return _refused(request, house, actor, channel, sheet, filled)
    # This runs on a thread of its own; nothing of the database is held meanwhile.
    tried = asyncio.run(channel.check_connection(filled.model))
    shown = replace(sheet, values=filled.values, findings=tried.findings, folders=tried.folders)
    return _page(request, house, actor, channel, shown)


@router.get("/{inbox_id}")
def edit(request: Request, inbox_id: Id, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    channel, sheet = _stored(house, actor, inbox_id)
    return _page(request, house, actor, channel, sheet)


@router.post("/{inbox_id}")
def change(
    request: Request, inbox_id: Id, actor: CurrentActor, house: TheHouse, form: Sent
) -> Response:
    channel, stored = _stored(house, actor, inbox_id)
    stored = _typed(stored, form)
    name = form.get("inbox_name", "")[:200]
    filled = forms.read(channel.config, form, stored.was)
    if filled.model is None:
        return _refused(request, house, actor, channel, stored, filled)
    try:
        with house.database.transaction() as session:
            wanted = replace(_wanted(channel, name, filled.model), seen_test=stored.seen_test)
            inboxes.change(session, actor, house.keys, inbox_id, wanted)
            inboxes.set_reopening(session, actor, inbox_id, stored.reopening.value())
    except (Conflict, Invalid) as error:
        sheet = replace(stored, name=name, values=filled.values, problem=error.message)
        return _page(request, house, actor, channel, sheet)
    return go("/settings", did="saved")


@router.get("/{inbox_id}/consent")
def ask(request: Request, inbox_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    """To the provider. No form: a browser would not let it lead to somewhere else."""
    channel, stored = _stored(house, actor, inbox_id)
    consent = None
    if isinstance(channel, AsksConsent):
        consent = channel.ask_consent(stored.was, _back(house))
    if consent is None:
        raise Conflict(
            "There is no provider to ask for access: fill in the fields for OAuth first."
        )
    kept = house.keys.seal(json.dumps([inbox_id, consent.proof]), label=CONSENT)
    answer = RedirectResponse(consent.url, 303)
    answer.set_cookie(
        CONSENT,
        base64.urlsafe_b64encode(kept).decode("ascii"),
        max_age=CONSENT_SECONDS,
        path="/settings/inboxes/consent",
        httponly=True,
        secure=request.scope["scheme"] == "https",
        samesite="lax",
    )
    return answer


@router.get("/consent/back")
def granted(request: Request, actor: CurrentActor, house: TheHouse) -> Response:
    """From the provider. It changes something, but only with the proof this browser was given."""
    require(actor, Permission.ADMIN)
    inbox_id, proof = _asked(request, house)
    channel, stored = _stored(house, actor, inbox_id)
    if not isinstance(channel, AsksConsent):
        raise Conflict(NOT_ASKED)
    brought = dict(request.query_params)
    try:
        config = asyncio.run(channel.consented(stored.was, _back(house), proof, brought))
    except (Misconfigured, TryLater) as problem:
        return _page(request, house, actor, channel, replace(stored, problem=str(problem)))
    with house.database.transaction() as session:
        wanted = replace(_wanted(channel, stored.name, config), seen_test=stored.seen_test)
        inboxes.change(session, actor, house.keys, inbox_id, wanted)
    answer = go(f"/settings/inboxes/{inbox_id}", did="saved")
    answer.delete_cookie(CONSENT, path="/settings/inboxes/consent")
    return answer


def _asked(request: Request, house: House) -> tuple[int, str]:
    """For which inbox this browser was sent to the provider, and the proof of it."""
    try:
        kept = base64.urlsafe_b64decode(request.cookies.get(CONSENT, ""))
        inbox_id, proof = json.loads(house.keys.unseal(kept, label=CONSENT))
    except (ValueError, Invalid) as error:
        raise Conflict(NOT_ASKED) from error
    return int(inbox_id), str(proof)


@router.post("/{inbox_id}/enabled")
def set_enabled(
    inbox_id: Id,
    actor: CurrentActor,
    house: TheHouse,
    on: Annotated[str, Form(max_length=3)] = "",
) -> RedirectResponse:
    with house.database.transaction() as session:
        inboxes.set_enabled(session, actor, inbox_id, enabled=bool(on))
    return go("/settings", did="saved")


@router.post("/{inbox_id}/self-test")
def test_itself(inbox_id: Id, actor: CurrentActor, house: TheHouse) -> RedirectResponse:
    with house.database.transaction() as session:
        inbox = access.inbox(session, actor, inbox_id)
        if not isinstance(channel_of(inbox.kind), SelfTests):
            raise Conflict("This channel cannot test itself.")
        self_tests.start(session, actor, inbox_id)
    return go(f"/settings/inboxes/{inbox_id}#self-test")
