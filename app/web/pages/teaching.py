"""What to tell the model next: inquiries nobody has labelled, and one key for each."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.services import teaching, verdicts
from app.services.queries import teaching as query
from app.services.teaching import MOST, Word
from app.web import routes
from app.web.deps import CurrentActor, Db
from app.web.pages import shell
from app.web.pages.shell import go

router = routes.pages("/teach")

_REF = "^[0-9a-z]{0,20}$"


@dataclass
class Done:
    """What was done last, and of how many it was not said."""

    did: Annotated[str, Query(max_length=20)] = ""
    act: Annotated[str, Query(pattern=_REF)] = ""
    left: Annotated[int, Query(ge=0, le=MOST)] = 0


@router.get("")
def listed(
    request: Request,
    actor: CurrentActor,
    db: Db,
    done: Annotated[Done, Depends()],
    on: Annotated[str, Query(pattern=_REF)] = "",
    at: Annotated[int, Query(ge=0, le=query.SHOWN)] = 0,
) -> HTMLResponse:
    with db.reading() as session:
        around = shell.load(session, actor)
        found = query.view(session, actor, around.words)
    refs = [row.ref for row in found.rows]
    return shell.page(
        request,
        "work/teach.html",
        around,
        found=found,
        did=done.did,
        act=done.act,
        left=done.left,
        # Who works from the keyboard goes on with this row, or with what came in its place.
        on=on if on in refs else refs[min(at, len(refs) - 1)] if done.did and refs else "",
    )


@dataclass
class WordForm:
    """A button of a row, where the row stands, and which are nearly the same."""

    ref: Annotated[str, Form(pattern="^[0-9a-z]{1,20}$")]
    twins: Annotated[str, Form(pattern="^[0-9a-z ]{0,4200}$")] = ""
    at: Annotated[int, Form(ge=0, le=query.SHOWN)] = 0
    stage: Annotated[str, Form(max_length=40)] = ""
    topic: Annotated[str, Form(max_length=80)] = ""
    none: Annotated[str, Form(max_length=1)] = ""


@router.post("")
def say(actor: CurrentActor, db: Db, form: Annotated[WordForm, Depends()]) -> RedirectResponse:
    """Without a stage, a topic or `none`: the model is right."""
    word = Word(form.stage, form.topic, bool(form.none))
    with db.transaction() as session:
        said = teaching.say(session, actor, [form.ref, *form.twins.split()], word)
        unfinished = not form.none and verdicts.open_heads(said.tickets[0])
    did = "dismissed" if form.none else "tagged"
    on = form.ref if unfinished else ""
    at, left = str(form.at or ""), str(said.left or "")
    return go("/teach", did=did, act=said.act, on=on, at=at, left=left)


@router.post("/take-back")
def take_back(
    actor: CurrentActor, db: Db, act: Annotated[str, Form(pattern=_REF)]
) -> RedirectResponse:
    with db.transaction() as session:
        found = teaching.take_back(session, actor, act)
    return go("/teach", did="taken_back", on=found[0].ref)
