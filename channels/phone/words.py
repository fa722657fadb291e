"""The few sentences a call is filed with when nobody wrote any, in three languages."""

from dataclasses import dataclass

from channels.contract import Direction, Party


@dataclass(frozen=True, slots=True)
class Words:
    call_from: str
    call_to: str
    withheld: str
    call_from_withheld: str
    missed: str
    not_reached: str
    no_notes: str
    lasted: str

    def subject(self, direction: Direction, party: Party) -> str:
        if party.name == self.withheld:
            return self.call_from_withheld
        pattern = self.call_to if direction is Direction.OUTBOUND else self.call_from
        return pattern.format(who=party.name or party.value)

    def length(self, seconds: int) -> str:
        return self.lasted.format(minutes=seconds // 60, seconds=seconds % 60)


_WORDS = {
    "en": Words(
        call_from="Call from {who}",
        call_to="Call to {who}",
        withheld="Number withheld",
        call_from_withheld="Call from a withheld number",
        missed="Missed call.",
        not_reached="Called, but nobody answered.",
        no_notes="A call without notes.",
        lasted="A call of {minutes} min {seconds} s without notes.",
    ),
    "ja": Words(
        call_from="{who} からの電話",
        call_to="{who} への電話",
        withheld="番号非通知",
        call_from_withheld="非通知の電話",
        missed="不在着信です。",
        not_reached="電話しましたが、応答がありませんでした。",
        no_notes="通話がありました（メモなし）。",
        lasted="{minutes}分{seconds}秒の通話がありました（メモなし）。",
    ),
    "de": Words(
        call_from="Anruf von {who}",
        call_to="Anruf bei {who}",
        withheld="Unterdrückte Nummer",
        call_from_withheld="Anruf mit unterdrückter Nummer",
        missed="Verpasster Anruf.",
        not_reached="Angerufen, aber niemand hat abgenommen.",
        no_notes="Ein Gespräch ohne Notiz.",
        lasted="Ein Gespräch von {minutes} min {seconds} s ohne Notiz.",
    ),
}


def of(language: str) -> Words:
    return _WORDS[language]
