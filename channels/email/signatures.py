"""Where the signature below a text begins: what stands on a visiting card, not in a letter."""

import re
import unicodedata
from collections.abc import Sequence

MAX_LINES = 25  # of one signature; more is somebody's text
MAX_LINE = 400
_DELIMITERS = {"--", "—"}
MOST = 3  # one below the other: of a person, of a program, of a company

_DEVICE = (
    r"i(?:Phone|Pad|Pod|OS)|Mobiltelefon|Mobilger|Handy|Smartphone|Tablet|Galaxy|Samsung|Android|Huawei"
    r"|Xiaomi|Mailspring|Sparrow|Mailbox|Airmail"
    r"|Pixel|BlackBerry|Windows|Outlook|Yahoo|GMX|WEB\.DE|T-Online|freenet|Mail\b|Proton|Xperia"
    r"|mobile|phone|Spark|Sony|Nokia|Mac\b|telefon"
)
_FAREWELL = re.compile(
    rf"^[<(\[]{{0,2}}(?:(?-i:Sent from my )\S.{{0,80}}|(?-i:From my )(?:{_DEVICE}).{{0,20}}"
    rf"|(?:Sent|Get|Download)\b.{{0,40}}\b(?:from|via|with|using|for|Outlook)\b.{{0,40}}(?:{_DEVICE}).{{0,80}}"
    rf"|(?:Gesendet|Verschickt)\s(?:von|mit|über|aus)\b.{{0,40}}(?:{_DEVICE}).{{0,80}}"
    rf"|Von\b.{{1,60}}(?:{_DEVICE}).{{0,40}}\sgesendet\.?"
    rf"|(?:Diese Nachricht|Diese E-Mail) wurde von\b.{{0,60}}(?:{_DEVICE}).{{0,60}}\sgesendet\.?"
    r"|(?:Holen Sie sich |Laden Sie )?Outlook (?:für|for) (?:iOS|Android|Mac)\b.{0,80}"
    rf"|Envoyé (?:de|depuis|avec|à partir)\b.{{0,40}}(?:{_DEVICE}).{{0,80}}"
    rf"|(?:Enviado|Inviato|Verstuurd|Verzonden|Skickat|Sendt|Wysłane|Отправлено|Odesláno|Poslano)\b"
    rf".{{0,40}}(?:{_DEVICE}|Mail\.ru).{{0,40}}|(?:发自我的|寄自我的|從我的|从我的|나의)\s?(?:{_DEVICE}).{{0,20}}"
    rf"|Lähetetty (?:{_DEVICE}).{{0,20}}|(?:{_DEVICE}).{{0,12}} gönderildi"
    r"|(?:私の\s?|自分の\s?)?(?:docomo|au|SoftBank|Spark|iPhone|iPad|Android|Galaxy|Xperia|AQUOS|Pixel|ドコモ|スマートフォン|スマホ"
    r"|タブレット|携帯電話|携帯|Windows|Mac|Yahoo!?メール|Gmail|Outlook)[^。、]{0,30}?から送信"
    r"|(?:iOS|Android|Windows|Mac)\s?版?\s?(?:の\s?)?(?:Outlook|メール)(?:<[^<>\s]{1,200}>)?"
    r"\s?(?:を入手|から送信).{0,80}"
    r"|Outlook for (?:iOS|Android)(?:<[^<>\s]{1,200}>)?\s?を入手.{0,80})[>)\]]{0,2}$",
    re.IGNORECASE,
)
_LINK = re.compile(r"^<?https?://\S{1,300}>?$")
_CLOSING = re.compile(
    r"^(?:Mit (?:freundlichen|besten|herzlichen|lieben) Gr(?:ü|ue)(?:ß|ss)en.{0,30}|(?:Freundliche"
    r"|Viele|Beste|Liebe|Herzliche|Schöne) Gr(?:ü|ue)(?:ß|ss)e.{0,30}|(?:lg|vg|mfg|gruß)[,.!]?"
    r"|(?:Kind|Best|Warm|Many)? ?regards[,.!]?|(?:Yours )?(?:sincerely|faithfully|truly)[,.!]?"
    r"|Sincerely(?: yours)?[,.!]?|(?:Best|Cheers|Many thanks|Thanks|Thank you)(?: wishes)?[,.!]?"
    r"|Cordialement[,.!]?|.{0,40}(?:お願い(?:いた|致)?し(?:ます|上げます)|お願い申し上げます|敬具|以上)。?)$",
    re.IGNORECASE,
)
_RULER = re.compile(
    r"[-=*_~#+.·・◆◇■□●○◎★☆▼▽▲△∞∽〓━─—–―〜┏┓┗┛┳┻╋┌┐└┘╭╮╰╯|<>:;oO゜°。\s✦✧❖/,…‥]{4,200}"
)
_DRAWN = re.compile(r"[-=*_~#+:/…‥━─—–―〜◆◇■□★☆∞┏┗┌└╭╰〓・]")
# What a visiting card holds. Each kind counts once.
_CARD = (
    re.compile(
        r"(?:\b(?:tel|telefon|phone|fon|fax|mobil|mobile|cell|direct|durchwahl)\b|電話|携帯|内線|直通)"
        r"[^\d\n]{0,16}\d|^\(?\+?\d[\d ()/.-]{7,20}$",
        re.IGNORECASE,
    ),
    re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,100}\.[a-z]{2,10}\b", re.IGNORECASE),
    re.compile(r"https?://|\bwww\.", re.IGNORECASE),
    re.compile(r"〒\s?\d{3}|[都道府県].{1,12}[市区町村郡]"),
    re.compile(
        r"^(?:[A-Z]{1,2}-)?\d{5} [A-ZÄÖÜ]|(?:stra(?:ß|ss)e|str\.|weg|platz|allee|gasse) ?\d{1,4}"
        r"|\b\d{1,5} [A-Z][a-z]{1,20} (?:Street|St|Road|Rd|Avenue|Ave|Lane)\b"
    ),
    re.compile(
        r"(?:株式|有限|合同|合資)会社|\((?:株|有)\)"
        r"|\b(?:GmbH|AG|KG|OHG|e\.K\.|e\.V\.|UG|Inc|Ltd|LLC|Corp|S\.A\.)(?:\W|$)"
    ),
    re.compile(r"\b(?:HRB|HRA|Amtsgericht|Registergericht|Geschäftsführ|USt-?Id|VAT)"),
    re.compile(
        r"(?:部|課|係|室|支店|営業所|事業部)(?:\s|$)|\b(?:Abteilung|Leiter|Leiterin|Department"
        r"|Manager|Director|Engineer|Sales|Vertrieb|Assistant)\b"
    ),
)
_ANNOUNCES = re.compile(
    r"下記|以下|次の|住所|連絡先|送付先|届け先|宛先|電話番号|\b(?:address|follows|following|below"
    r"|phone number|anschrift|adresse|folgend|folgende|folgenden|unten)\b|[a-z]adresse\b|:$",
    re.IGNORECASE,
)
# What an inquiry says in lines as short as those of a card: this is no signature.
_MATTER = re.compile(
    r"\?$|注文|商品|品名|型番|数量|金額|お問い?合わ?せ(?:内容|番号)|内容[:：]|お名前|氏名|会員番号|お客様番号"
    r"|(?:ください|下さい|ました|ません|ますか|でしょうか|ですか)[。!]?$|件名"
    r"|\b(?:order|invoice|customer (?:no|number|id)|serial|quantity|item|tracking|error|subject)\b"
    r"|(?:bestell|auftrag|rechnung|kunden|vertrag|artikel|serien|sendung|liefer|menge)s?-?"
    r"(?:nr|nummer|adresse|datum)|\b(?:Menge|Artikel|Bestellung|Betreff)\b\s?:",
    re.IGNORECASE,
)


