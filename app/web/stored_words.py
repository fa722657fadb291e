"""Sentences that the services store as they are and pages translate when they show them.

Nothing imports this at run time: the catalogues are made from it.
"""


def stored(sentence: str) -> str:
    return sentence


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
    stored("This page was open for a long time. Press Send once more."),
)
