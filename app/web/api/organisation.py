"""The organisation: its name and zone, and its rules for answering and asking."""

from pydantic import BaseModel, ConfigDict, Field

from app.core.errors import NotFound
from app.services import organisation
from app.services.access import Permission, require
from app.web import routes
from app.web.api.fields import Input, Line
from app.web.deps import CurrentActor, Db

router = routes.api("organisation", "/organisation")


class OrganisationOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    time_zone: str
    language: str
    ask_feedback: bool
    feedback_policy: str
    feedback_notice: bool
    feedback_delay_minutes: int
    feedback_cooling_days: int
    first_answer_minutes: int
    keep_raw_days: int | None


class RawSources(Input):
    """Days after a ticket was closed; null keeps them for ever."""

    keep_days: int | None = Field(ge=1, le=organisation.LONGEST)


class Rules(Input):
    """Minutes run by the clock on the wall; the cooling days are per customer."""

    ask_feedback: bool = True
    feedback_policy: Line = "de-strict"
    feedback_notice: bool = False
    feedback_delay_minutes: int = Field(24 * 60, ge=0, le=60 * 24 * 30)
    feedback_cooling_days: int = Field(30, ge=1, le=365)
    first_answer_minutes: int = Field(8 * 60, ge=1, le=60 * 24 * 30)


@router.get("")
def one(actor: CurrentActor, db: Db) -> OrganisationOut:
    require(actor, Permission.READ)
    with db.reading() as session:
        found = organisation.current(session)
    if found is None:
        raise NotFound("The organisation is not set up yet.")
    return OrganisationOut.model_validate(found)


@router.put("/rules")
def set_rules(body: Rules, actor: CurrentActor, db: Db) -> OrganisationOut:
    """Replace all rules at once."""
    with db.transaction() as session:
        found = organisation.set_rules(session, actor, organisation.Rules(**body.model_dump()))
    return OrganisationOut.model_validate(found)


@router.put("/raw-sources")
def keep_raw(body: RawSources, actor: CurrentActor, db: Db) -> OrganisationOut:
    """For how long raw sources are kept; what was deleted cannot be brought back."""
    with db.transaction() as session:
        found = organisation.keep_raw(session, actor, body.keep_days)
    return OrganisationOut.model_validate(found)
