"""Sentences that services and channels store in English; pages translate them when shown."""

import re

from app.web import speech

_VALUE = re.compile(r"[^\s@]+@[^\s@]*\w|\d+")


def stored(sentence: str) -> str:
    return sentence


def say_stored(sentence: str) -> str:
    """In the language of the page: whole, around a value in it, or what stands before a colon."""
    said = speech.say(sentence)
    if said != sentence:
        return said
    for value in _VALUE.finditer(sentence):
        pattern = f"{sentence[: value.start()]}%(value)s{sentence[value.end() :]}"
        said = speech.say(pattern)
        if said != pattern:
            return said % {"value": value[0]}
    head, colon, rest = sentence.partition(": ")
    return f"{say_stored(head)}{colon}{rest}" if colon else sentence


STORED = (
    stored("This is a sample inquiry."),
    stored("Only machines wrote on this ticket."),
    stored("No answer of a person has reached the customer."),
    stored("The customer does not want to be asked."),
    stored("Feedback requests are switched off."),
    stored(
        "Strict policy: the customer has not agreed, and the organisation has not stated "
        "that its notice mentions such requests."
    ),
    stored("There is no channel on which the customer can be asked."),
    stored("Another request to this customer is waiting."),
    stored("It waited in the outbox for more than 14 days."),
    stored("SETTEN_PUBLIC_URL is not set, so the customer could not open the link."),
    stored("It waits in the outbox."),
    stored("It could not be delivered."),
    stored("The ticket is not resolved any more."),
    stored("The ticket was answered again."),
    stored("The ticket was reopened."),
    stored("The ticket was marked as spam."),
    stored("This channel cannot test itself."),
    stored("The customer was asked less than %(value)s days ago."),
    stored("Another request to this customer is waiting."),
    stored("The customer wrote again before it was sent."),
    stored("The customer corrected the rating."),
    stored("This is a sample inquiry: nothing is sent."),
    stored("Not sent: no outgoing server is set up for %(value)s."),
    stored("This chat inbox has no callback address yet, so nothing was sent."),
    stored("This channel cannot send."),
    stored("It cannot be written"),
    stored("Given up after %(value)s days"),
    stored("Stopped by a person."),
    stored("Setten stopped while this was being handed over. It may have arrived."),
    stored("Setten stopped before anything was handed over."),
    stored("Setten failed while handing it over. It may have arrived."),
    stored("Setten failed before handing it over."),
    stored("It was being handed over when the backup was made."),
    stored("The channel did not say what became of it."),
    stored("Setten failed on it %(value)s times"),
    stored("This page was open for a long time. Press Send once more."),
)
