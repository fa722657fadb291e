"""The stages and topics an inquiry can be given, in order, with a sentence on what belongs there.

The words here are also training examples: a category nobody has written about yet is found by
its own description.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The same words in the three languages Setten speaks."""

    en: str
    ja: str
    de: str

    def each(self) -> tuple[tuple[str, str], ...]:
        return (("en", self.en), ("ja", self.ja), ("de", self.de))


@dataclass(frozen=True, slots=True)
class Category:
    key: str
    label: Words
    about: Words


# The order is the customer's way from hearing of us to recommending us. L stands beside the way:
# feedback can come after any step.
STAGES: tuple[Category, ...] = (
    Category(
        "A",
        Words("Hears of us", "知る", "Hört von uns"),
        Words(
            "Saw an advertisement, an article, a sign or our stand at a fair and asks who we are, "
            "where we are, or wants a first contact or an interview.",
            "広告や記事、看板、展示会などで当社を知り、どのような会社か、所在地はどこかを尋ねる。"
            "取材の依頼や最初のご挨拶もここに入る。",
            "Hat eine Anzeige, einen Artikel, ein Schild oder unseren Messestand gesehen und "
            "fragt, wer wir sind und wo man uns findet; auch Presse und erste Kontaktaufnahme.",
        ),
    ),
    Category(
        "B",
        Words("Learns about us", "調べる", "Informiert sich"),
        Words(
            "Looks for general information: what we offer, opening hours, a catalogue or brochure, "
            "how it works in principle.",
            "取扱商品やサービスの内容、営業時間、カタログや資料請求、仕組みの概要など、"
            "一般的な情報を集めている。",
            "Sucht allgemeine Auskunft: was wir anbieten, Öffnungszeiten, Katalog oder Prospekt, "
            "wie das Ganze grundsätzlich funktioniert.",
        ),
    ),
    Category(
        "C",
        Words("Compares and tries", "検討する", "Vergleicht und probiert"),
        Words(
            "Before buying: asks for a price or a quote, compares us with others, wants a sample, "
            "a trial or a discount, asks whether it fits.",
            "購入前の検討。価格や見積もり、他社との比較、サンプルやお試し、割引、"
            "自分の用途に合うかどうかを相談する。",
            "Vor dem Kauf: fragt nach Preis oder Angebot, vergleicht mit anderen, möchte ein "
            "Muster, eine Probezeit oder Rabatt, fragt, ob es passt.",
        ),
    ),
    Category(
        "D",
        Words("Buys or signs up", "購入・申込み", "Kauft oder meldet sich an"),
        Words(
            "Orders, pays at checkout, signs up or starts a contract; changes or cancels an order "
            "just placed; asks when the fresh order will arrive.",
            "注文、決済、会員登録、契約の申込み。注文した直後の変更や取消し、"
            "注文したばかりの商品の到着予定の確認。",
            "Bestellt, bezahlt, meldet sich an oder beginnt einen Vertrag; ändert oder storniert "
            "eine eben aufgegebene Bestellung; fragt, wann die neue Bestellung kommt.",
        ),
    ),
    Category(
        "E",
        Words("Sets up and uses", "使い始める・使う", "Richtet ein und nutzt"),
        Words(
            "Has it and asks how to install, configure, log in or use it, books a service "
            "appointment or changes account details while using it.",
            "利用中の質問。設置や初期設定、ログイン、使い方、利用中の登録情報の変更、"
            "点検や訪問の予約。",
            "Hat es schon und fragt, wie man es einbaut, einrichtet, sich anmeldet oder es "
            "bedient; Termine und geänderte Angaben während der Nutzung.",
        ),
    ),
    Category(
        "F",
        Words("Needs help after the sale", "アフターサービス", "Braucht Hilfe nach dem Kauf"),
        Words(
            "Something went wrong: broken, wrong or late goods, refund, return, repair, warranty, "
            "a complaint about our service.",
            "購入後の不具合。故障、誤配送、遅延、返品、返金、修理、保証、対応への苦情。",
            "Etwas ist schiefgegangen: kaputte, falsche oder verspätete Ware, Rücksendung, "
            "Erstattung, Reparatur, Garantie, Beschwerde über unseren Service.",
        ),
    ),
    Category(
        "G",
        Words("Stays or leaves", "続ける・やめる", "Bleibt oder geht"),
        Words(
            "Renews, orders again, upgrades, uses loyalty points, extends a subscription, or "
            "ends a contract that has run for a long time or threatens to leave.",
            "継続や更新、再購入、上位プランへの変更、ポイントの利用、定期購入の延長。"
            "長く続けた契約の解約や退会の申し出も含む。",
            "Verlängert, bestellt nach, wechselt in den größeren Tarif, löst Treuepunkte ein oder "
            "kündigt einen länger laufenden Vertrag oder droht zu gehen.",
        ),
    ),
    Category(
        "H",
        Words("Recommends us", "勧める", "Empfiehlt uns"),
        Words(
            "Recommends us to friends or colleagues, asks for a referral bonus, offers a "
            "testimonial, wants to become a partner or reseller out of satisfaction.",
            "知人や同僚に紹介したい、紹介特典について知りたい、推薦文やお客様の声を書きたい、"
            "満足しているので代理店になりたい。",
            "Empfiehlt uns Freunden oder Kollegen, fragt nach der Prämie fürs Werben, bietet eine "
            "Referenz an oder möchte aus Zufriedenheit Partner werden.",
        ),
    ),
    Category(
        "L",
        Words("Gives feedback", "意見を寄せる", "Gibt Rückmeldung"),
        Words(
            "Answers a survey, suggests an improvement, thanks or criticises after the matter is "
            "settled.",
            "アンケートへの回答、改善の提案、対応が終わった後のお礼や感想、率直な意見。",
            "Beantwortet eine Umfrage, schlägt eine Verbesserung vor, dankt oder kritisiert, "
            "nachdem die Sache erledigt ist.",
        ),
    ),
)

