"""The words mail programs put above a quotation, in the languages customers write in."""

import re

# Every pattern looks at one line of bounded length. A line must look like the work of a program,
# not like a sentence: "From: what I understand …" starts no quotation.
ADDRESS = re.compile(
    r"<\s?(?:mailto:)?[^<>\s@]{1,120}@[^<>\s]{1,120}\s?>|\(<?[^()<>\s@]{1,80}@"
    r"|\s[a-z0-9._+-]{1,60}@[a-z0-9-]{1,60}\.[a-z]{2,10}\s",
    re.IGNORECASE,
)
TIME = re.compile(r"\d\s?[:：時h]\s?\d\d|\bkl(?:o|\.)?\s?\d{1,2}[.:]\d\d")
DATE = re.compile(
    r"\d{4}\s?[년年/.-]|[/.\s](?:19|20)\d\d\b|\d{1,2}[./]\d{1,2}[./]\d\d|\d\s?月\s?\d"
)
_SAID = (
    r"\b(?:wrote|writes|schrieb(?:en)?|schreibt|(?:a|à) écrit|escribió|ha scritto|schreef"
    r"|escreveu|geschreven|geschrieben|skrev|napisał(?:\(a\)|a)?|napsal(?:\(a\)|a)?|написала?"
    r"|пишет|пише|kirjoitti|yazd\u0131|ezt írta|đã viết|menulis)(?!\w)"
    r"|写道|寫道|(?:書|か)きました|님이 작성"
)
VERB = re.compile(_SAID + r"|書いた|のメール|さんより|さんから", re.IGNORECASE)
ENDS_SAYING = re.compile(
    rf"(?:{_SAID}|のメール|(?:から)?のメッセージ)(?: het volgende| Folgendes)?\s?[:：]$",
    re.IGNORECASE,
)
SAYS_WHEN = re.compile(
    r"^(?:Am\b.{4,260}\bschrieb(?:en)?\b|.{2,160}\b(?:schrieb\s(?:am|um)|wrote\s(?:on|at)"
    r"|escreveu no|a écrit le|ha scritto il|escribió el|schreef op)\b.{0,40}\d)"
)
OPENER = re.compile(
    r"^[(*-]{0,4}\s?(?:(?:On|At|Am|Le|El|Il|Op|Em|Den|Dnia|W dniu|Dne|Vào|Pada)\b\D{0,40}\d"
    r"|[在於于]\s?\d|\d{4}\s?[년年/.-]\s?\d{1,2}\s?[월月/.-]\s?\d|\d{4}\.\s\w{2,12}\.?\s\d"
    r"|\d{1,2}[./]\s?(?:\d{1,2}[./]|[^\W\d_]{3,12})\s?\d\d|\d{1,2}\s[^\W\d_]{3,10}\.?\s\d{4}"
    r"|[^\W\d_]{2,10}[.,]{1,2}\s\D{0,12}\d|[^\W\d_]{1,3}-?\s?\d{1,2}[.\s])",
    re.IGNORECASE,
)
# "On Thursday, 19 November 2026, Ann wrote:": no hour, but a comma behind the year.
YEAR_COMMA = re.compile(r"\b(?:19|20)\d\d,\s")
VIA = re.compile(r"^[^:：]{1,60}\svia\s[^:：]{1,80}\s(?:wrote|schrieb)\s?[:：]$")
OURSELVES = re.compile(
    r"\b(?:I|we)\s(?:\w{1,12}\s)?wrote\b|\bschrieb(?:en)?\s(?:ich|wir)\b|\b(?:ich|wir)\b.{0,60}\bschrieb"
    r"|(?:私|当方|弊社|わたし|こちら)(?:は|が|から)|\b(?:j'ai|nous avons)\sécrit"
    r"|\b(?:wrote|schrieb(?:en)?)\s(?:to\s)?(?:me|us|mir|uns|Ihnen|(?:Sie|er|sie)\s(?:mir|uns))\b"
    r"|\b(?:your|my|our|the|Ihre?|meine?|unsere?|der|die)\s\w{2,20}\s(?:wrote|schrieb)\b",
    re.IGNORECASE,
)
# "2026-11-19 14:07 GMT+01:00 Ann <ann@example.org>", as an old program of Google's had it.
DATED_SENDER = re.compile(
    r"^\d{4}[-/]\d{1,2}[-/]\d{1,2}\s(?:\d{1,2}:\d\d\s)?(?:GMT[+-]\d\d:\d\d\s)?[^<>@:]{1,80}"
    r"<[^<>\s@]{1,80}@[^<>\s@]{1,80}>$"
)
SAN_WROTE = re.compile(r"^[^。、:：]{1,60}さんは書きました\s?[:：]$")

