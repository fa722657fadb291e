"""Which segment a customer falls into at the moment of a contact."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a customer when the contact happens."""

    tickets_before: int
    company: str = ""
    language: str = ""


def matches(rule: Mapping[str, object], facts: Facts) -> bool:
    """Whether every condition of `rule` holds; an empty rule always does.

    Conditions: `max_tickets_before`, `min_tickets_before` (counts), `company` (has one or not),
    `language` (a code). An unknown condition never matches, so that a rule made by a newer
    program does not put everybody into its segment.
    """
    for name, wanted in rule.items():
        match name, wanted:
            case "max_tickets_before", int():
                held = facts.tickets_before <= wanted
            case "min_tickets_before", int():
                held = facts.tickets_before >= wanted
            case "company", bool():
                held = bool(facts.company) == wanted
            case "language", str():
                held = facts.language == wanted
            case _:
                held = False
        if not held:
            return False
    return True


def first_match(rules: Sequence[tuple[int, Mapping[str, object]]], facts: Facts) -> int:
    """The id of the first rule that matches. The last rule is “others” and is empty."""
    return next(number for number, rule in rules if matches(rule, facts))
