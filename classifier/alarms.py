"""Words and turns of phrase of inquiries that are urgent or a complaint, and of some others.

The phrases teach the flags beside the samples, as those of the glossary teach stages and topics,
and are never tested on. The words are looked for in each text, and how much finding one counts is
learned. Written from what people say in general, not from single samples.
"""

import re
from collections.abc import Iterator

from classifier.taxonomy import Words

# flag → phrases that speak for it, and phrases that do not
ALARMS: dict[str, tuple[Words, Words]] = {
    "urgent": (
        Words(
            "this is urgent / it's an emergency / we need somebody right now / "
            "please come at once / as soon as you read this / today if at all possible / "
            "it has to be today / by tonight / by noon today / within the hour / "
            "before we close this evening / the deadline is tomorrow / due tomorrow morning / "
            "our flight leaves tomorrow / the event is tomorrow / "
            "the appointment is tomorrow and I can't come / I can't make it today / "
            "it expires tonight / the court date is tomorrow / the tax deadline ends today / "
            "only a few hours left / there is a smell of gas / smoke is coming out / "
            "it caught fire / sparks are flying / water is pouring in / "
            "the cellar is flooding / the ceiling is coming down / somebody could get hurt / "
            "the baby has swallowed it / an allergic reaction / "
            "severe pain since this morning / she has no medicine left / "
            "no heating and it is freezing / no hot water with small children / "
            "the power is out / nobody can work / production has stopped / "
            "the line is standing still / everything is down / "
            "the whole system is down for all of us / customers are queueing / "
            "we are losing money by the hour / I'm locked out and standing outside / "
            "stuck in the lift / stranded at the station / "
            "my card was stolen and is being used / block my account immediately / "
            "other people can see our data / stop it before it goes out",
            "至急お願いします / 大至急ご対応ください / 緊急です / 今すぐ来てください / "
            "一刻を争います / 本日中に必要です / 今日中にお返事ください / 今夜までに / "
            "正午までにお願いします / 一時間以内に / 締め切りは明日です / "
            "明日の朝までに間に合わせたい / 明日出発です / 明日が本番です / "
            "明日の予約をキャンセルしたい / 今日の予約に行けなくなりました / "
            "期限は今日までです / 明日が裁判の期日です / 申告期限が明日です / "
            "あと数時間しかありません / ガスの臭いがします / 煙が出ています / 火が出ました / "
            "火花が散りました / 水が溢れています / 水漏れが止まりません / 天井が落ちそうです / "
            "倒れてきそうで危険です / けが人が出そうです / 子どもが飲み込みました / "
            "アレルギーの症状が出ています / 朝から激しい痛みがあります / 薬が切れました / "
            "暖房が止まって凍えています / お湯が出ず赤ん坊がいます / 停電しています / "
            "仕事が全部止まっています / 生産ラインが止まりました / システムが全員使えません / "
            "お客様をお待たせしています / 一時間ごとに損害が出ています / "
            "鍵がなくて入れません / エレベーターに閉じ込められています / "
            "駅で立ち往生しています / カードを盗まれ使われています / "
            "すぐに利用を止めてください / 他の人の情報が見えています / "
            "発送される前に止めてください",
            "es ist dringend / das ist ein Notfall / bitte kommen Sie sofort / "
            "es muss heute noch sein / umgehend Hilfe nötig / noch heute Rückruf / "
            "bis heute Mittag / bis heute Abend / binnen einer Stunde / "
            "die Frist läuft morgen ab / morgen früh brauchen wir es / "
            "morgen geht unser Flug / morgen ist die Veranstaltung / "
            "meinen Termin morgen muss ich absagen / ich schaffe es heute nicht / "
            "läuft heute um Mitternacht ab / morgen ist Gerichtstermin / "
            "das Finanzamt wartet nur bis morgen / nur noch wenige Stunden / "
            "es riecht nach Gas / es qualmt / es brennt / es hat Funken gesprüht / "
            "Wasser läuft aus / der Keller läuft voll / die Decke kommt herunter / "
            "es kann jemand verletzt werden / das Kind hat es verschluckt / "
            "allergische Reaktion / starke Schmerzen seit heute früh / "
            "sie hat keine Tabletten mehr / Heizung ausgefallen und es ist eiskalt / "
            "kein warmes Wasser mit kleinen Kindern / der Strom ist weg / "
            "niemand kann arbeiten / die Produktion steht / die Maschine steht / "
            "alles steht still / das ganze System ist ausgefallen / "
            "die Kunden stehen Schlange / jede Stunde kostet uns Geld / "
            "ausgesperrt und stehe vor der Tür / stecke im Aufzug fest / "
            "wir sitzen am Bahnhof fest / Karte gestohlen, es wird abgebucht / "
            "sperren Sie sofort mein Konto / fremde Leute sehen unsere Daten / "
            "bitte sofort stoppen",
        ),
        Words(
            "no hurry / whenever it suits you / it isn't urgent / take your time / "
            "no rush at all / some time next month / in the coming weeks / as usual / "
            "we are only planning ahead / any day will do / it works fine / "
            "just out of curiosity / I'd like to know in general",
            "急ぎません / お手すきのときに / いつでも構いません / 緊急ではありません / "
            "来月で結構です / そのうちで構いません / いつもどおりで / まだ計画の段階です / "
            "問題なく動いています / 参考までに伺います / 一般的なことを知りたいだけです",
            "es eilt nicht / wann es Ihnen passt / nicht dringend / lassen Sie sich Zeit / "
            "irgendwann im Frühjahr / in den nächsten Wochen / wie immer / "
            "wir planen nur voraus / der Tag ist egal / es läuft einwandfrei / "
            "nur aus Neugier / ganz allgemein gefragt",
        ),
    ),
    "complaint": (
        Words(
            "I am very disappointed / I'm extremely dissatisfied / this is unacceptable / "
            "I wish to complain / this is a formal complaint / what kind of service is this / "
            "the worst service I have ever had / nobody cares / nobody answers / "
            "nobody called back / this is the third time / again the same mistake / "
            "you promised and nothing happened / you did not keep your word / "
            "I have told you twice already / how often must I write / "
            "I am still waiting for an answer / I was treated rudely / the staff were rude / "
            "your driver simply dumped it / I expect an apology / I demand compensation / "
            "I want my money back for this / who is going to pay for the damage / "
            "I want to speak to the manager / I will go to my lawyer / "
            "the ombudsman will hear of this / I'll leave a bad review / never again / "
            "I am furious / I've had enough / this is ridiculous / what a joke / shoddy work / "
            "cheap rubbish / it is nothing like the picture / your advertising is tasteless / "
            "how can this happen / who is responsible for this mess / "
            "that is not how you treat customers / wasted a whole day because of you / "
            "caller was angry / customer very upset",
            "大変残念に思います / 非常に不満です / 納得できません / 苦情を申し上げます / "
            "対応がひどい / どういうサービスなのでしょうか / こんな店は初めてです / "
            "誰も電話に出ません / 折り返しがありません / これで三度目です / "
            "また同じ間違いです / 約束が守られていません / 何度言えばわかるのですか / "
            "まだ返事をいただいていません / 失礼な態度を取られました / 店員の態度が悪い / "
            "謝罪を求めます / 謝ってほしいです / 補償してください / 返金を要求します / "
            "損害は誰が払うのですか / 責任者を出してください / 上の方から説明してください / "
            "誠意が感じられません / 消費者センターに相談します / 弁護士に相談します / "
            "低い評価をつけます / 二度と使いません / いい加減にしてください / 呆れました / "
            "腹が立っています / がっかりしました / 手抜きです / 写真と全然違います / "
            "広告が不愉快です / なぜこのようなことが起きるのですか / どうしてくれるのですか / "
            "客を何だと思っているのですか / 一日が無駄になりました / お怒りのお電話 / "
            "ご立腹の様子",
            "ich bin sehr enttäuscht / ich bin äußerst unzufrieden / das ist inakzeptabel / "
            "hiermit beschwere ich mich / das ist eine Beschwerde / "
            "was ist das für ein Service / der schlechteste Service überhaupt / "
            "niemanden kümmert es / keiner antwortet / keiner ruft zurück / zum dritten Mal / "
            "schon wieder derselbe Fehler / versprochen und nichts ist passiert / "
            "Sie haben Ihr Wort nicht gehalten / wie oft soll ich noch schreiben / "
            "ich warte immer noch auf eine Antwort / man war unfreundlich zu mir / "
            "so ein unverschämter Ton / der Fahrer hat es einfach hingeworfen / "
            "ich erwarte eine Entschuldigung / ich verlange Schadenersatz / "
            "dafür will ich mein Geld zurück / wer kommt für den Schaden auf / "
            "ich will den Chef sprechen / dann gehe ich zum Anwalt / "
            "die Verbraucherzentrale wird davon hören / "
            "ich schreibe eine schlechte Bewertung / nie wieder / ich bin stinksauer / "
            "jetzt reicht es mir / das ist lächerlich / eine Zumutung / eine Frechheit / "
            "gepfuscht / billiger Schrott / sieht ganz anders aus als auf dem Bild / "
            "Ihre Werbung ist geschmacklos / wie kann so etwas passieren / "
            "wer ist dafür verantwortlich / so geht man nicht mit Kunden um / "
            "ein ganzer Tag verloren wegen Ihnen / Anrufer verärgert / Kunde sehr erbost",
        ),
        Words(
            "not a complaint / only a suggestion / everything was fine / "
            "thank you for the quick help / very satisfied / "
            "could you tell me where my parcel is / it does not fit, how do I return it / "
            "it has stopped working, is it under guarantee / "
            "there is a mistake in the invoice / I would like to cancel / "
            "too expensive for us / could you send a replacement part",
            "苦情ではありません / ただの提案です / とても満足しています / "
            "迅速な対応に感謝します / 荷物はいまどこですか / サイズが合わないので返品したい / "
            "動かなくなりました、保証は効きますか / 請求書に誤りがあるようです / "
            "解約したいです / 少し高いので検討します / 部品を送ってください",
            "keine Beschwerde / nur eine Anregung / alles bestens / "
            "danke für die schnelle Hilfe / sehr zufrieden / wo ist mein Paket gerade / "
            "passt nicht, wie schicke ich es zurück / geht nicht mehr, ist das Garantie / "
            "auf der Rechnung ist ein Fehler / ich möchte kündigen / uns ist das zu teuer / "
            "bitte schicken Sie ein Ersatzteil",
        ),
    ),
}

