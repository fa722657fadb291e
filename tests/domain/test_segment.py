"""Which segment a customer falls into; and that a rule nobody understands takes nobody."""

import pytest

from app.domain.segment import Facts, first_match, matches
from app.store.seeds import SEGMENTS


@pytest.mark.parametrize(
    ("rule", "facts", "held"),
    [
        ({}, Facts(3), True),
        ({"max_tickets_before": 0}, Facts(0), True),
        ({"max_tickets_before": 0}, Facts(1), False),
        ({"min_tickets_before": 1}, Facts(0), False),
        ({"min_tickets_before": 1}, Facts(1), True),
        ({"company": True}, Facts(0, company="Kaneda"), True),
        ({"company": True}, Facts(0), False),
        ({"company": False}, Facts(0), True),
        ({"language": "de"}, Facts(0, language="de"), True),
        ({"language": "de"}, Facts(0, language="ja"), False),
        ({"language": "de", "company": True}, Facts(0, language="de"), False),
        ({"weather": "rain"}, Facts(0), False),
        ({"min_tickets_before": "many"}, Facts(9), False),
    ],
)
def test_a_rule_holds_when_all_of_it_does(
    rule: dict[str, object], facts: Facts, held: bool
) -> None:
    assert matches(rule, facts) is held


def test_the_first_that_fits_wins_and_the_last_takes_the_rest() -> None:
    rules = [(number, rule) for number, (_, rule, *_) in enumerate(SEGMENTS)]
    facts = [Facts(0, "Kaneda"), Facts(0), Facts(5)]

    assert [SEGMENTS[first_match(rules, one)][0] for one in facts] == [
        "business",
        "first_time",
        "returning",
    ]
