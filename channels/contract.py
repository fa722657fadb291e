"""What a channel is: everything the rest of Setten knows about email, chat or phones.

A channel is a folder here that exports `channel`. It turns bytes into messages and messages
into deliveries. It never sees the database, a ticket or an agent.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel

from channels.accounts import AsksConsent as AsksConsent
from channels.accounts import ChecksConnection as ChecksConnection
from channels.accounts import Consent as Consent
from channels.accounts import Finding as Finding
from channels.accounts import Published as Published
from channels.accounts import Renews as Renews
from channels.accounts import Signs as Signs
from channels.accounts import Tried as Tried
from channels.arriving import Identity as Identity
from channels.arriving import Mailbox as Mailbox
from channels.arriving import Raw as Raw
from channels.arriving import Recognises as Recognises
from channels.arriving import SentMailbox as SentMailbox
from channels.arriving import ServerId as ServerId
from channels.arriving import SettlesTogether as SettlesTogether
from channels.arriving import Warns as Warns
from channels.errors import BadSignature as BadSignature
from channels.errors import ChannelError as ChannelError
from channels.errors import Misconfigured as Misconfigured
from channels.errors import NotSettled as NotSettled
from channels.errors import SignInRefused as SignInRefused
from channels.errors import TryLater as TryLater
from channels.errors import Unreadable as Unreadable
from channels.errors import Withheld as Withheld
from channels.form import OTHER as OTHER
from channels.form import Fold as Fold
from channels.form import OffersPresets as OffersPresets
from channels.form import Preset as Preset
from channels.form import preset_for as preset_for
from channels.form import preset_of as preset_of
from channels.report import NOBODY_THERE as NOBODY_THERE
from channels.report import Failure as Failure
from channels.report import Report as Report
from channels.verdicts import FAIL as FAIL
from channels.verdicts import PASS as PASS
from channels.verdicts import Verdicts as Verdicts
from channels.verdicts import of_another as of_another


class Direction(StrEnum):
    INBOUND = "inbound"  # the customer to us
    OUTBOUND = "outbound"  # us to the customer, seen from outside (a call an agent made)


class RefKind(StrEnum):
    """How strongly a reference proves which conversation is meant."""

    ADDRESS_TOKEN = "address_token"  # noqa: S105 - a token of ours in the address it was sent to
    ID_TOKEN = "id_token"  # noqa: S105 - a token of ours inside a message id it answers
    MESSAGE_ID = "message_id"  # an id it answers, as it stands
    TAG_TOKEN = "tag_token"  # noqa: S105 - a token of ours in what was written, text or subject
    CONVERSATION = "conversation"  # the provider's own conversation, scoped to the inbox


@dataclass(frozen=True, slots=True)
class Ref:
    kind: RefKind
    value: str


@dataclass(frozen=True, slots=True)
class Party:
    """One way to reach somebody. `kind` is what may be compared: email, phone or a handle."""

    kind: str  # "email", "phone", or a name of the channel's own such as "chat"
    value: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class InboundFile:
    name: str
    content_type: str  # as declared; never trusted when served
    body: bytes
    content_id: str = ""  # what HTML calls it by; "" when HTML cannot
    inline: bool = False  # meant to be seen in the text, not beside it
    words: str = ""  # what it says, where that is to be searched


@dataclass(frozen=True, slots=True)
class Forward:
    """What its sender only passes on, as far as that can be told."""

    sender: Party | None = None  # who wrote it first
    sent_at: datetime | None = None
    subject: str = ""
    text: str = ""  # "" where it cannot be told from the rest


@dataclass(frozen=True, slots=True)
class InboundMessage:
    external_id: str
    sender: Party
    sent_at: datetime
    text: str  # what was written, whole
    other_id: str = ""  # what its provider calls a message of ours, where that is not our id
    subject: str = ""
    direction: Direction = Direction.INBOUND
    refs: tuple[Ref, ...] = ()  # strongest first; the first that matches wins
    to: tuple[Party, ...] = ()
    cc: tuple[Party, ...] = ()
    html: str = ""  # not sanitised
    reply_text: str = ""  # what is new in it; "" when the same as `text`; of a call, the notes
    quoted_text: str = ""
    signature: str = ""
    files: tuple[InboundFile, ...] = ()
    also_known_as: tuple[Party, ...] = ()  # other ways to reach them; the channel vouches for it
    reply_to: Party | None = None  # where they want the answer, if not at `sender`
    forward: Forward | None = None  # when they pass on what somebody else wrote
    unproved: bool = False  # somebody else says that they are the sender, as a web form does
    verdicts: Verdicts | None = None  # on the sender; None where nobody's word is taken for it
    conversation: str = ""  # the provider's conversation, when it has one
    automatic: bool = False  # file it, but never answer it and never ask for feedback
    machine: str = ""  # which kind of machine wrote it; "" for a person
    own_token: str = ""  # by which it says that we wrote it; to be believed only if it is ours
    otherwise: str = ""  # as `machine`, if it is not
    report: Report | None = None  # what a bounce says
    warnings: tuple[str, ...] = ()  # what could not be understood: a word, a colon, a sentence
    canonical: str = ""  # digest of what stays the same when a copy is delivered twice
    language: str = ""  # as declared by the sender, a hint only
    charset_suspect: bool = False
    is_call: bool = False  # said by voice, and written down by somebody
    seconds: int | None = None  # length of a call, where it is known
    logged_by: str = ""  # address of the agent who wrote it down

    @property
    def answered_ids(self) -> list[str]:
        """Ids of messages it answers, as they stand; the nearest first."""
        return [ref.value for ref in self.refs if ref.kind is RefKind.MESSAGE_ID]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood, and nothing to file; the reason is shown and counted."""

    reason: str


