"""Topics: what the organisation sorts its inquiries by."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from app.services import topics
from app.services.access import Permission, require
from app.web import routes
from app.web.api.fields import Input, Line
from app.web.deps import CurrentActor, Db

router = routes.api("topics", "/topics")


class TopicOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    key: str
    labels: Mapping[str, str]


class Counted(TopicOut):
    tickets: int


class Names(Input):
    """What it is called; a language without a name borrows one of the others."""

    labels: dict[str, Line] = Field(max_length=3, examples=[{"en": "Spare parts"}])


class Into(Input):
    into: Line


@router.get("")
def listed(actor: CurrentActor, db: Db) -> list[Counted]:
    """Those in use. Only these are ever predicted."""
    require(actor, Permission.READ)
    with db.reading() as session:
        found = topics.listed(session)
    return [Counted.model_validate(one) for one in found]


@router.get("/out-of-use")
def out_of_use(actor: CurrentActor, db: Db) -> list[Counted]:
    """Those that can be used again."""
    require(actor, Permission.READ)
    with db.reading() as session:
        found = topics.out_of_use(session)
    return [Counted.model_validate(one) for one in found]


@router.post("", status_code=201)
def add(body: Names, actor: CurrentActor, db: Db) -> TopicOut:
    with db.transaction() as session:
        made = topics.add(session, actor, body.labels)
    return TopicOut.model_validate(made)


@router.put("/{key}")
def rename(key: str, body: Names, actor: CurrentActor, db: Db) -> TopicOut:
    """Tickets and what was learned keep meaning it."""
    with db.transaction() as session:
        found = topics.rename(session, actor, key, body.labels)
    return TopicOut.model_validate(found)


@router.post("/{key}/merge")
def merge(key: str, body: Into, actor: CurrentActor, db: Db) -> TopicOut:
    """Make one of two. Tickets move, and what was learned of the one holds for the other."""
    with db.transaction() as session:
        found = topics.merge(session, actor, key, body.into)
    return TopicOut.model_validate(found)


@router.post("/{key}/put-out-of-use")
def put_out_of_use(key: str, actor: CurrentActor, db: Db) -> TopicOut:
    """Nobody chooses it and nothing is learned of it any more; its tickets keep it."""
    with db.transaction() as session:
        found = topics.put_out_of_use(session, actor, key)
    return TopicOut.model_validate(found)


@router.post("/{key}/use-again")
def use_again(key: str, actor: CurrentActor, db: Db) -> TopicOut:
    """As if it had never been out of use, with all that was said of it before."""
    with db.transaction() as session:
        found = topics.use_again(session, actor, key)
    return TopicOut.model_validate(found)
