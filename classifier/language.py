"""Which of Japanese, German and English a text is written in, without a model."""

import re

_LOOK_AT = 2_000  # the first lines tell; a megabyte need not be read
_KANA = re.compile(r"[\u3041-\u3096\u30a1-\u30fa\uff66-\uff9d]")
_KANJI = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")

_UMLAUT = re.compile(r"[äöüß]")

# Neither German nor English, and in Chinese the small words that no Japanese text without kana has.
_FOREIGN_LETTER = re.compile(r"[àáâãåæçèéêëìíîïñòóôõøùúûýÿāăąćčďđęěėğīįıłńňőœřśşšťūůűųźżžţțșġ]")
_CHINESE = re.compile(r"[的了是我你您们們吗嗎呢吧这這那没沒还還么麼请請谢謝]")

# A quoted name or two does not make a German mail Japanese; a product code does not undo one.
_JAPANESE_SHARE = 0.1

# Words of one language that are none of the other; `in`, `die`, `was`, `war`, `an`, `am`,
# `hat`, `so`, `also`, `bin`, `man`, `will`, `on` are left out because both know them.
_SHARED_WORDS = "in die was war an am hat so also bin man will on"
_GERMAN_WORDS = """
    aber alle allem allen als auch auf aus bei beim bis bitte bräuchte brauche da dann danke das
    dass dem den denn der des dies diese diesem diesen dieser doch dort du durch ein eine einem
    einen einer eines er es etwas euch euer eure fuer für geehrte geehrter gerne gibt gruß grüße
    gruss gruesse guten haben habe hallo herr heute hier ich ihm ihn ihnen ihr ihre ihrem ihren
    ihrer im immer ist ja jetzt kann kein keine können könnte leider mehr mein meine meinem meinen
    meiner mich mir mit moin morgen möchte nach nicht noch nun nur ob oder ohne schon sehr sein
    seit sich sie sind soll sollte tag über ueber um und uns unser unsere unserem unseren vom von
    vor wann warum wegen weil weiter welche wenn werden wie wieder wir wird wo wurde würde zu zum
    zur zwar zwei
"""
_ENGLISH_WORDS = """
    a about after again all and any are as at be because been before but by can can't cannot could
    dear did didn't do does doesn't don't for from get got had has have haven't hello her here hey
    hi him his how i i'd i'll i'm i've if into is isn't it it's its just know let like make me more
    my need never no not now of off one only or our out over please regards she should since
    some still such than thank thanks that that's the their them then there these they this those
    through to today too until up us very wasn't we we'd we're we've were what when where which
    who why with without won't would yes yet you your yours
"""
_GERMAN = frozenset(_GERMAN_WORDS.split())
_ENGLISH = frozenset(_ENGLISH_WORDS.split())

# A phone note can do without any of the small words, hardly without one of these.
_GERMAN_TALK = "kunde kundin rechnung bestellung lieferung vertrag termin ruft fragt"
_ENGLISH_TALK = "customer caller order invoice delivery contract wants asks asked"
_TELLS_GERMAN = _GERMAN.union(_GERMAN_TALK.split())
_TELLS_ENGLISH = _ENGLISH.union(_ENGLISH_TALK.split())

# Small words of languages that are written in the same letters.
_FOREIGN_WORDS = """
    bonjour je j'ai vous nous le la les un une et est pas pour mon ma ce cette avec merci dans sur
    que qui c'est prix
    hola el los las del con para por pero cuando gracias muy quiero puedo
    buongiorno il mio ho sono vorrei quando che grazie della questo
    bom dia minha meu uma ainda obrigado obrigada quero
    ik heb een het mijn niet wanneer wordt goedemorgen zijn ook maar naar deze geen nog voor
    hej jag jeg har inte ikke och det som för när än med ett
    merhaba bir bu
    czy kiedy jest jeszcze dobry
"""
_FOREIGN = frozenset(_FOREIGN_WORDS.split())

# Small words that say something about the matter all the same.
_TELLING = """
    no not never don't can't cannot didn't doesn't isn't won't how when where why before after
    still again until instead nicht kein keine wann warum wie wo noch vor nach seit weiter
"""

# How letters begin and end.
_COURTESY = """
    damen herren frau geehrter geehrtes liebe lieber liebes freundliche freundlichen freundlicher
    grüßen gruessen viele vielen beste besten dank mfg lg vg hi hallöchen servus team
    sir sirs madam mr mrs ms kind kindly best sincerely faithfully cheers greetings
"""

FILLERS = (_GERMAN | _ENGLISH | set(_SHARED_WORDS.split()) | set(_COURTESY.split())) - set(
    _TELLING.split()
)  # words no reader takes for a reason


def detect(text: str) -> str:
    """Say "ja", "de" or "en", or "" when nothing in the text tells."""
    head = text[:_LOOK_AT]
    kana = len(_KANA.findall(head))
    japanese = kana + len(_KANJI.findall(head))
    letters = len(_LETTER.findall(head))
    # Two kanji in an English signature are a name, so kanji alone must be most of the text.
    if letters and (japanese / letters >= 0.5 or (kana and japanese / letters >= _JAPANESE_SHARE)):
        return "ja" if kana or len(_CHINESE.findall(head)) < 2 else ""
    words = _WORD.findall(head.lower().replace("\u2019", "'"))
    foreign = sum(word in _FOREIGN or bool(_FOREIGN_LETTER.search(word)) for word in words)
    german = sum(word in _TELLS_GERMAN for word in words)
    german += sum(1 for word in words if _UMLAUT.search(word) and word not in _FOREIGN)
    english = sum(word in _TELLS_ENGLISH for word in words)
    # One borrowed word, or one in a name, does not make a text foreign.
    if german == english or (foreign > 1 and foreign >= max(german, english)):
        return ""
    return "de" if german > english else "en"
