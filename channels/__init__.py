"""Channels: each folder here is one way customers reach us."""
