"""What the columns of a call log are called, in three languages, and what stands in them."""

import re
import unicodedata
from collections.abc import Sequence

# Field → its headings without spaces and signs. The earlier field gets a heading first.
HEADINGS: dict[str, str] = {
    "call_id": "callid id uniqueid uuid callkey anrufid anrufnummer 通話id 受付番号 コールid",
    "number": "number phone phonenumber telephone telephonenumber tel mobile party customernumber "
    "customerphone rufnummer telefonnummer telefon handynummer gegenstelle 電話番号 番号 電話 "
    "相手番号 相手先 相手先番号 相手電話番号 顧客電話番号 お客様電話番号",
    "caller": "caller callernumber callerid callingnumber callingparty from fromnumber source src "
    "anrufer von rufnummeranrufer 発信者 発信元 発信番号 発信者番号 発信元番号 "
    "発信電話番号 発番号",
    "callee": "callee called calledparty callednumber destination destinationnumber to tonumber "
    "dst an nach ziel zielrufnummer angerufener angerufenenummer 着信 着信先 着信番号 "
    "着信者 着番号 発信先 発信先番号",
    "name": "name callername customer customername contact contactname company kunde kundenname "
    "kontakt firma anrufername 氏名 名前 顧客 顧客名 お客様名 会社名 発信者名 相手名 相手先名",
    "started": "datetime dateandtime date start started startedat starttime startdate calltime "
    "calldate timestamp datum datumuhrzeit datumzeit zeitpunkt startzeit anrufdatum 日時 "
    "beginn "  # codespell:ignore beginn
    "日付 年月日 通話日時 開始日時 着信日時 発信日時 受付日時 発生日時 受電日時",
    "clock": "timeofday uhrzeit anrufzeit 時刻 開始時刻 通話時刻 着信時刻",
    "time": "time zeit 時間",
    "seconds": "duration durationseconds durationsec durations length talktime talking billsec "
    "callduration seconds secs dauer dauersekunden dauersek gesprächsdauer anrufdauer sekunden "
    "通話時間 通話秒数 所要時間 秒数 秒 通話時間秒",
    "minutes": "minutes mins durationminutes durationmin minuten dauermin dauerminuten 分 "
    "通話時間分 通話分数",
    "direction": "direction calldirection calltype type richtung anrufrichtung anrufart art "
    "inout "  # codespell:ignore inout
    "typ 方向 種別 発着 発着信 発着区分 区分 通話種別",
    "result": "result status disposition outcome callresult callstatus ergebnis ausgang 結果 状態 "
    "応答 通話結果 応答結果",
    "notes": "notes note comment comments memo remark remarks description summary notiz notizen "
    "bemerkung bemerkungen kommentar anliegen メモ 備考 内容 用件 対応内容 通話内容 "
    "コメント 応対内容",
    "agent": "agent agentemail agentname user username operator staff employee mitarbeiter "
    "benutzer bearbeiter agentin 担当 担当者 対応者 受付者 オペレーター オペレータ",
    "email": "email mail emailaddress mailaddress emailadresse mailadresse メール メールアドレス",
}
DIRECTIONS: dict[str, str] = {
    "in": "in inbound incoming received missed eingehend eingang ankommend angenommen verpasst "
    "eingehenderanruf verpassteranruf 着信 受信 着 入電 受電 不在着信 不在 内着信 外線着信",
    "out": "out outbound outgoing dialed dialled made ausgehend ausgang abgehend gewählt "
    "ausgehenderanruf 発信 発 架電 送信 外線発信",
    "internal": "internal intern interneranruf 内線 内線通話",
}
RESULTS: dict[str, str] = {
    "yes": "answered connected completed success yes ok angenommen beantwortet erfolgreich "
    "verbunden 応答 通話 通話済 完了 成功 応答済",
    "no": "noanswer unanswered notanswered missed busy failed cancelled canceled abandoned "
    "congestion rejected declined no verpasst nichtangenommen unbeantwortet keineantwort besetzt "
    "fehlgeschlagen abgebrochen abgelehnt 不在 不応答 未応答 応答なし 話中 失敗 拒否 放棄 不在着信",
}


def _turned(table: dict[str, str]) -> dict[str, str]:
    turned: dict[str, str] = {}
    for meaning, spellings in table.items():
        for spelling in spellings.split():
            turned.setdefault(spelling, meaning)
    return turned


_HEADINGS, _DIRECTIONS, _RESULTS = _turned(HEADINGS), _turned(DIRECTIONS), _turned(RESULTS)


def columns(cells: Sequence[str]) -> dict[str, int]:
    """Field → which column holds it. Of two columns for one field, the first."""
    found: dict[str, int] = {}
    for index, cell in enumerate(cells):
        # A bracket may hold the unit or the zone, so it is read with and without.
        outside = re.sub(r"[(\[].*", "", unicodedata.normalize("NFKC", cell))
        field = _HEADINGS.get(_folded(cell)) or _HEADINGS.get(_folded(outside))
        if field:
            found.setdefault(field, index)
    return found


def direction(text: str) -> str | None:
    return _DIRECTIONS.get(_folded(text))


def was_answered(text: str) -> bool | None:
    """None when the result is a word we do not know."""
    meaning = _RESULTS.get(_folded(text))
    return None if meaning is None else meaning == "yes"


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in plain if sign.isalnum() or sign == "ー")
