"""Turns the text of an inquiry into a guess: its stage of the customer's journey and its topic."""