@dataclass(frozen=True, slots=True)
class OutboundFile:
    name: str
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message of ours, complete: rendering it twice gives the same bytes."""

    token: str  # in the message's id: proves which ticket an answer belongs to
    number: int  # ours, stable over every attempt
    sent_at: datetime
    sender_name: str
    to: tuple[Party, ...]
    text: str  # Markdown as the agent wrote it
    cc: tuple[Party, ...] = ()
    subject: str = ""
    language: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()  # oldest first
    conversation: str = ""
    files: tuple[OutboundFile, ...] = ()
    automatic: bool = False  # no person wrote it
    receipt: bool = False  # nor is it more than an answer to what has just come in
    unsubscribe_url: str = ""
    reply_token: str = ""  # the same in an address, where the channel has one for each ticket
    tag_token: str = ""  # the same in what people read


@dataclass(frozen=True, slots=True)
class Rendered:
    """The exact bytes every attempt sends, and the id the other side will quote."""

    external_id: str
    body: bytes


class Phase(StrEnum):
    """How far an attempt got. After AMBIGUOUS nobody but a person sends it again."""

    TALKING = "talking"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Sent:
    provider_id: str = ""
    other_ids: tuple[str, ...] = ()  # of the message, beside ours: answers may name these


@dataclass(frozen=True, slots=True)
class Later:
    """Nothing was taken; try again, no sooner than `after` seconds."""

    words: str
    after: float = 0.0
    away: bool = False  # so would be any other message, whoever it is for


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side said no for good, in its own words."""

    words: str
    nobody_there: bool = False  # to any mail for this address, and not to this one only


@dataclass(frozen=True, slots=True)
class InDoubt:
    """It may have arrived and it may not: only a person sends it again."""

    words: str


@dataclass(frozen=True, slots=True)
class Held:
    """Not sent, on purpose: the inbox has no way out yet. A person can release it."""

    words: str


@dataclass(frozen=True, slots=True)
class Paused:
    """Not this message's fault: nothing leaves by this inbox before a person corrects something.

    Nothing was taken.
    """

    words: str


Outcome = Sent | Later | Refused | InDoubt | Held | Paused

Progress = Callable[[Phase], Awaitable[None]]
"""Durable before it returns. A channel calls it with AMBIGUOUS before the point of no return."""


class Channel(Protocol):
    kind: str  # the folder's name
    label: Mapping[str, str]  # language → what an agent reads
    icon: str  # a lucide icon
    config: type[BaseModel]  # what one inbox of this kind must be told; secrets are SecretStr

    def parse(self, config: Any, raw: Raw) -> Sequence[InboundMessage | Ignored]:
        """Read one arrival. Pure: same bytes, same answer. Raises `Unreadable`."""


