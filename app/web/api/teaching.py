"""Labelling for programs: what to label next, several at once, and taking that back."""

from typing import Annotated

from fastapi import Response
from pydantic import BaseModel, Field, TypeAdapter

from app.services import teaching
from app.services.queries import teaching as query
from app.services.queries import vocabulary
from app.services.queries.teaching import Lessons
from app.services.teaching import MOST, Word
from app.web import routes
from app.web.api.fields import Input, Limit, Ref, as_json
from app.web.deps import CurrentActor, Db

router = routes.api("lessons", "/lessons")

_LESSONS = TypeAdapter(Lessons)


class LessonIn(Input):
    """Said of the first of `refs`; of the others, what no person has said of them yet, and that
    they are no inquiry only where no person has said anything.

    Without `stage`, `topic` and `no_inquiry`: what the model guesses of the first is right.
    """

    refs: Annotated[
        list[Annotated[str, Field(pattern="^[0-9a-z]{1,40}$")]],
        Field(min_length=1, max_length=MOST),
    ]
    stage: Annotated[str, Field(max_length=40)] = ""
    topic: Annotated[str, Field(max_length=80)] = ""
    no_inquiry: bool = False


class LessonOut(BaseModel):
    act: str  # takes it back
    refs: list[str]
    left: int = 0  # as they are: people had said what these are


@router.get("/next", response_model=Lessons)
def following(actor: CurrentActor, db: Db, limit: Limit = query.SHOWN) -> Response:
    """Inquiries nobody has labelled: seven of ten the least certain, two the least familiar, one
    drawn at random; `twins` are nearly the same as the one they stand with."""
    with db.reading() as session:
        found = query.view(session, actor, vocabulary.current(session), limit)
    return as_json(_LESSONS, found)


@router.post("", status_code=201)
def say(body: LessonIn, actor: CurrentActor, db: Db) -> LessonOut:
    """Label one inquiry or several that are nearly the same."""
    word = Word(body.stage, body.topic, body.no_inquiry)
    with db.transaction() as session:
        said = teaching.say(session, actor, body.refs, word)
        refs = [ticket.ref for ticket in said.tickets]
    return LessonOut(act=said.act, refs=refs, left=said.left)


@router.delete("/{act}")
def take_back(act: Ref, actor: CurrentActor, db: Db) -> LessonOut:
    """Undo what you said in one go, wherever nobody has spoken since."""
    with db.transaction() as session:
        found = teaching.take_back(session, actor, act)
        refs = [ticket.ref for ticket in found]
    return LessonOut(act=act, refs=refs)
