"""What an inquiry is: saying so from a ticket or from the list, and taking it back."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form
from fastapi.responses import RedirectResponse

from app.core.errors import Conflict
from app.domain.words import Head
from app.services import verdicts
from app.services.queries import ticket, vocabulary
from app.web import routes
from app.web.deps import CurrentActor, Db
from app.web.pages import listing
from app.web.pages.shell import go, onward

router = routes.pages("/tickets/{ref}")

_SHOWN = 3  # guesses of each head


@dataclass
class Place:
    """Where the agent stands, and so where they go on."""

    view: listing.InForm = listing.OPEN
    place: Annotated[str, Form(pattern="^(list)?$")] = ""
    following: Annotated[str, Form(alias="next", pattern="^[0-9a-z]{0,20}$")] = ""

    def back(self, ref: str, did: str) -> RedirectResponse:
        path = "/inbox" if self.place else f"/tickets/{ref}"
        return go(path, view=self.view, did=did, on=ref)


From = Annotated[Place, Depends()]
Nth = Annotated[int, Form(ge=1, le=2 * _SHOWN)]


@dataclass
class TagForm:
    stage: Annotated[str, Form(max_length=40)] = ""
    topic: Annotated[str, Form(max_length=80)] = ""
    urgent: Annotated[str, Form(max_length=3)] = ""
    complaint: Annotated[str, Form(max_length=3)] = ""
    language: Annotated[str, Form(max_length=2)] = ""


@router.post("/tag")
def tag(
    ref: str, actor: CurrentActor, db: Db, form: Annotated[TagForm, Depends()], stands: From
) -> RedirectResponse:
    with db.transaction() as session:
        for head in Head:
            if label := getattr(form, head):
                verdicts.choose(session, actor, ref, head, label)
    return stands.back(ref, "language" if form.language else "tagged")


@router.post("/guess")
def guess(
    ref: str,
    actor: CurrentActor,
    db: Db,
    n: Nth,
    stands: From,
) -> RedirectResponse:
    """The n-th guess of the model: first those of the stage, behind them those of the topic."""
    head = Head.STAGE if n <= _SHOWN else Head.TOPIC
    with db.transaction() as session:
        found = ticket.view(session, actor, ref, vocabulary.current(session)).triage
        guesses = (found.stage if head is Head.STAGE else found.topic).guesses
        place = (n - 1) % _SHOWN
        if place >= len(guesses):
            raise Conflict("The model has no such guess.")
        verdicts.choose(session, actor, ref, head, guesses[place].label)
    return stands.back(ref, "tagged")


@router.post("/accept")
def accept(ref: str, actor: CurrentActor, db: Db, stands: From) -> RedirectResponse:
    with db.transaction() as session:
        verdicts.accept(session, actor, ref)
    return stands.back(ref, "tagged")


@router.post("/dismiss")
def dismiss(ref: str, actor: CurrentActor, db: Db, stands: From) -> RedirectResponse:
    with db.transaction() as session:
        verdicts.dismiss(session, actor, ref)
    if stands.place:
        return stands.back(ref, "dismissed")
    return onward(ref, stands.view, stands.following, "dismissed")


@router.post("/take-back-verdict")
def take_back(ref: str, actor: CurrentActor, db: Db, stands: From) -> RedirectResponse:
    with db.transaction() as session:
        verdicts.take_back(session, actor, ref)
    return stands.back(ref, "verdict_taken_back")