@runtime_checkable
class Accepts(Protocol):
    """Takes webhooks, at the one hook address of its inbox."""

    def accept(self, config: Any, headers: Mapping[str, str], body: bytes, now: datetime) -> Raw:
        """Check the signature over the raw bytes. Raises `BadSignature`."""


@runtime_checkable
class Pulls(Protocol):
    def pulls(self, config: Any) -> bool:
        """Whether this inbox has a server to fetch from."""

    def imports(self, config: Any) -> timedelta | None:
        """How far back the first look goes: nothing old (zero), some days, or all (None)."""

    def place(self, config: Any) -> str:
        """Where it fetches from. Who chooses another begins there as with a new inbox."""

    def open(self, config: Any) -> AbstractAsyncContextManager[Mailbox]:
        """Connect and sign in. Raises `TryLater` or `Misconfigured`."""


@dataclass(frozen=True, slots=True)
class Starter:
    """The inbox a fresh installation gets, so that everything can be tried without an account."""

    name: str
    address: str
    config: BaseModel


@runtime_checkable
class Starts(Protocol):
    def starter(self) -> Starter: ...


Take = Callable[[str, Raw], Awaitable[None]]
"""Store one arrival for a recipient, durably, before returning. Raises on any failure."""


@runtime_checkable
class Listens(Protocol):
    """Can receive on a local port, so that a newcomer needs no account anywhere."""

    def listen(
        self, host: str, port: int, knows: Callable[[str], bool], take: Take
    ) -> AbstractAsyncContextManager[int]:
        """Serve until the context ends; yields the port. `knows` says if an address is ours."""


@runtime_checkable
class Sends(Protocol):
    writes_to: str  # the kind of address it can write to, see `Party`

    def render(self, config: Any, message: OutboundMessage) -> Rendered:
        """Pure: the bytes are stored once and every attempt sends just these."""

    async def send(
        self, config: Any, rendered: Rendered, recipients: Sequence[str], progress: Progress
    ) -> Mapping[str, Outcome]:
        """One outcome per recipient. Calls `progress` before the point of no return."""


@runtime_checkable
class KnowsSent(Protocol):
    """Its provider has a folder of what was sent, whichever program sent it."""

    def keeps_copies(self, config: Any) -> bool:
        """Whether we are to put a copy there of what we send."""

    def watches_sent(self, config: Any) -> bool:
        """Whether answers are looked for there that were written in another program."""

    def account(self, config: Any) -> str:
        """Whose connections its provider counts together, whichever inboxes they are for."""

    def open_sent(self, config: Any) -> AbstractAsyncContextManager[SentMailbox]:
        """As `Pulls.open`. What is fetched from it is `sent`."""


@runtime_checkable
class Lingers(Protocol):
    """Can keep connections for the next message."""

    def linger(self) -> None:
        """From now on they are kept, until `hang_up`."""

    def hang_up(self) -> None:
        """Close those that nothing is under way on, from whatever thread."""


@runtime_checkable
class SelfTests(Protocol):
    """Can write to itself, to find out what its provider delivers before customers depend on it."""

    config: type[BaseModel]

    def probe(self, config: Any, token: str, sent_at: datetime) -> tuple[Rendered, str]:
        """The message to itself and its recipient. Raises `ValueError` where none can be written.

        When it arrives, `parse` gives the token as an ADDRESS_TOKEN.
        """

    def confirmed(self, config: Any) -> BaseModel:
        """The configuration with what a probe that arrived has proved."""

    def unproved(self, config: Any, was: Any | None) -> BaseModel:
        """`config` without what no probe has proved; `was` is what it was until now, if ever."""


@runtime_checkable
class TakesEntries(Protocol):
    """A person can type an arrival in by hand: `entry` is the form."""

    entry: type[BaseModel]

    def write_down(self, entry: Any, now: datetime, agent: str) -> Raw:
        """The entry as an arrival that `parse` reads back; `agent` is who wrote it down."""


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int  # as a person counts, the heading is line 1
    words: str


LARGEST_FILE = 25 * 1024 * 1024  # bytes; pages and the command line refuse more as well


@runtime_checkable
class Imports(Protocol):
    """Reads a file of many arrivals, such as a call log exported by an exchange."""

    def read_file(self, config: Any, body: bytes) -> Sequence[Raw | BadRow]:
        """One `Raw` a row. Pure; reading the same file twice gives the same ids."""