TOPICS: tuple[Category, ...] = (
    Category(
        "order_status",
        Words("Order status", "注文状況", "Bestellstatus"),
        Words(
            "Asks whether an order was received and how far it is, or changes or cancels the "
            "order.",
            "注文が通っているか、今どの段階かの確認、注文内容の変更や取消し。",
            "Fragt, ob eine Bestellung angekommen ist und wie weit sie ist, ändert oder "
            "storniert sie.",
        ),
    ),
    Category(
        "delivery",
        Words("Delivery", "配送", "Lieferung"),
        Words(
            "Shipping: delivery date, tracking, late or lost parcel, shipping cost, where it is "
            "sent.",
            "発送や到着日、追跡番号、遅延、荷物の紛失、送料、お届け先について。",
            "Versand: Liefertermin, Sendungsverfolgung, verspätetes oder verlorenes Paket, "
            "Versandkosten, Lieferadresse.",
        ),
    ),
    Category(
        "return_refund",
        Words("Return & refund", "返品・返金", "Rückgabe & Erstattung"),
        Words(
            "Wants to send something back or exchange it, or wants the money back.",
            "商品を返したい、交換したい、代金を返してほしい。",
            "Möchte etwas zurückschicken oder umtauschen oder das Geld zurück.",
        ),
    ),
    Category(
        "invoice_payment",
        Words("Invoice & payment", "請求・支払い", "Rechnung & Zahlung"),
        Words(
            "Invoices, receipts, amounts charged, card, direct debit, reminders, tax numbers.",
            "請求書、領収書、引き落とし、カード決済、振込、二重請求、督促について。",
            "Rechnungen, Belege, abgebuchte Beträge, Karte, Lastschrift, Mahnung, Steuernummer.",
        ),
    ),
    Category(
        "price_quote",
        Words("Price & quote", "価格・見積もり", "Preis & Angebot"),
        Words(
            "What it costs: price list, quotation, volume discount, voucher, rates.",
            "いくらかかるか。料金表、見積書、数量割引、クーポン、プランの料金。",
            "Was es kostet: Preisliste, Kostenvoranschlag, Mengenrabatt, Gutschein, Tarife.",
        ),
    ),
    Category(
        "product_question",
        Words("Product question", "商品・サービスについて", "Frage zum Produkt"),
        Words(
            "What a product or service can do, size, material, compatibility, how it is used.",
            "商品やサービスの機能、サイズ、素材、対応機種、使い方についての質問。",
            "Was ein Produkt oder eine Leistung kann, Größe, Material, Verträglichkeit, Bedienung.",
        ),
    ),
    Category(
        "fault_repair",
        Words("Fault & repair", "故障・修理", "Störung & Reparatur"),
        Words(
            "Broken, faulty or not working; outage, error message, repair, spare part, warranty.",
            "壊れた、動かない、エラーが出る、障害、修理、部品交換、保証。",
            "Kaputt, defekt oder ohne Funktion; Ausfall, Fehlermeldung, Reparatur, Ersatzteil, "
            "Garantie.",
        ),
    ),
    Category(
        "account_access",
        Words("Account & access", "アカウント・ログイン", "Konto & Zugang"),
        Words(
            "Log-in, password, registration, user rights, locked account, activation code.",
            "ログインできない、パスワード、会員登録、権限、ロックの解除、認証コード。",
            "Anmeldung, Passwort, Registrierung, Benutzerrechte, gesperrtes Konto, Freischaltcode.",
        ),
    ),
    Category(
        "contract_cancellation",
        Words("Contract & cancellation", "契約・解約", "Vertrag & Kündigung"),
        Words(
            "Contract terms, notice period, renewal, upgrade, cancelling a subscription or "
            "membership.",
            "契約の内容や期間、更新、プラン変更、解約、退会、休会の手続き。",
            "Vertragsbedingungen, Kündigungsfrist, Verlängerung, Tarifwechsel, Ende von Abo oder "
            "Mitgliedschaft.",
        ),
    ),
    Category(
        "change_of_details",
        Words("Change of details", "登録情報の変更", "Geänderte Angaben"),
        Words(
            "New address, name, phone, bank account, contact person or billing data.",
            "住所、氏名、電話番号、口座、担当者、請求先などの変更。",
            "Neue Adresse, neuer Name, Telefonnummer, Bankverbindung, Ansprechpartner, "
            "Rechnungsanschrift.",
        ),
    ),
    Category(
        "appointment",
        Words("Appointment", "予約・日程", "Termin"),
        Words(
            "Books, moves or cancels a visit, a reservation, a call or a technician.",
            "来店、訪問、診察、見学などの予約、日時の変更やキャンセル。",
            "Vereinbart, verschiebt oder sagt ab: Besuch, Reservierung, Rückruf, Techniker.",
        ),
    ),
    Category(
        "personal_data",
        Words("Personal data", "個人情報", "Datenschutz"),
        Words(
            "Privacy: what we store, deletion, consent, newsletters, objection to advertising.",
            "個人情報の開示、削除、同意、メール配信の停止、情報の取扱い。",
            "Datenschutz: gespeicherte Daten, Auskunft, Löschung, Einwilligung, Newsletter, "
            "Widerspruch gegen Werbung.",
        ),
    ),
    Category(
        "praise_complaint",
        Words("Praise & complaint", "お褒め・苦情", "Lob & Beschwerde"),
        Words(
            "Praise, thanks, a recommendation, criticism or a complaint about people and service.",
            "対応や人へのお褒め、感謝、紹介、不満、苦情、ご意見。",
            "Lob, Dank, Empfehlung, Kritik oder Beschwerde über Menschen und Service.",
        ),
    ),
)

STAGE_KEYS: tuple[str, ...] = tuple(stage.key for stage in STAGES)
TOPIC_KEYS: tuple[str, ...] = tuple(topic.key for topic in TOPICS)

FLAGS: tuple[str, ...] = ("urgent", "complaint")  # what an inquiry can be besides
