"""Says on the ticket that a mail was too large to be fetched and where the rest of it is."""

from dataclasses import replace

from app.services.filing import Understood
from app.store.tables import Arrival, Inbox

OVERSIZED = "oversized: Only its beginning is here; the whole of it is still on the mail server."

# As text, because whoever answers must see it wherever the message is shown.
_NOTES = {
    "en": "Only the beginning of this mail is here: it has {size:,} bytes. "
    "The whole of it, with its attachments, is still on the mail server.",
    "ja": "このメールは{size:,}バイトあるため、冒頭だけを取り込みました。"
    "添付ファイルを含む全体はメールサーバーに残っています。",
    "de": "Von dieser Mail ist nur der Anfang hier: Sie hat {size:,} Bytes. "
    "Mit ihren Anhängen liegt sie noch auf dem Mailserver.",
}


def noted(found: Understood, inbox: Inbox, arrival: Arrival) -> Understood:
    """The same message, with a note above what was written."""
    words = _NOTES.get(inbox.language) or _NOTES.get(found.language) or _NOTES["en"]
    note = f"[{words.format(size=arrival.oversized)}]"
    message = found.message
    return replace(
        found,
        message=replace(
            message,
            text=f"{note}\n\n{message.text}".rstrip(),
            reply_text=f"{note}\n\n{message.reply_text}" if message.reply_text else "",
            html="",  # it would be shown instead, without the note
            warnings=(*message.warnings, OVERSIZED),
        ),
    )
