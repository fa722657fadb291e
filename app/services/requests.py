"""The words of a feedback request, in the customer's language, free of advertising."""

from sqlmodel import Session, select

from app.core import clock
from app.domain.words import MessageKind
from app.store.tables import Inbox, Message, Organisation, Survey, Ticket

# Put in when the message is packed: no row and no screen of an agent ever holds the link.
LINK = "{{feedback link}}"
STOP_LINK = "{{stop link}}"

SUBJECTS = {
    "ja": "お問い合わせ対応についてお聞かせください",
    "de": "Wie zufrieden waren Sie mit unserer Antwort?",
    "en": "How did we do?",
}
TEXTS = {
    "ja": (
        "先日は{organisation}へお問い合わせいただき、ありがとうございました。\n\n"
        "「{subject}」への対応はいかがでしたか。下のページで1から5の数字をお選びください。"
        "1分ほどで終わります。\n\n{link}\n\n"
        "このお願いは今後の対応をよくするためだけのものです。"
        "今後お送りしないようにするには、こちらのページでお知らせください。\n\n{stop}\n"
    ),
    "de": (
        "Sie hatten sich an {organisation} gewandt, vielen Dank dafür.\n\n"
        "Wie zufrieden waren Sie mit der Bearbeitung von „{subject}“? Bitte wählen Sie auf "
        "der folgenden Seite eine Zahl von 1 bis 5. Das dauert etwa eine Minute.\n\n{link}\n\n"
        "Wir fragen nur, um unsere Antworten zu verbessern. Wenn Sie keine solchen Fragen mehr "
        "erhalten möchten, können Sie hier jederzeit widersprechen; dafür entstehen keine "
        "anderen Kosten als die der Übermittlung.\n\n{stop}\n"
    ),
    "en": (
        "You wrote to {organisation} recently; thank you for that.\n\n"
        "How satisfied were you with the way we handled “{subject}”? Choose a number from 1 "
        "to 5 on this page. It takes about a minute.\n\n{link}\n\n"
        "We ask only to answer better. If you would rather not be asked again, tell us "
        "here.\n\n{stop}\n"
    ),
}


def write(session: Session, ticket: Ticket, inbox: Inbox, survey: Survey) -> Message:
    """The request as a message on the ticket, with places in it where the links will go."""
    organisation = session.exec(select(Organisation.name)).first() or ""
    language = survey.language if survey.language in TEXTS else "en"
    now = clock.now()
    message = Message(
        ticket_id=ticket.id,
        inbox_id=inbox.id,
        kind=MessageKind.OUTBOUND,
        author=organisation,
        subject=SUBJECTS[language],
        text=TEXTS[language].format(
            organisation=organisation, subject=ticket.subject, link=LINK, stop=STOP_LINK
        ),
        language=language,
        sent_at=now,
        created_at=now,
        automatic=True,
        request=True,
    )
    session.add(message)
    session.flush()
    return message
