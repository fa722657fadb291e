"""How the settings form of a channel is laid out: what is folded away, and what is known already.

A channel's `config` may have `folds`; a channel may offer `presets`. Neither has to.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

OTHER = "other"


@dataclass(frozen=True, slots=True)
class Fold:
    """Settings that few need to see, in the order they are shown.

    A fold opens by itself where one of them is wrong, is not as usual or is still to be filled in.
    """

    title: str
    words: str  # a sentence on whom it concerns
    names: tuple[str, ...]  # of settings that have a default


@dataclass(frozen=True, slots=True)
class Preset:
    """What is known of one provider, from its own pages."""

    key: str
    name: str
    region: str = ""  # the heading it stands under; "" for what is no provider
    values: Mapping[str, str] = field(default_factory=dict)  # of settings, as a form holds them
    asks: tuple[str, ...] = ()  # folded settings that only the person knows
    skips: tuple[str, ...] = ()  # settings in plain sight that are not needed here
    domains: tuple[str, ...] = ()  # addresses that are of this provider and no other
    words: str = ""  # what has to be done at the provider before this works
    source: str = ""  # the page that says so
    as_of: str = ""  # when that was read, as 2026-11-22
    tried: bool = False  # whether somebody had an account there and tried


@runtime_checkable
class OffersPresets(Protocol):
    """Knows what some providers want. The first preset, called OTHER, is for all the rest."""

    presets: Sequence[Preset]


def preset_for(presets: Sequence[Preset], values: Mapping[str, str]) -> Preset:
    """The one these settings were made from; the first where that cannot be told."""
    fits = [
        one
        for one in presets
        if one.values and all(values.get(name, "") == given for name, given in one.values.items())
    ]
    return max(fits, key=lambda one: len(one.values), default=presets[0])


def preset_of(presets: Sequence[Preset], address: str) -> Preset:
    """The one an address belongs to; the first where its domain tells nothing."""
    domain = f".{address.strip().rpartition('@')[2].lower()}"
    return next((one for one in presets if domain.endswith(_dotted(one.domains))), presets[0])


def _dotted(domains: Sequence[str]) -> tuple[str, ...]:
    return tuple(f".{one}" for one in domains)
