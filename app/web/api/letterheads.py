"""What an inbox adds to its answers and says by itself, and for how long one can be taken back."""

from typing import Annotated, Self

from pydantic import BaseModel, Field
from sqlmodel import Session

from app.services import access, inboxes, letterheads
from app.services.access import Actor
from app.services.letterheads import LIMIT, Texts
from app.store.tables import Inbox
from app.web import routes
from app.web.api.fields import Input, Text
from app.web.deps import CurrentActor, Db, Id

router = routes.api("inboxes", "/inboxes/{inbox}/texts")


class TextsOf(Input):
    """In one language; empty for none. `{agent}` and `{ticket}` stand for what they say."""

    signature: Annotated[Text, Field(max_length=LIMIT)] = ""
    receipt: Annotated[Text, Field(max_length=LIMIT)] = ""
    receipt_closed: Annotated[Text, Field(max_length=LIMIT)] = ""


class TextsIn(Input):
    """What is left out becomes empty; languages are ja, de and en."""

    undo_seconds: int = Field(10, ge=0, le=30)
    texts: dict[str, TextsOf] = Field(default_factory=dict, max_length=10)


class TextsOut(BaseModel):
    undo_seconds: int
    texts: dict[str, TextsOf]

    @classmethod
    def of(cls, session: Session, actor: Actor, inbox: Inbox) -> Self:
        known = letterheads.of(session, actor, inbox.id)
        return cls(
            undo_seconds=inbox.undo_seconds,
            texts={
                language: TextsOf(
                    signature=one.signature, receipt=one.receipt, receipt_closed=one.receipt_closed
                )
                for language, one in known.items()
            },
        )


@router.get("")
def shown(inbox: Id, actor: CurrentActor, db: Db) -> TextsOut:
    """Signatures and first answers in every language."""
    with db.reading() as session:
        return TextsOut.of(session, actor, access.inbox(session, actor, inbox))


@router.put("")
def write(inbox: Id, body: TextsIn, actor: CurrentActor, db: Db) -> TextsOut:
    """Replace all of them at once."""
    given = {
        language: Texts(one.signature, one.receipt, one.receipt_closed)
        for language, one in body.texts.items()
    }
    with db.transaction() as session:
        known = letterheads.of(session, actor, inbox)
        empty = dict.fromkeys(known, Texts())
        letterheads.write_texts(session, actor, inbox, empty | given)
        inboxes.set_undo(session, actor, inbox, body.undo_seconds)
        return TextsOut.of(session, actor, access.inbox(session, actor, inbox))