_LOOK_AT = 2_500  # characters; half a millisecond

_ENGLISH_URGENT = r"""
    urgent(?:ly)?(?!-) asap emergency today tonight tonite tomorrow tmrw? at\ once right\ now
    right\ away immediately within\ (?:the|an|one|two|\d+)\ (?:hours?|minutes?) hours?\ left
"""
_GERMAN_URGENT = r"""
    dringend\w* eilt(?!\s+nicht) notfall sofort umgehend auf\ der\ stelle noch\ heute heute\ noch
    übermorgen binnen
    bis\ (?:heute|morgen|mittag|mitternacht) heute\ (?:mittag|abend|\d+)
    morgen\ (?:früh|um|vormittag|mittag|nachmittag|abend|ist|geht|läuft)
"""
_JAPANESE_URGENT = """
    至急 緊急(?!停止|連絡) 今すぐ 本日中 今日中 今夜中 今晩 今夜 明日 明後日 一刻 正午
"""
_ENGLISH_COMPLAINT = r"""
    disappoint\w* dissatisf\w* unacceptable complain\w* an?\ apolog(?:y|ies) ridiculous disgrac\w*
    rude(?:ly|ness)? insult\w* fed\ up had\ enough third\ time fourth\ time fifth\ time 3rd\ time
    kind\ of\ (?:service|company) furious upset angry compensat\w* never\ again worst yet\ again
    not\ (?:good\ enough|happy|satisfied) i\ expect i\ demand liable responsible lawyer ombudsman
    nobody\ (?:came|calls?|called|rang|cares|answers?|replies|turned\ up|knew)
    terrible awful appalling
"""
_GERMAN_COMPLAINT = r"""
    enttäusch\w* unzufrieden\w* frechheit zumutung unverschämt\w* inakzeptabel\w* unfreundlich\w*
    beschwer(?:de|den|e|en)(?!\ sie) verärger\w* ärgerlich erbost\w* gereizt wütend sauer empört
    mir\ reicht jetzt\ reicht(?:'?s)? reicht(?:'?s)?\ mir
    so\ geht(?:'?s|\ das|\ man) anwalt
    verbraucherzentrale
    dritten\ mal vierten\ mal fünften\ mal wiederholten\ mal
    schon\ wieder verlange ich\ erwarte nie\ wieder
    erwarte\ (?:ich|eine|dass) lächerlich\w* geschmacklos\w* schadenersatz katastroph\w*
    unter\ aller
"""
_JAPANESE_COMPLAINT = """
    お?怒り 立腹 納得(?:でき(?:ない|ませ)|いか|がいか) 不満 謝罪 謝って 誠意 責任者
    いい加減 ひどい 酷い
    どうなって(?:いる|る) 不愉快 心外 最悪 消費(?:生活|者)?センター 二度と [二三四五六2-9]度目
    [3-9三四五六]回目 説明を求め がっかり クレーム 苦情 やめてほしい 許せ 抗議 呆れ 失礼な
"""
_BEFORE = re.compile(
    r"(?:\bno|\bnot(?: an?)?|n't|\bnicht|\bkein\w*|\bohne|\bnever|非)\s*$", re.IGNORECASE
)
_AFTER = re.compile(
    r"^(?:[^。、]{0,4}(?:ではな|では(?:ござ)?いませ|じゃな|はな|もな|があるわけで"
    r"|などあり|はありませ|はございませ))"
)


