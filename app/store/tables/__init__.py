"""Tables, one file an aggregate; no relationships, no methods, no validation."""

from sqlmodel import SQLModel

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING

from app.store.tables.agent import (  # noqa: E402 - the naming convention comes first
    Agent,
    ApiKey,
    Attempt,
    Invitation,
    Login,
    Membership,
    Team,
)
from app.store.tables.change import Change  # noqa: E402
from app.store.tables.customer import Address, Customer, Segment  # noqa: E402
from app.store.tables.feedback import Answer, FollowUp, Survey  # noqa: E402
from app.store.tables.inbox import Arrival, DroppedFile, Folder, Inbox, LedgerRow  # noqa: E402
from app.store.tables.organisation import KeyMark, Lease, Organisation, Worker  # noqa: E402
from app.store.tables.outgoing import DraftFile, Letterhead, OtherId, Resting, SentCopy  # noqa: E402
from app.store.tables.proposal import TopicProposal, TopicSearch  # noqa: E402
from app.store.tables.ticket import (  # noqa: E402
    Attachment,
    Awaited,
    Complaint,
    Delivery,
    Draft,
    EarlyAnswer,
    FormerRef,
    Message,
    Participant,
    Seen,
    Ticket,
)
from app.store.tables.touchpoint import Touchpoint  # noqa: E402
from app.store.tables.triage import (  # noqa: E402
    Correction,
    Meaning,
    ModelFile,
    ModelVersion,
    Neighbour,
    PredictionRow,
    Stage,
    StageVocabulary,
    Surge,
    SurgeSeen,
    Topic,
)

metadata = SQLModel.metadata

__all__ = [
    "Address",
    "Agent",
    "Answer",
    "ApiKey",
    "Arrival",
    "Attachment",
    "Attempt",
    "Awaited",
    "Change",
    "Complaint",
    "Correction",
    "Customer",
    "Delivery",
    "Draft",
    "DraftFile",
    "DroppedFile",
    "EarlyAnswer",
    "Folder",
    "FollowUp",
    "FormerRef",
    "Inbox",
    "Invitation",
    "KeyMark",
    "Lease",
    "LedgerRow",
    "Letterhead",
    "Login",
    "Meaning",
    "Membership",
    "Message",
    "ModelFile",
    "ModelVersion",
    "Neighbour",
    "Organisation",
    "OtherId",
    "Participant",
    "PredictionRow",
    "Resting",
    "Seen",
    "Segment",
    "SentCopy",
    "Stage",
    "StageVocabulary",
    "Surge",
    "SurgeSeen",
    "Survey",
    "Team",
    "Ticket",
    "Topic",
    "TopicProposal",
    "TopicSearch",
    "Touchpoint",
    "Worker",
    "metadata",
]
