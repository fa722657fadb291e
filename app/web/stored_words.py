"""Sentences that services and channels store in English; pages translate them when shown."""

import re
from functools import cache

from app.web import speech

_PLACE = re.compile(r"%\((\w+)\)s")


def stored(sentence: str) -> str:
    return sentence


def say_stored(sentence: str) -> str:
    """In the language of the page: whole, around what varies in it, or on both sides of a colon."""
    said = speech.say(sentence)
    if said != sentence:
        return said
    for pattern, known in _patterns():
        found = pattern.fullmatch(sentence)
        if found:
            return speech.say(known) % {
                name: say_stored(value) for name, value in found.groupdict().items()
            }
    head, colon, rest = sentence.partition(": ")
    return f"{say_stored(head)}{colon}{say_stored(rest)}" if colon else sentence


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(known), known) for known in STORED if _PLACE.search(known)]


def _pattern(known: str) -> re.Pattern[str]:
    """A host, a figure or an address is one word; a name and what others said may be many."""
    pieces = _PLACE.split(known)
    for at, piece in enumerate(pieces):
        one = ".+" if piece in {"words", "folder", "file"} else r"\S+"
        pieces[at] = f"(?P<{piece}>{one})" if at % 2 else re.escape(piece)
    return re.compile("".join(pieces), re.DOTALL)


