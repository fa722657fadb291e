"""Finds every channel: each folder here, and what others ship as `setten.channels`."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points

import channels
from channels.contract import Channel


@cache
def all_channels() -> Mapping[str, Channel]:
    """Every channel by its kind, in alphabetical order. A kind found twice is an error."""
    found = [
        importlib.import_module(f"channels.{module.name}").channel
        for module in pkgutil.iter_modules(channels.__path__)
        if module.ispkg
    ]
    found += [entry.load() for entry in entry_points(group="setten.channels")]
    kinds = [channel.kind for channel in found]
    twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
    if twice:
        raise RuntimeError(f"two channels call themselves {', '.join(twice)}: remove one")
    return {channel.kind: channel for channel in sorted(found, key=lambda channel: channel.kind)}
