"""What lies on a server until somebody fetches it, and what came of it: bytes, not yet read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class ServerId:
    """What a server calls one item: unique in its scope, growing in it, never reused."""

    scope: str  # a mail folder, a slash; then its UIDVALIDITY, and of whose account
    number: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What an item is, whatever number its server gives it."""

    key: str  # "" when nothing is certain
    received_at: datetime | None = None  # the server's clock, where it tells one


@dataclass(frozen=True, slots=True)
class Raw:
    """One arrival exactly as it came, kept until it is understood."""

    external_id: str  # the same thing arriving again has the same id
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)  # lower-case names
    received_at: datetime | None = None  # the server's clock, where it tells one
    oversized: int = 0  # bytes on the server when `body` is only its beginning
    identity: str = ""  # see `Identity.key`
    sent: bool = False  # it lay among what was sent: somebody of ours wrote it


class Mailbox(Protocol):
    """One open connection to a server that keeps items until somebody fetches them."""

    @property
    def scope(self) -> str:
        """That of all that it lists; see `ServerId`."""

    async def list(self, after: ServerId | None) -> Sequence[ServerId]:
        """What is there now, oldest first; only what is newer than `after` when it is given."""

    async def fetch(self, item: ServerId) -> Raw | None:
        """Fetch without leaving a mark. None when the server no longer has it.

        Raises `Withheld` when it is there and cannot be had.
        """

    async def settle(self, item: ServerId, *, whole: bool = True) -> None:
        """Leave the configured mark. Called only after what was fetched is filed.

        Where only the beginning was fetched it is not `whole`, and must not be removed.

        May be called again for the same item. Raises `NotSettled`.
        """

    async def wait(self, seconds: float) -> None:
        """Return when something new may be there, or after `seconds`."""


class SentMailbox(Mailbox, Protocol):
    """The folder of what was sent, open for as long as it is watched or copies are put there."""

    async def keep_copy(self, external_id: str, body: bytes) -> None:
        """Put it there, unless it is there already. Raises `TryLater` or `Misconfigured`.

        Not while another act is under way, but somebody may `wait`.
        """

    def hurry(self) -> None:
        """Whoever waits comes back before long. From whatever thread."""


@runtime_checkable
class Recognises(Protocol):
    """A mailbox whose server may give all items other numbers, and that knows them again."""

    async def identities(self, items: Sequence[ServerId]) -> Mapping[ServerId, Identity]:
        """What each of some items is, without fetching it. Leaves out what is gone."""

    async def older(self, than: datetime) -> Sequence[ServerId]:
        """What came before that day, by the server's clock."""


@runtime_checkable
class SettlesTogether(Protocol):
    """A mailbox that can leave its mark on many items by one command."""

    async def settle_together(self, items: Sequence[ServerId]) -> bool:
        """The same as `settle` for each, of which all was fetched. False when it cannot be done for
        these together: some may have their mark then, and each has to be settled by itself."""


@runtime_checkable
class Warns(Protocol):
    """A mailbox that knows what its server cannot do of what was configured."""

    @property
    def warning(self) -> str:
        """For a person, "" when all is well. Mail is fetched all the same."""