STORED = (
    stored("This is a sample inquiry."),
    stored("The raw source was deleted on %(value)s."),
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
    stored("The ticket is no inquiry."),
    stored("This channel cannot test itself."),
    stored("The customer was asked less than %(value)s days ago."),
    stored("The customer wrote again before it was sent."),
    stored("The customer corrected the rating."),
    stored("This is a sample inquiry: nothing is sent."),
    stored("Not sent: no outgoing server is set up for %(value)s."),
    stored("This chat inbox has no callback address yet, so nothing was sent."),
    stored("This channel cannot send."),
    stored("It cannot be written"),
    stored("Given up after %(value)s days"),
    stored("Stopped by a person."),
    stored("A person says that it arrived."),
    stored("It arrived, for there is an answer to it."),
    stored("A notice says that it arrived."),
    stored("It arrived, for it lies among what was sent."),
    stored("A copy of what was sent from here."),
    stored("A conversation that began in a mail program."),
    stored("A machine wrote it."),
    stored("It went to nobody who takes part in the ticket it answers."),
    stored("On ticket %(value)s, as an answer of ours."),
    stored("%(host)s marks no folder as the one for sent mail: choose one in the settings."),
    stored("%(host)s takes no copy into the folder %(folder)s. It said: %(words)s"),
    stored("The folder %(folder)s is the one that is fetched: choose another."),
    stored("the Sent folder is on the incoming server: name that"),
    stored("this is the folder that is fetched: choose another"),
    stored("this provider puts a copy there by itself"),
    stored("It came back."),
    stored("Setten stopped while this was being handed over. It may have arrived."),
    stored("Setten stopped before anything was handed over."),
    stored("Setten failed while handing it over. It may have arrived."),
    stored("Setten failed before handing it over."),
    stored("It was being handed over when the backup was made."),
    stored("The channel did not say what became of it."),
    stored("Setten failed on it %(value)s times"),
    stored("This page was open for a long time. Press Send once more."),
    stored("It belonged to a sample inquiry, which was removed."),
    # what a person did wrong
    stored("A password needs at least %(value)s characters."),
    stored("A password has at most %(value)s characters."),
    stored("There is no agent with the address %(value)s."),
    stored("“%(words)s” is not a time zone."),
    stored("Another inbox already has the address %(value)s."),
    stored("This must be between %(low)s and %(high)s."),
    stored("The text is longer than %(value)s characters."),
    stored("A message goes to %(value)s recipients at most."),
    stored("This came from %(value)s, an address of ours: say whom the answer goes to."),
    stored("“%(words)s” is not one e-mail address."),
    stored("%(value)s is an address of ours: an answer there reaches nobody."),
    stored("There are %(value)s topics already; merge some first."),
    stored("A name has %(value)s characters at most."),
    stored("There is a topic called “%(words)s” already."),
    stored("“%(words)s” is not a stage."),
    stored("“%(words)s” is not a topic in use."),
    stored("“%(words)s” is neither yes nor no."),
    stored("“%(words)s” is not a language Setten writes in."),
    stored("The stored file %(value)s… is missing."),
    stored("Between 1 and %(value)s inquiries can be labelled at once."),
    # what became of a version of the model
    stored("It was deleted, for it had learned from inquiries that are to be forgotten."),
    stored(
        "It cannot be read any more, as after an upgrade. Until a new version is trained, "
        "the model of the samples answers."
    ),
    stored("Training took too long."),
    stored("There is not enough memory."),
    stored("It ended with %(value)s."),
    # why an arrival was set aside
    stored("It says that it is from an address of ours, and names nobody else to answer."),
    stored("only %(value)s is filed"),
    stored("neither text nor files"),
    stored("not a direction"),
    stored("This mail is empty: the server delivered no bytes."),
    stored("This is no mail: it has no header fields at all."),
    stored("larger than %(value)s MB"),
    stored("not UTF-8 at byte %(value)s"),
    stored("not JSON at line %(value)s, column %(column)s"),
    stored("not JSON anybody means: nested too deeply"),
    stored("not JSON anybody means: a number that is none"),
    stored("not a JSON object"),
    stored("%(words)s (and %(value)s more)"),
    stored("Field required"),
    stored("Input should be a valid string"),
    stored("the number %(value)s lost its digits in a spreadsheet"),
    stored(
        "no date tells whether the day or the month comes first: set the country of the inbox, "
        "or write dates as 2026-04-01"
    ),
    stored("larger than %(value)s MB: split the file"),
    stored("the file is empty"),
    stored("cannot be read as text"),
    stored("not JSON"),
    stored("not an object"),
    stored("no headings for the time of a call and its number; found: %(words)s"),
    stored("no date"),
    stored("not a date"),
    stored("not a duration"),
    stored("not in the calendar"),
    stored("neither UTF-8 nor Japanese (CP932) nor Western (cp1252) text"),
    # what a mail server or its connection is at fault for
    stored("No server is known by the name %(host)s. Is it spelled right?"),
    stored("%(host)s does not answer on port %(value)s."),
    stored("%(host)s cannot be reached on port %(value)s"),
    stored("%(host)s turned us away"),
    stored("%(host)s offers no STARTTLS on port %(value)s."),
    stored("%(host)s offers no STARTTLS on port %(value)s"),
    stored("%(host)s takes no password on this connection: choose TLS or STARTTLS."),
    stored("User name and password must be one line each."),
    stored("%(host)s lets nobody in at the moment"),
    stored(
        "%(host)s refused the user name or password of %(value)s. It said: %(words)s "
        "Many providers want an app password instead of the usual one."
    ),
    stored(
        "%(host)s refused the user name or password of %(value)s. It said: %(words)s "
        "Nothing is sent until this is corrected in the settings."
    ),
    stored("%(host)s has no folder %(folder)s that can be opened. It said: %(words)s"),
    stored(
        "%(host)s gives mails in %(folder)s no lasting numbers (UIDVALIDITY), "
        "so mails could be lost or fetched twice. This server cannot be used."
    ),
    stored("%(host)s lists mail %(value)s but does not hand it out."),
    stored("the connection broke"),
    stored("Connection refused"),
    stored("Connection reset by peer"),
    stored("Connection timed out"),
    stored("Network is unreachable"),
    stored("No route to host"),
    stored("no answer"),
    stored("The certificate file %(file)s cannot be read"),
    stored(
        "The certificate of %(host)s is not trusted: %(words)s. Check the server name; "
        "if the certificate is from your own authority, name its file in the settings."
    ),
    stored("%(host)s does not start with TLS on port %(value)s: choose STARTTLS or another port."),
    stored("No encrypted connection to %(host)s on port %(value)s"),
    stored(
        "%(host)s is another machine: choose TLS or STARTTLS, "
        "otherwise the password and every mail could be read on the way"
    ),
    stored("to move filed mails, name the folder they are moved to"),
    stored("filed mails cannot be moved to the folder they are fetched from"),
    stored("this must be an address that begins with https://"),
    stored("the server does not answer"),
    stored("%(host)s lets us change nothing in %(folder)s: filed mails stay as they are."),
    stored("%(host)s does not keep the mark “read” in %(folder)s: filed mails lack it."),
    stored("%(host)s takes no new keywords in %(folder)s: filed mails lack it."),
    stored(
        "%(host)s cannot delete single mails safely (it lacks UIDPLUS): filed mails stay in "
        "%(folder)s."
    ),
    stored(
        "%(host)s cannot move mails safely (it lacks MOVE and UIDPLUS): filed mails stay in "
        "%(folder)s."
    ),
    stored("%(host)s has no folder %(folder)s for filed mails: they stay in %(words)s."),
    stored("%(host)s refused %(value)s"),
    stored("%(host)s refused to mark or move a filed mail"),
    stored("%(host)s hands out only a part of mail %(value)s."),
    stored(
        "%(host)s cannot convert mail %(value)s and handed out a notice in its place. It can "
        "be read with Outlook or on the web."
    ),
    stored("%(value)s mails are not handed out. %(words)s"),
    stored("%(host)s does not take OAuth: sign in with a password instead."),
    stored(
        "%(host)s offers no sign-in on port %(value)s: choose another encryption, "
        "or leave user name and password for sending empty."
    ),
    stored(
        "To sign in with OAuth, the token address, the client id and the refresh token must "
        "be filled in."
    ),
    stored("%(host)s does not take the access token any more"),
    stored(
        "%(host)s does not let %(value)s in with the access that was granted. It said: "
        "%(words)s Grant access anew, and look whether IMAP is switched on for this account."
    ),
    stored("The token server %(host)s cannot be reached"),
    stored("The token server %(host)s gives no token at the moment"),
    stored(
        "%(host)s says that the access that was granted is not valid any more: %(words)s. "
        "Grant it anew and store the new refresh token."
    ),
    stored("%(host)s refuses the client id or its secret"),
    stored("%(host)s is a known name."),
    stored("%(host)s answers on port %(value)s."),
    stored("The connection to %(host)s is encrypted, and its certificate is good."),
    stored("The connection to %(host)s is not encrypted, and does not leave this machine."),
    stored("%(host)s lets %(value)s in."),
    stored("The folder %(folder)s can be opened. Mails in it: %(value)s."),
    stored("%(host)s can do what is wanted with filed mails."),
    stored("%(host)s takes mail from %(value)s."),
    stored("%(host)s takes no mail from %(value)s"),
    stored("No server is set up."),
    stored("The server stopped answering."),
    stored("Incoming mail"),
    stored("Outgoing mail"),
    stored("This answer belongs to no question of ours. Start again."),
    stored("%(host)s did not grant access"),
    stored("%(host)s granted no lasting access: it gave no refresh token."),
    stored("This browser did not ask for access, or too long ago. Start again."),
    # what became of a message on its way out
    stored("%(host)s lets us send nothing"),
    stored("The server stopped answering"),
    stored("This is no address that mail can be sent to."),
    stored(
        "%(host)s cannot send to an address with such letters before the @ (it lacks SMTPUTF8). "
        "Ask for another address."
    ),
    stored("this is no RSA key, and only those are understood everywhere"),
    stored("this is no Ed25519 key"),
    stored("this is neither an RSA nor an Ed25519 key"),
    stored("this private key cannot be read: was all of it copied?"),
    stored(
        "this is no private key without a password: it begins with -----BEGIN PRIVATE KEY----- "
        "or -----BEGIN RSA PRIVATE KEY-----"
    ),
    stored(
        "this key has %(value)s bits: nobody believes one below %(low)s, and %(high)s are usual"
    ),
    stored("a secret is %(value)s and then base64"),
    stored("a secret is %(value)s and then 24 to 64 bytes in base64"),
    stored("to sign, a key and its name are needed: save, and make one below"),
    stored("each key needs a name of its own"),
    stored("this may only have small letters, digits, hyphens, and dots between"),
    stored("The mail was handed over, but the server did not say whether it keeps it"),
    stored(
        "The callback address %(host)s leads to %(value)s, which is inside and not on the internet."
    ),
    stored("The callback answered %(value)s, and redirects are not followed."),
    stored("The callback answered %(value)s."),
    stored("The callback answered %(value)s"),
    stored("%(host)s took the message and did not answer in order: %(words)s."),
    stored("%(host)s cannot be reached: %(words)s."),
    stored("the name has no address"),
    # What a channel warned of, after the word that names it.
    stored("Only its beginning is here; the whole of it is still on the mail server."),
    stored("The text is very long; all of it is attached as a file."),
    stored("Another mail with the same id came before this one."),
    stored("This mail names several senders; it is not certain who wrote it."),
    stored("From names nobody; who wrote it is taken from another field."),
    stored("The mail server checked somebody else than the sender shown."),
    stored("What is in this winmail.dat could not be unpacked; it is here as it came."),
    stored("There are more or longer header fields than are read."),
    stored("It has too many parts, or parts too deep in parts; the whole is attached."),
    stored("Its parts could not be taken apart; the whole mail is attached."),
    stored("Only sender and subject could be told; the whole mail is attached."),
    stored("This mail is encrypted; what is in it cannot be read here."),
    stored("This mail is signed; nobody checked here whether that is genuine."),
)
