"""A phone number tells the zone only where its place has a single one."""

import pytest

from app.domain.zones import of_number


@pytest.mark.parametrize(
    ("number", "zone"),
    [
        ("+81312345678", "Asia/Tokyo"),
        ("+493012345678", "Europe/Berlin"),
        ("+18005550123", ""),  # toll-free: anywhere in North America
        ("+61412345678", ""),  # an Australian mobile
        ("0312345678", ""),
        ("nobody", ""),
    ],
)
def test_a_zone_only_where_it_is_certain(number: str, zone: str) -> None:
    assert of_number(number) == zone
