"""In which language a page speaks, and how it says times and figures."""

import io
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import dates, numbers
from babel.core import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from fastapi import Request

from app.core import clock

LANGUAGES = {"en": "English", "ja": "日本語", "de": "Deutsch"}
LOCALES = Path(__file__).parent / "locales"


@dataclass(frozen=True, slots=True)
class Voice:
    language: str = "en"
    zone: tzinfo = UTC


_ENGLISH = Voice()
_voice: ContextVar[Voice] = ContextVar("voice", default=_ENGLISH)


def speak(voice: Voice) -> None:
    """From here on this request's pages speak so."""
    _voice.set(voice)


def voice() -> Voice:
    return _voice.get()


def language() -> str:
    return _voice.get().language


def zone() -> tzinfo:
    return _voice.get().zone


def voice_for(request: Request, *wanted: str, time_zone: str = "") -> Voice:
    """The first of `wanted` we speak, else what the browser asks for, else English."""
    known = next((name for name in wanted if name in LANGUAGES), "")
    return Voice(known or _asked_for(request), ZoneInfo(time_zone) if time_zone else UTC)


def _asked_for(request: Request) -> str:
    asked = [
        part.split(";")[0].strip().split("-")[0]
        for part in request.headers.get("accept-language", "").split(",")[:8]
    ]
    return negotiate_locale([part for part in asked if part.isalpha()], list(LANGUAGES)) or "en"


@cache
def _catalogue(name: str) -> NullTranslations:
    # Read from the text catalogue itself: a compiled one beside it would go stale unseen.
    path = LOCALES / name / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def say(text: str) -> str:
    """`text` in the language of the page."""
    return _catalogue(language()).ugettext(text)


def say_many(one: str, many: str, n: int) -> str:
    return _catalogue(language()).ungettext(one, many, n)


@cache
def _locale(name: str) -> Locale:
    return Locale.parse("en_GB" if name == "en" else name)


def _here() -> Locale:
    return _locale(language())


def local(moment: datetime) -> datetime:
    return moment.astimezone(zone())


def hour(moment: datetime) -> str:
    return local(moment).strftime("%H:%M")


def day(moment: datetime) -> str:
    """today, yesterday, tomorrow, 3 Oct, 3 Oct 2024."""
    at, today = local(moment).date(), local(clock.now()).date()
    names = {0: say("today"), -1: say("yesterday"), 1: say("tomorrow")}
    if (at - today).days in names:
        return names[(at - today).days]
    skeleton = "MMMd" if at.year == today.year else "yMMMd"
    return dates.format_skeleton(skeleton, at, locale=_here())


def date_of(value: date) -> str:
    """A day of the calendar: 3 Oct."""
    return dates.format_skeleton("MMMd", value, locale=_here())


def tongue(code: str) -> str:
    """What a language is called in that of the page; its code when it has no name."""
    return _here().languages.get(code) or code or say("unknown")


def moment(value: datetime) -> str:
    """The hour for today, the day for any other."""
    today = local(value).date() == local(clock.now()).date()
    return hour(value) if today else day(value)


def full(value: datetime) -> str:
    """Day and hour."""
    return say("%(day)s, %(hour)s") % {"day": day(value), "hour": hour(value)}


def weekday(value: datetime) -> str:
    name = dates.format_datetime(local(value), "EEE", locale=_here())
    return f"{name} {hour(value)}"


def span(length: timedelta) -> str:
    """48 min, 2 h 04 min, 3 d."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 60:
        return say("%(minutes)d min") % {"minutes": minutes}
    if minutes < 24 * 60:
        return say("%(hours)d h %(minutes)02d min") % {
            "hours": minutes // 60,
            "minutes": minutes % 60,
        }
    return say("%(days)d d") % {"days": minutes // (24 * 60)}


def since(value: datetime) -> str:
    return span(clock.now() - value)


def number(value: float) -> str:
    return numbers.format_decimal(value, locale=_here())


def percent(share: float) -> str:
    """A share of one, in whole per cent; never 100 % for what is not quite certain."""
    rounded = min(round(share * 100), 99) if share < 1 else 100
    return _percent(rounded, language())


@cache  # a list says a hundred of them, and there are not many more
def _percent(rounded: int, language: str) -> str:
    return numbers.format_percent(rounded / 100, locale=language)


def size(octets: int) -> str:
    if octets < 1000:
        return say("%(n)d bytes") % {"n": octets}
    kilo = octets / 1000
    if kilo < 1000:
        return f"{numbers.format_decimal(round(kilo), locale=_here())} kB"
    return f"{numbers.format_decimal(round(kilo / 1000, 1), locale=_here())} MB"
