"""The closed sets of words that are stored: states, roles, kinds."""

from enum import StrEnum

LANGUAGES = ("ja", "de", "en")  # of screens, mails and surveys


class Status(StrEnum):
    OPEN = "open"  # waits for us
    WAITING = "waiting"  # waits for the customer
    SNOOZED = "snoozed"
    RESOLVED = "resolved"
    SPAM = "spam"
    DISMISSED = "dismissed"  # no inquiry: an application, an advertisement, a machine


NO_INQUIRY = (Status.SPAM, Status.DISMISSED)


class ArrivalState(StrEnum):
    WAITING = "waiting"
    FILED = "filed"
    COPY = "copy"
    IGNORED = "ignored"
    SET_ASIDE = "set_aside"
    DISCARDED = "discarded"
    REFUSED = "refused"


class SelfTest(StrEnum):
    """How the last try of an inbox to write to itself went."""

    NEVER = "never"
    RUNNING = "running"  # until its mail arrives; nothing else ends it
    PASSED = "passed"
    FAILED = "failed"


class MessageKind(StrEnum):
    INBOUND = "inbound"
    OUTBOUND = "outbound"
    NOTE = "note"
    CALL = "call"


class DeliveryState(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    HELD = "held"
    CANCELLED = "cancelled"


class Cause(StrEnum):
    """Who or what made a change."""

    PERSON = "person"
    RULE = "rule"
    MODEL = "model"
    SYSTEM = "system"


class Role(StrEnum):
    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"


class Head(StrEnum):
    """What is said of an inquiry, by the model and by people."""

    STAGE = "stage"
    TOPIC = "topic"
    URGENT = "urgent"
    COMPLAINT = "complaint"
    LANGUAGE = "language"


TAGS = (Head.STAGE, Head.TOPIC)  # of which every inquiry gets one
FLAGS = (Head.URGENT, Head.COMPLAINT)  # yes or no, and mostly no
YES, NO = "yes", "no"


class Decision(StrEnum):
    AUTO = "auto"
    SUGGEST = "suggest"
    ABSTAIN = "abstain"


class ModelState(StrEnum):
    """What a trained version of the model is used for."""

    CHAMPION = "champion"  # its answers are shown
    CHALLENGER = "challenger"  # good enough, and waits for a person
    SHADOW = "shadow"  # answers as well, and nobody acts on it
    RETIRED = "retired"
    REJECTED = "rejected"  # worse than the one before
    FAILED = "failed"  # there is no model, only the reason


class Promotion(StrEnum):
    """What becomes of a new version that is no worse."""

    AT_ONCE = "at_once"
    AFTER_A_DAY = "after_a_day"  # in which it answers silently
    BY_HAND = "by_hand"


class ProposalState(StrEnum):
    """What became of a group of inquiries that may be a topic."""

    OPEN = "open"
    MADE = "made"  # it is one now
    REFUSED = "refused"  # it is none


class Verdict(StrEnum):
    """What an agent said of a prediction."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    NO_INQUIRY = "no_inquiry"


class SurveyState(StrEnum):
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENT = "sent"
    ANSWERED = "answered"
    EXPIRED = "expired"
    REVOKED = "revoked"
    SUPPRESSED = "suppressed"
    HELD = "held"


class FollowUpState(StrEnum):
    OPEN = "open"
    CONTACTED = "contacted"
    RESOLVED = "resolved"
    DECLINED = "declined"
    UNREACHABLE = "unreachable"


ANCHORS = ("A", "B", "C", "D", "E", "F", "G", "H", "L")
"""The canonical stages: what is stored and learned, whatever a screen calls them."""
