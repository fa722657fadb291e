"""What a channel can do about its account at a provider: try it, have it granted, renew it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from pydantic import BaseModel


@dataclass(frozen=True, slots=True)
class Finding:
    """One step of trying a connection: what it showed, and what to do where it failed."""

    about: str  # which direction or part, in English
    good: bool
    words: str


@dataclass(frozen=True, slots=True)
class Tried:
    findings: tuple[Finding, ...]  # in the order of the steps
    folders: tuple[str, ...] = ()  # what could be fetched from, where it got so far


@runtime_checkable
class ChecksConnection(Protocol):
    """Can try its servers before an inbox is saved."""

    async def check_connection(self, config: Any) -> Tried:
        """What each step showed. Raises nothing on purpose."""

    async def list_folders(self, config: Any) -> tuple[str, ...]:
        """What can be fetched from, as a person reads it. Raises as `Pulls.open`."""


@dataclass(frozen=True, slots=True)
class Consent:
    """Where a person grants access to an account, and what proves later that we had asked."""

    url: str
    proof: str  # secret; kept until the answer comes


@runtime_checkable
class AsksConsent(Protocol):
    """Can have access granted at the provider's own page."""

    def ask_consent(self, config: Any, redirect: str) -> Consent | None:
        """None where this inbox needs no such access. The answer comes to `redirect`."""

    async def consented(
        self, config: Any, redirect: str, proof: str, answer: Mapping[str, str]
    ) -> BaseModel:
        """The configuration with the access. Raises `TryLater` or `Misconfigured`."""


@runtime_checkable
class Renews(Protocol):
    """Signs in with a secret that its provider may replace by another while it is used."""

    def renewed(self, config: Any) -> BaseModel | None:
        """The configuration with the new secret, to be stored; None as long as it is the old."""


@dataclass(frozen=True, slots=True)
class Published:
    """What somebody has to publish for others to see, as a TXT record of DNS."""

    name: str
    value: str


@runtime_checkable
class Signs(Protocol):
    """Can sign what it sends, with keys whose other halves are published."""

    config: type[BaseModel]
    signing_keys: Sequence[str]  # the kinds of key it can have, one of each, the usual one first

    def with_new_key(self, config: Any, kind: str) -> BaseModel:
        """The configuration with a key just made. It signs only once a person says so."""

    def published(self, config: Any) -> Mapping[str, Published]:
        """What is to be published for each key that there is, by its kind."""
