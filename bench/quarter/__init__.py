"""A quarter of three new organisations, simulated: how triage learns from what people correct."""
