"""Whether anything is left of a text once courtesy, numbers and signatures are taken away.

What is left without them is the habit of the samples, and no guess about this inquiry. It is not
asked what can be a reason: "why?" is none, and says something all the same.
"""

import re
from collections.abc import Sequence

from classifier.features import PLACEHOLDERS, Token
from classifier.language import FILLERS

# Said in thanks, in greeting or to confirm, and before a subject.
_WORDS = """
    ok okay yes no alright noted understood appreciated welcome morning afternoon evening night day
    week weekend nice good have wish hope well doing looking look forward hearing reply soon yours
    truly kindest warm warmest many much advance bye goodbye
    ja nein alles klar verstanden einverstanden gut guter guten morgen tag tage abend nachmittag
    nacht woche wochenende schön schöne schönen schöner schönes wünsche wünschen wünscht
    herzlich herzliche herzlichen gern rückmeldung antwort voraus vorab tschüss ciao gruss mfg
    re aw fw fwd wg betreff subject uhr am pm
"""
_POLITE = FILLERS | PLACEHOLDERS | frozenset(_WORDS.split())

# Lines that a program writes below a text.
_DEVICE = r"[\w-]+(?: [\w-]+){0,3}"
_SIGNATURE = re.compile(
    rf"^[ \t>*_-]*(?:sent from my {_DEVICE}|sent (?:from|with|via) (?:outlook|gmail|yahoo)\b.*"
    r"|get outlook for \w+"
    rf"|(?:diese (?:nachricht|mail) wurde )?von meinem {_DEVICE} gesendet"
    rf"|gesendet (?:von|mit) meinem {_DEVICE}|gesendet (?:von|mit) (?:der )?\S+[ -](?:mail|app)\b.*"
    r"|gesendet von outlook\b.*|outlook für \w+ beziehen"
    r"|(?:私の)?(?:iphone|ipad|android|スマートフォン|スマホ|携帯)[\w ]{0,12}?から送信"
    r"(?:されました|しました|しています)?)[ \t.。!]*$",
    re.MULTILINE,
)

# Kana and kanji have no blanks, so courtesy is taken out of a run; longer turns come first.
_TURNS = (
    r"(?:いつも|平素より?|日頃より?|毎度)?(?:大変|たいへん)?お世話(?:に|様で)(?:なって(?:おり|い)ます|なります|なりました|です)",
    r"(?:誠に|本当に|どうも)?(?:有難う|有り難う|ありがとう)(?:ござい(?:ます|ました))?",
    r"(?:どうぞ|何卒)?(?:宜しく|よろしく)(?:御?お?願い)?(?:(?:いた|致)?し(?:ます|たします)|申し上げます)?",
    r"お?願い(?:(?:いた|致)します|します|申し上げます)",
    r"こんにち[はわ]|こんばん[はわ]|おはよう(?:ございます)?|はじめまして|初めまして",
    r"(?:お疲れ|おつかれ)(?:様|さま)?(?:です|でした)?|(?:突然の?|夜分)?(?:に|の)?失礼(?:いた|致)?します",
    r"(?:了解|承知)(?:です|(?:いた|致)?しました)?|かしこまりました|(?:わか|分か)りました",
    r"(?:申し訳|申しわけ)(?:ございません|ありません)|(?:すみ|すい)ません|恐れ入りますが?",
    r"拝啓|敬具|前略|草々|以上|何卒|どうぞ|どうも|はい|では|また|ね|よ|が|と|も",
)
_SAID_IN_JAPANESE = re.compile("|".join(_TURNS))


def says_something(cleaned: str, found: Sequence[Token]) -> bool:
    """`found` are the tokens of the cleaned text."""
    signed = [match.span() for match in _SIGNATURE.finditer(cleaned)]
    return any(
        _tells(token)
        for token in found
        if not any(start <= token.start < end for start, end in signed)
    )


def _tells(token: Token) -> bool:
    if token.cjk:
        return bool(_SAID_IN_JAPANESE.sub("", token.text))
    return (
        token.text not in _POLITE
        and len(token.text) > 1
        and token.text.replace("'", "").isalpha()  # else it is a number of something
    )
