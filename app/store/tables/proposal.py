"""Topics nobody has thought of: the last look for them, and the groups it found."""

from datetime import datetime

from sqlalchemy import JSON
from sqlmodel import Field

from app.domain.words import ProposalState
from app.store.row import Row
from app.store.types import maybe_link, maybe_moment, moment, primary_key, word


class TopicSearch(Row, table=True):
    """The last look; one row."""

    __tablename__ = "topic_search"

    id: int = primary_key()
    asked_at: datetime | None = maybe_moment()
    looked_at: datetime | None = maybe_moment()
    texts: int = 0  # inquiries without a topic there were
    largest: int = 0  # how many of them the largest group had


class TopicProposal(Row, table=True):
    """Inquiries without a topic that mean the same, and what people made of them."""

    __tablename__ = "topic_proposal"

    id: int = primary_key()
    state: ProposalState = Field(default=ProposalState.OPEN, sa_type=word(ProposalState))
    found_at: datetime = moment()
    names: dict[str, str] = Field(default_factory=dict, sa_type=JSON)  # by language
    refs: list[str] = Field(sa_type=JSON)  # of the tickets, the most typical first
    typical: list[str] = Field(sa_type=JSON)
    customers: int
    topic_id: int | None = maybe_link("topic", index=False)  # that was made of it
    act: str = ""  # under which the topic was given to the tickets
    decided_by: int | None = maybe_link("agent", index=False)
    decided_at: datetime | None = maybe_moment()
