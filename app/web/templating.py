"""Pages from templates: strict, escaped, in the reader's language, without a script in them."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from lucide import IconDoesNotExist
from lucide.jinja import lucide
from markupsafe import Markup

from app.core import clock
from app.domain import text
from app.services.queries.frame import Frame, House
from app.web import speech, stored_words
from app.web.origin import is_plain_http
from app.web.speech import Voice

# Beside the package in a checkout and in an installation alike.
TEMPLATES = Path(__file__).parents[2] / "templates"
STATIC = Path(__file__).parent / "static"

_LOGO = Markup(
    '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><path d="M2 19C8 19 12 16 12 12S8 5 2 5'
    'M22 19c-6 0-10-3-10-7s4-7 10-7"/><circle cx="12" cy="12" r="2.6" fill="currentColor" '
    'stroke="none"/></svg>'
)


@cache
def icon(name: str, look: str = "i") -> Markup:
    """A lucide icon as inline SVG; `i i-s` is the small one."""
    attributes = {"class": look, "aria-hidden": "true", "focusable": "false"}
    try:
        drawn = lucide(name, size=None, **attributes)
    except IconDoesNotExist:  # a channel of somebody else's may name one of a newer set
        drawn = lucide("inbox", size=None, **attributes)
    return Markup(drawn.replace("\n", ""))  # noqa: S704 - from the icon set, not from a person


@cache
def asset(name: str) -> str:
    """The address of a file in `static`; it changes with its content, so it is cached for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def label(labels: Mapping[str, str] | None) -> str:
    """The reader's word for something that is named in several languages."""
    if not labels:
        return ""
    return labels.get(speech.language()) or labels.get("en") or next(iter(labels.values()), "")


def markdown(value: str) -> Markup:
    return Markup(text.markdown(value))  # noqa: S704 - cleaned by `text.markdown`


def hue(name: str) -> str:
    """One of three quiet colours, always the same for the same name."""
    return ("", "b", "c")[sum(name.encode()) % 3]


def badge(count: int) -> str:
    return "99+" if count > 99 else str(count) if count else ""


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.loopcontrols"],
        auto_reload=False,
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=speech.say, ngettext=speech.say_many, newstyle=True
    )
    made.globals.update(
        icon=icon, logo=_LOGO, asset=asset, label=label, now=clock.now, languages=speech.LANGUAGES,
        page_language=speech.language,
    )  # fmt: skip
    made.filters.update(
        hour=speech.hour, day=speech.day, moment=speech.moment, full=speech.full,
        weekday=speech.weekday, span=speech.span, since=speech.since, number=speech.number,
        percent=speech.percent, size=speech.size, label=label, markdown=markdown, hue=hue,
        badge=badge, initials=text.initials, preview=text.preview, pieces=text.pieces,
        paragraphs=text.paragraphs, tongue=speech.tongue,
        iso=lambda value: value.isoformat(),
        # For sentences that are no literals: `_()` takes what it is given for safe HTML.
        translated=lambda value: stored_words.say_stored(value) if value else "",
    )  # fmt: skip
    return made


def voice(request: Request, house: House | None, wanted: str = "") -> Voice:
    actor = getattr(request.state, "actor", None)
    return speech.voice_for(
        request,
        wanted,
        actor.language if actor else "",
        house.language if house else "",
        time_zone=house.time_zone if house else "",
    )


def render(
    request: Request,
    template: str,
    /,
    *,
    frame: Frame | None = None,
    house: House | None = None,
    language: str = "",
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    """A page. `frame` is what stands around it, `house` all there is before anyone signs in."""
    house = frame.house if frame else house
    speech.speak(voice(request, house, language))
    actor = getattr(request.state, "actor", None)
    context.update(
        request=request,
        path=request.url.path,
        actor=actor,
        frame=frame,
        house=house,
        theme=actor.theme if actor else "",
        insecure=is_plain_http(request),
    )
    return HTMLResponse(environment().get_template(template).render(context), status)


def render_error(request: Request, status: int, message: str) -> HTMLResponse:
    """The page of an error. Asks the database for nothing: it may be what failed."""
    return render(
        request,
        "error/page.html",
        status=status,
        code=status,
        message=message,
        number=getattr(request.state, "request_id", ""),
    )
