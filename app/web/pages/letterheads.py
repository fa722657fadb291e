"""What an inbox adds to its answers and says by itself: one form, all languages."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from app.core.errors import Invalid
from app.services import access, inboxes, letterheads, organisation
from app.services.access import Actor
from app.services.letterheads import AGENT, LIMIT, TICKET, Hours, Texts
from app.store.tables import Organisation
from app.web import routes, speech
from app.web.deps import CurrentActor, House, Id, TheHouse
from app.web.pages import shell
from app.web.pages.inbox import speak
from app.web.pages.shell import go

router = routes.pages("/settings/inboxes/{inbox_id}/texts")

SAMPLE = "#2k7w9x4m"  # the number of an inquiry, in previews

Words = Annotated[str, Form(max_length=LIMIT)]


@dataclass
class TextsForm:
    signature_ja: Words = ""
    receipt_ja: Words = ""
    closed_ja: Words = ""
    signature_de: Words = ""
    receipt_de: Words = ""
    closed_de: Words = ""
    signature_en: Words = ""
    receipt_en: Words = ""
    closed_en: Words = ""

    def texts(self) -> dict[str, Texts]:
        return {
            "ja": Texts(self.signature_ja, self.receipt_ja, self.closed_ja),
            "de": Texts(self.signature_de, self.receipt_de, self.closed_de),
            "en": Texts(self.signature_en, self.receipt_en, self.closed_en),
        }


@dataclass
class HoursForm:
    opens: Annotated[str, Form(pattern=r"^\d{2}:\d{2}$")] = "09:00"
    closes: Annotated[str, Form(pattern=r"^\d{2}:\d{2}$")] = "18:00"
    days: Annotated[tuple[str, ...], Form(max_length=7)] = ()
    undo_seconds: Annotated[int, Form(ge=0, le=30)] = 10

    def hours(self) -> Hours:
        return Hours("".join(self.days), _minutes(self.opens), _minutes(self.closes))


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form, stored or not."""

    texts: dict[str, Texts]
    hours: HoursForm


def _open(known: Organisation | None) -> HoursForm:
    if known is None:
        return HoursForm("", "")
    last = min(known.closes_minute, 24 * 60 - 1)
    return HoursForm(_clock(known.opens_minute), _clock(last), tuple(known.open_days))


def _preview(texts: Texts, name: str) -> Texts:
    """As a customer would see them."""
    return Texts(
        texts.signature.replace(AGENT, name),
        texts.receipt.replace(TICKET, SAMPLE),
        texts.receipt_closed.replace(TICKET, SAMPLE),
    )


def _minutes(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@router.get("")
def shown(request: Request, inbox_id: Id, actor: CurrentActor, house: TheHouse) -> HTMLResponse:
    return _page(request, house, actor, inbox_id)


@router.post("")
def save(
    request: Request,
    inbox_id: Id,
    actor: CurrentActor,
    house: TheHouse,
    texts: Annotated[TextsForm, Depends()],
    hours: Annotated[HoursForm, Depends()],
    preview: Annotated[str, Form(max_length=3)] = "",
) -> Response:
    typed = Typed(texts.texts(), hours)
    if preview:
        return _page(request, house, actor, inbox_id, typed)
    try:
        with house.database.transaction() as session:
            letterheads.write(session, actor, inbox_id, typed.texts, hours.hours())
            inboxes.set_undo(session, actor, inbox_id, hours.undo_seconds)
    except Invalid as error:
        return _page(request, house, actor, inbox_id, typed, error.message)
    return go(f"/settings/inboxes/{inbox_id}/texts", did="saved")


def _page(
    request: Request,
    house: House,
    actor: Actor,
    inbox_id: int,
    typed: Typed | None = None,
    problem: str = "",
) -> HTMLResponse:
    with house.database.reading() as session:
        around = shell.load(session, actor)
        inbox = access.inbox(session, actor, inbox_id)
        texts = typed.texts if typed else letterheads.of(session, actor, inbox_id)
        hours = typed.hours if typed else _open(organisation.current(session))
    speak(request, around)
    written = [code for code, found in texts.items() if found != Texts()]
    return shell.page(
        request,
        "settings/texts.html",
        around,
        status=422 if problem else 200,
        inbox=inbox,
        texts=texts,
        undo_seconds=typed.hours.undo_seconds if typed else inbox.undo_seconds,
        names={"ja": "日本語", "de": "Deutsch", "en": "English"},
        days=hours.days,
        opens=hours.opens,
        closes=hours.closes,
        open=written or [speech.language()],
        previews={code: _preview(found, actor.name) for code, found in texts.items()},
        asked=typed is not None and not problem,
        problem=problem,
    )