def start(lines: Sequence[str]) -> int | None:
    """The line the signature at the end begins at, or None when there is none to be sure of."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    first = end
    for _ in range(MOST):
        line = _one(lines, first)
        if line is None:
            break
        first = line
        while first and not lines[first - 1].strip():
            first -= 1
    if first == end:
        return None
    while first < end and not lines[first].strip():
        first += 1
    return first - 1 if first and lines[first - 1].rstrip() in _DELIMITERS else first


def _one(lines: Sequence[str], end: int) -> int | None:
    """Where the last signature before `end` begins."""
    first = _first_in_reach(lines, end)
    if first == end:
        return None
    for find in (_farewell, _delimited, _boxed, _card_below_closing):
        if (found := find(lines, first, end)) is not None:
            return found
    return None


def _first_in_reach(lines: Sequence[str], end: int) -> int:
    """So far up that at most `MAX_LINES` lines with words are below."""
    count, at = 0, end
    while at and count < MAX_LINES and end - at < 3 * MAX_LINES:
        at -= 1
        count += bool(lines[at].strip())
    return at


def _farewell(lines: Sequence[str], first: int, end: int) -> int | None:
    at = end - 1
    if at > first and _LINK.match(_plain(lines[at])):
        at -= 1
        while at > first and not lines[at].strip():
            at -= 1
    return at if _FAREWELL.match(_plain(lines[at])) else None


def _delimited(lines: Sequence[str], first: int, end: int) -> int | None:
    for at in range(first, end):
        below = [line for line in lines[at + 1 : end] if line.strip()]
        if lines[at] == "-- " and not _speaks(below):
            return at
        # Without the blank behind it this is as well a line somebody drew.
        if lines[at].rstrip() in _DELIMITERS and below and not _reads_like_a_letter(below):
            return at
    return None


def _speaks(below: Sequence[str]) -> bool:
    return any(_plain(line).endswith("?") for line in below)


def _reads_like_a_letter(below: Sequence[str]) -> bool:
    if any(_MATTER.search(_plain(line)) or _is_ruler(line) for line in below):
        return True
    return any(len(line.split()) > 3 and _plain(line)[-1] in ".!。" for line in below[:2])


def _boxed(lines: Sequence[str], first: int, end: int) -> int | None:
    """Between rulers, as in Japan, or below a last one."""
    rulers = [at for at in range(first, end) if _is_ruler(lines[at])]
    closed = bool(rulers) and rulers[-1] == end - 1
    for at in rulers:
        inside = [line for line in lines[at + 1 : end] if line.strip() and not _is_ruler(line)]
        if not inside or any(_MATTER.search(_plain(line)) for line in inside):
            continue
        drawn_alike = set(lines[at].strip()) & set(lines[end - 1].strip())
        if closed and not drawn_alike:
            continue
        if _kinds(inside) >= (1 if closed else 2):
            return None if _is_announced(lines, at) else at
    return None


def _card_below_closing(lines: Sequence[str], first: int, end: int) -> int | None:
    """“Kind regards”, a name, and then what is plainly a card; closing and name stay."""
    for at in range(end - 1, first - 1, -1):
        if not _CLOSING.match(_plain(lines[at])):
            continue
        below = [n for n in range(at + 1, end) if lines[n].strip()]
        card = [lines[n] for n in below]
        if any(_MATTER.search(_plain(line)) for line in card) or _kinds(card) < 2:
            return None
        if _is_announced(lines, at + 1):
            return None
        return next((n for n in below[1:] or below), None)
    return None


def _is_announced(lines: Sequence[str], end: int) -> bool:
    """Whether the text above `end` says that an address comes, so that it is no signature."""
    above = [line for line in lines[max(0, end - 6) : end] if line.strip()][-2:]
    if above and _plain(above[-1]).startswith(">"):
        return False
    return any(_ANNOUNCES.search(_plain(line)) for line in above)


def _kinds(lines: Sequence[str]) -> int:
    return sum(any(kind.search(_plain(line)) for line in lines) for kind in _CARD)


def _is_ruler(line: str) -> bool:
    line = _plain(line)
    if not _RULER.fullmatch(line):
        return False
    return len(_DRAWN.findall(line)) * 2 > len(line.replace(" ", ""))


def _plain(line: str) -> str:
    """With half-width letters and digits, and no longer than the line of a letter."""
    line = line[:MAX_LINE].strip()
    return line if line.isascii() else unicodedata.normalize("NFKC", line)