def _any(western: str) -> re.Pattern[str]:
    """One of these, in small letters."""
    words = "|".join(re.split(r"(?<!\\)\s+", western.strip()))
    return re.compile(rf"\b(?:{words})(?!\w)")


def _one(japanese: str) -> re.Pattern[str]:
    return re.compile("|".join(japanese.split()))


Patterns = tuple[re.Pattern[str], re.Pattern[str]]

_MARKS: dict[str, Patterns] = {
    "urgent": (_any(_ENGLISH_URGENT + _GERMAN_URGENT), _one(_JAPANESE_URGENT)),
    "complaint": (_any(_ENGLISH_COMPLAINT + _GERMAN_COMPLAINT), _one(_JAPANESE_COMPLAINT)),
}
_JAPANESE = re.compile(r"[\u3041-\u30fa\u4e00-\u9fff]")  # trying its words costs most


# A sender's own word for it, where it stands first: in the subject.
_CALLED: Patterns = (
    _any(r"urgent(?:ly)?(?!-) asap dringend eilt(?!\s+nicht)"),
    _one("大至急 至急 緊急(?!停止|連絡|時)"),
)
_SUBJECT = 200  # characters; what is longer is no subject


def marks(flag: str, text: str) -> list[str]:
    """The words in a text that tell of a flag, each once, unless a “not” stands beside it."""
    return list(dict.fromkeys(_said(_MARKS[flag], text[:_LOOK_AT])))


def called_urgent(text: str) -> str:
    """The word by which the subject, the first line, calls it urgent; else nothing."""
    subject = text[: _SUBJECT + 1].partition("\n")[0]
    return next(_said(_CALLED, subject), "") if len(subject) <= _SUBJECT else ""


def _said(patterns: Patterns, text: str) -> Iterator[str]:
    small = text.lower() if len(text.lower()) == len(text) else text
    for words in patterns[: 2 if _JAPANESE.search(text) else 1]:
        for one in words.finditer(small):
            before, after = text[max(0, one.start() - 20) : one.start()], text[one.end() :][:14]
            if not _BEFORE.search(before) and not _AFTER.match(after):
                yield text[one.start() : one.end()]
