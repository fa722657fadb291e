"""What every signed-in page needs before its own: organisation, badges, words, channels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlmodel import Session

from app.services.access import Actor
from app.services.queries import frame, vocabulary
from app.services.queries.frame import Frame
from app.services.queries.vocabulary import Vocabulary
from app.web import templating
from channels.contract import Channel
from channels.registry import all_channels


class NotSetUp(Exception):
    """There is no organisation yet: pages lead to the first page."""


@dataclass(frozen=True, slots=True)
class Shell:
    frame: Frame
    words: Vocabulary
    icons: Mapping[str, Channel]


def load(session: Session, actor: Actor) -> Shell:
    found = frame.view(session, actor)
    if found is None:
        raise NotSetUp
    return Shell(found, vocabulary.current(session), all_channels())


def page(
    request: Request, template: str, shell: Shell, /, *, status: int = 200, **context: Any
) -> HTMLResponse:
    return templating.render(
        request,
        template,
        frame=shell.frame,
        status=status,
        words=shell.words,
        icons=shell.icons,
        **context,
    )


def go(path: str, **query: str) -> RedirectResponse:
    """After a post: the page to look at next."""
    known = {name: value for name, value in query.items() if value}
    return RedirectResponse(f"{path}?{urlencode(known)}" if known else path, status_code=303)


def onward(ref: str, view: str, following: str, did: str) -> RedirectResponse:
    """To the next ticket of the view the agent works through, or back to the list."""
    path = f"/tickets/{following}" if following else "/inbox"
    return go(path, view=view, did=did, on=ref)
