"""What an answer to a resolved ticket does, as the form of an inbox says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.core.errors import Invalid
from app.domain.lifecycle import LONGEST_REOPENING
from app.store.tables import Inbox

EVER, FOR_DAYS, NEVER = "ever", "days", "never"
USUAL = "14"  # days, offered to who chooses some


@dataclass(frozen=True, slots=True)
class Reopening:
    choice: str = EVER
    days: str = USUAL

    @classmethod
    def of(cls, inbox: Inbox) -> Self:
        if inbox.reopen_days is None:
            return cls()
        return cls(FOR_DAYS, str(inbox.reopen_days)) if inbox.reopen_days else cls(NEVER)

    def typed(self, form: Mapping[str, str]) -> Self:
        """As it stands in `form`, where it stands there."""
        choice = form.get("reopening", "")
        known = choice if choice in {EVER, FOR_DAYS, NEVER} else self.choice
        return type(self)(known, form.get("reopen_days", self.days)[:10])

    def value(self) -> int | None:
        """As an inbox keeps it. Raises `Invalid`."""
        if self.choice == EVER:
            return None
        if self.choice == NEVER:
            return 0
        if self.days.isdecimal() and 1 <= int(self.days) <= LONGEST_REOPENING:
            return int(self.days)
        raise Invalid(f"This must be between 1 and {LONGEST_REOPENING}.", field="reopen_days")