_LINE_OF = r"[-_=*~—–－―━─]{2,40}"
RULE = re.compile(
    rf"^{_LINE_OF}\s{{0,4}}(?:Original Message|Original-?\s?Nachricht|Originalnachricht"
    r"|Ursprüngliche (?:Nachricht|Mail|E-Mail)|Ursprünglicher Termin"
    r"|Weitergeleitete (?:Nachricht|E-Mail|Mail)|Forwarded (?:message|mail)|Forwarded by .{1,120}"
    r"|Weitergeleitet von .{1,120}|Original Appointment|Reply message|Message d'origine"
    r"|Message original|Message transféré|Mensaje original|Messaggio originale|Mensagem original"
    r"|Oorspronkelijk bericht|Ursprungligt meddelande|Oprindelig meddelelse|Wiadomość oryginalna"
    r"|Исходное сообщение|Пересылаемое сообщение|原始邮件|원본 메시지|元のメッセージ|元のメール"
    r"|元メッセージ|転送されたメッセージ|転送メッセージ|転送されたメール|転送メール|返信元メッセージ"
    rf"|オリジナルメッセージ|Original\s?メッセージ|Original(?=\s-))\s{{0,4}}{_LINE_OF}$"
    r"|^-{2,6}\s?(?:On|Am)\s.{10,240}\s(?:wrote|schrieb)\s-{2,6}$",
    re.IGNORECASE,
)
BEGINS = re.compile(
    r"^(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)"
    r"|Beginn der weitergeleiteten Nachricht|Début du message (?:réexpédié|transféré)"
    r"|Inicio del mensaje reenviado|Inizio messaggio inoltrato|Begin doorgestuurd bericht"
    r"|転送されたメッセージ|元のメッセージ)\s?[:：]$",
    re.IGNORECASE,
)
PASSED_ON = re.compile(
    r"forwarded|weitergeleitet|transféré|réexpédié|reenviado|inoltrato|doorgestuurd|пересыла|転送",
    re.IGNORECASE,
)
# What help desks ask for: everything below is their own mail.
ABOVE_THIS = re.compile(
    r"^[-#=_*~\s]{2,20}.{0,30}(?:reply above this line|reply ABOVE this line"
    r"|oberhalb dieser Zeile.{0,20}antworten|über dieser Zeile.{0,20}antworten"
    r"|この行より上に.{0,20}返信.{0,20})[-#=_*~\s.。]{0,40}$",
    re.IGNORECASE,
)
LONGEST_NAME = 24  # with the blanks some programs put behind it
RULER = re.compile(r"^([-_=*~─━—–－])\1{4,199}$")

_SENDER = (
    *("From", "Von", "De", "Da", "Van", "Od", "Från", "Fra", "От", "发件人", "寄件者"),
    *("보낸 사람", "差出人", "送信者", "送信元"),
)
_EXACTLY = (  # names that only a program gives to the hour a mail was sent
    *("Sent", "Gesendet am", "Gesendet", "Envoyé", "Enviado el", "Enviado", "Enviada em"),
    *("Inviato", "Verzonden", "Wysłano", "Skickat", "Sendt", "Отправлено", "发送时间"),
    *("寄件日期", "보낸 날짜", "送信日時"),
)
_WHEN = (
    *_EXACTLY,
    *("Date", "Datum", "Data", "Fecha", "Dato", "Дата", "日期", "送信日", "日時", "日付"),
    "受信日時",
)
_MATTER = (
    *("Subject", "Betreff", "Objet", "Asunto", "Oggetto", "Onderwerp", "Assunto", "Temat"),
    *("Ämne", "Emne", "Тема", "主题", "主旨", "제목", "件名"),
)
_OTHER = (
    *("To", "Cc", "Bcc", "Reply-To", "Importance", "Attachments", "An", "Kopie"),
    *("Antwort an", "Priorität", "Wichtigkeit", "Anlagen", "À", "Para", "A", "Aan", "Do"),
    *("Till", "Til", "Кому", "收件人", "收件者", "抄送", "받는 사람", "宛先", "宛て先"),
    *("重要度", "添付ファイル"),
)
SENDER, WHEN, MATTER, EXACTLY = (
    frozenset(name.lower() for name in names) for names in (_SENDER, _WHEN, _MATTER, _EXACTLY)
)
NAMES = frozenset(name.lower() for name in (*_SENDER, *_WHEN, *_MATTER, *_OTHER))


def field(line: str) -> tuple[str, str] | None:
    """Name and value, if the line is one of those a program puts above a mail it answers."""
    start = line[:LONGEST_NAME].replace("\uff1a", ":")
    at = start.find(":")
    if at < 0:
        return None
    name = line[:at].strip("* \t\u3000").lower()
    return (name, line[at + 1 :]) if name in NAMES else None
