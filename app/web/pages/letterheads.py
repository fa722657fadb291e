"""What an inbox adds to its answers and says by itself: one form, all languages."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from app.core.errors import Invalid
from app.services import access, letterheads, organisation
from app.services.access import Actor
from app.services.letterheads import LIMIT, Hours, Texts
from app.web import routes
from app.web.deps import CurrentActor, House, Id, TheHouse
from app.web.pages import shell
from app.web.pages.inbox import speak
from app.web.pages.shell import go

router = routes.pages("/settings/inboxes/{inbox_id}/texts")

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

    def hours(self) -> Hours:
        return Hours("".join(self.days), _minutes(self.opens), _minutes(self.closes))


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
) -> Response:
    try:
        with house.database.transaction() as session:
            letterheads.write(session, actor, inbox_id, texts.texts(), hours.hours())
    except Invalid as error:
        return _page(request, house, actor, inbox_id, texts.texts(), error.message)
    return go(f"/settings/inboxes/{inbox_id}/texts", did="saved")


def _page(
    request: Request,
    house: House,
    actor: Actor,
    inbox_id: int,
    typed: dict[str, Texts] | None = None,
    problem: str = "",
) -> HTMLResponse:
    with house.database.reading() as session:
        around = shell.load(session, actor)
        inbox = access.inbox(session, actor, inbox_id)
        texts = typed or letterheads.of(session, actor, inbox_id)
        known = organisation.current(session)
    speak(request, around)
    return shell.page(
        request,
        "settings/texts.html",
        around,
        status=422 if problem else 200,
        inbox=inbox,
        texts=texts,
        names={"ja": "日本語", "de": "Deutsch", "en": "English"},
        days=known.open_days if known else "",
        opens=_clock(known.opens_minute) if known else "",
        closes=_clock(min(known.closes_minute, 24 * 60 - 1)) if known else "",
        problem=problem,
    )
