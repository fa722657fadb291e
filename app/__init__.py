"""Setten: one inbox for every way customers reach a team."""

__version__ = "0.1.0"
