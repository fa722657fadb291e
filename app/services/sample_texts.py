"""Sixteen inquiries to a shop for lamps and desks, made up, in three languages."""

from dataclasses import dataclass

from app.domain.words import Head, Status

CUSTOMER, AGENT, NOTE = "customer", "agent", "note"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said, `hours` after the inquiry began."""

    who: str
    hours: float
    text: str


@dataclass(frozen=True, slots=True)
class Guess:
    """What the classifier is shown to have said. Without a label it was unsure."""

    label: str
    probability: float
    runner_up: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sign:
    """A flag it is shown to have raised, and the words that raised it."""

    head: Head
    probability: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inquiry:
    kind: str  # of the inbox it came in by
    language: str
    name: str
    address: str
    days_ago: float
    subject: str
    lines: tuple[Line, ...]
    stage: Guess
    topic: Guess
    status: Status = Status.OPEN
    score: int | None = None
    comment: str = ""
    company: str = ""
    seconds: int | None = None  # length of a call
    signs: tuple[Sign, ...] = ()
    like: tuple[tuple[str, float], ...] = ()  # addresses of those that mean nearly the same


INQUIRIES = (
    Inquiry(
        "email", "ja", "佐藤 美咲", "misaki.sato@example.jp", 0.08,
        "注文番号 K-20418 の返品について",
        (
            Line(
                CUSTOMER, 0,
                "お世話になっております。佐藤と申します。\n\n先日購入したデスクライト「ひので」"
                "(注文番号 K-20418)ですが、思っていたより光が黄色く、部屋に合いませんでした。"
                "箱と付属品はそろっています。返品は可能でしょうか。送料はどちらの負担になりますか。\n\n"
                "よろしくお願いいたします。",
            ),
        ),
        Guess("G", 0.71, "H", ("返品", "箱と付属品", "送料")),
        Guess("return_refund", 0.93, "delivery", ("返品", "送料")),
        like=(("s.takagi@example.jp", 0.91),),
    ),
    Inquiry(
        "email", "de", "Jonas Weber", "j.weber@moebelhaus-weber.example", 0.9,
        "Angebot für 24 Stehpulte",
        (
            Line(
                CUSTOMER, 0,
                "Guten Tag,\n\nwir richten im Frühjahr ein neues Büro in Kassel ein und brauchen "
                "24 höhenverstellbare Schreibtische, 160 × 80 cm, Eiche. Gibt es bei dieser Menge "
                "einen Rabatt, und wie lange wäre die Lieferzeit?\n\nMit freundlichen Grüßen\n"
                "Jonas Weber",
            ),
            Line(NOTE, 1.5, "Bei mehr als 20 Stück fragen wir den Einkauf nach dem Staffelpreis."),
        ),
        Guess("C", 0.88, "D", ("Rabatt", "24", "Lieferzeit")),
        Guess("price_quote", 0.95, "delivery", ("Rabatt", "Menge")),
        company="Möbelhaus Weber GmbH",
    ),
    Inquiry(
        "chat", "en", "Priya Nair", "visitor-58c1", 0.02,
        "",
        (
            Line(
                CUSTOMER, 0,
                "Hi! I ordered a Fern floor lamp yesterday (K-20733) and typed the wrong house "
                "number. It should be 14, not 41. Can you still change it before it ships?",
            ),
        ),
        Guess("D", 0.67, "F", ("ordered", "yesterday", "ships")),
        Guess("change_of_details", 0.58, "delivery", ("wrong house number",)),
    ),
    Inquiry(
        "phone", "ja", "田中 健一", "+81312345678", 1.2,
        "お電話: 昇降デスクの異音",
        (
            Line(
                CUSTOMER, 0,
                "昇降デスクを上げるとき、左側から「ギギッ」という音がする。購入は昨年の秋。"
                "保証期間内かどうか知りたいとのこと。写真をメールで送ってもらうようお願いした。",
            ),
            Line(NOTE, 0.4, "保証は3年。左脚のネジの緩みかもしれない。写真待ち。"),
        ),
        Guess("G", 0.82, "F", ("異音", "保証")),
        Guess("fault_repair", 0.9, "product_question", ("音がする", "保証期間")),
        status=Status.WAITING,
        seconds=340,
    ),
    Inquiry(
        "email", "en", "Tom Okafor", "tom.okafor@example.com", 6.0,
        "Thank you, and one small thing",
        (
            Line(
                CUSTOMER, 0,
                "Hello,\n\njust wanted to say the Hinode lamp is lovely and arrived two days "
                "early. The only thing missing was the printed manual. Is there a PDF?\n\nTom",
            ),
            Line(
                AGENT, 2.2,
                "Hello Tom,\n\nhow kind of you to tell us. The manual is on the page of the lamp, "
                "under **Downloads**. A printed one is in the post to you, too.\n\nEnjoy the "
                "light!",
            ),
        ),
        Guess("L", 0.61, "F", ("lovely", "wanted to say")),
        Guess("praise_complaint", 0.74, "product_question", ("lovely",)),
        status=Status.RESOLVED, score=5, comment="Quick and friendly, and the paper manual came!",
    ),
    Inquiry(
        "email", "de", "Helga Brandt", "helga.brandt@example.de", 9.0,
        "Rechnungsadresse falsch auf Rechnung 2026-1187",
        (
            Line(
                CUSTOMER, 0,
                "Sehr geehrte Damen und Herren,\n\nauf der Rechnung 2026-1187 steht noch meine "
                "alte Rechnungsadresse. Bitte senden Sie mir eine berichtigte Rechnung, das "
                "Finanzamt erkennt sie sonst nicht an.\n\nHelga Brandt",
            ),
            Line(
                AGENT, 26.0,
                "Guten Tag Frau Brandt,\n\nbitte entschuldigen Sie. Die berichtigte Rechnung geht "
                "heute noch an Sie, und die neue Adresse ist in Ihrem Konto hinterlegt.",
            ),
        ),
        Guess("E", 0.64, "H", ("Rechnung", "berichtigte")),
        Guess("invoice_payment", 0.92, "change_of_details", ("Rechnungsadresse", "Rechnung")),
        status=Status.RESOLVED, score=2,
        comment="Über einen Tag gewartet, und die erste Korrektur war wieder falsch.",
    ),
    Inquiry(
        "chat", "ja", "鈴木 蓮", "visitor-a07e", 0.3,
        "",
        (
            Line(
                CUSTOMER, 0,
                "こんにちは。在宅勤務用にデスクを探しています。奥行き60cmの部屋でも使えるモデルは"
                "ありますか？ショールームで実物を見られると嬉しいです。",
            ),
            Line(
                AGENT, 0.2,
                "こんにちは。奥行き55cmの「こだち」がございます。渋谷のショールームに展示中です。"
                "ご希望の日時はございますか？",
            ),
            Line(CUSTOMER, 0.5, "土曜の午後に伺いたいです。予約は必要ですか？"),
        ),
        Guess("C", 0.76, "B", ("探しています", "モデル")),
        Guess("appointment", 0.49, "product_question", ("ショールーム", "予約")),
    ),
    Inquiry(
        "email", "en", "Grace Lim", "grace.lim@studio-lim.example", 2.5,
        "Where is order K-20655?",
        (
            Line(
                CUSTOMER, 0,
                "Hi there,\n\nthe tracking page has said “label created” for six days now. The "
                "desks are for a client who opens on the 1st. Where is order K-20655?\n\nGrace Lim"
                "\nStudio Lim",
            ),
            Line(
                AGENT, 3.0,
                "Hi Grace,\n\nI called the carrier: the parcel was put on the wrong pallet and "
                "leaves tonight. You will have a new tracking number by tomorrow noon, and I "
                "will watch it myself.",
            ),
        ),
        Guess("E", 0.79, "D", ("tracking", "order")),
        Guess("order_status", 0.91, "delivery", ("Where is order", "tracking")),
        status=Status.WAITING, company="Studio Lim",
    ),
    Inquiry(
        "email", "de", "Mehmet Aydin", "m.aydin@example.org", 0.5,
        "Kündigung des Wartungsvertrags",
        (
            Line(
                CUSTOMER, 0,
                "Guten Tag,\n\nhiermit kündige ich den Wartungsvertrag W-3391 zum nächstmöglichen "
                "Zeitpunkt. Bitte bestätigen Sie mir das Datum schriftlich. Löschen Sie danach "
                "bitte meine personenbezogenen Daten, soweit Sie sie nicht aufbewahren müssen.",
            ),
        ),
        Guess("", 0.38, "H"),
        Guess("contract_cancellation", 0.84, "personal_data", ("kündige", "Wartungsvertrag")),
    ),
    Inquiry(
        "phone", "en", "Sam Whitfield", "+442079460018", 4.0,
        "Call: missing screws",
        (
            Line(
                CUSTOMER, 0,
                "Desk arrived without the bag of screws. Wants to build it at the weekend. "
                "Promised to send the bag by courier today.",
            ),
            Line(AGENT, 5.0, "The screws are on their way, number 77-104-2. They come tomorrow."),
        ),
        Guess("F", 0.69, "G", ("arrived", "missing")),
        Guess("delivery", 0.55, "fault_repair", ("arrived without",)),
        status=Status.RESOLVED, score=4, comment="Solved with one call.", seconds=190,
    ),
    Inquiry(
        "email", "ja", "高橋 由美子", "y.takahashi@hikari-design.example", 12.0,
        "カタログ送付のお願い",
        (
            Line(
                CUSTOMER, 0,
                "株式会社ひかり設計の高橋と申します。\n\n展示会で貴社の照明を拝見しました。"
                "オフィス向け製品のカタログを2部お送りいただけますでしょうか。",
            ),
            Line(
                AGENT, 4.0,
                "高橋様\n\nお問い合わせありがとうございます。本日カタログを2部発送いたしました。"
                "明後日までにお手元に届く予定です。",
            ),
        ),
        Guess("B", 0.73, "A", ("カタログ", "展示会")),
        Guess("product_question", 0.66, "price_quote", ("カタログ", "製品")),
        status=Status.RESOLVED, score=5, comment="丁寧で早い対応でした。",
        company="株式会社ひかり設計",
    ),
    Inquiry(
        "chat", "de", "Lena Vogt", "visitor-3be9", 1.0,
        "",
        (
            Line(
                CUSTOMER, 0,
                "Hallo, ich komme nicht mehr in mein Konto. Das neue Passwort wird nicht "
                "angenommen und der Link in der Mail ist angeblich abgelaufen.",
            ),
            Line(
                AGENT, 0.3,
                "Hallo Frau Vogt, ich habe Ihnen eben einen neuen Link geschickt. Er gilt eine "
                "Stunde. Klappt es damit?",
            ),
        ),
        Guess("H", 0.52, "G", ("Konto", "Passwort")),
        Guess("account_access", 0.96, "change_of_details", ("Passwort", "Konto")),
        status=Status.WAITING,
    ),
    Inquiry(
        "email", "ja", "高木 翔", "s.takagi@example.jp", 15.0,
        "ライトの色味が合わず、返品したいです",
        (
            Line(
                CUSTOMER, 0,
                "はじめまして。高木と申します。\n\nデスクライト「ひので」を購入しましたが、光の色が"
                "部屋に合いませんでした。未使用に近い状態です。返品の手順と送料を教えてください。",
            ),
            Line(
                AGENT, 3.0,
                "高木様\n\nお問い合わせありがとうございます。到着から30日以内でしたら返品を承ります。"
                "送料は当店が負担いたしますので、同封の返送用ラベルをお使いください。商品が戻りましたら、"
                "3営業日以内に全額をご返金いたします。",
            ),
        ),
        Guess("G", 0.74, "H", ("返品", "合いません")),
        Guess("return_refund", 0.94, "delivery", ("返品", "送料")),
        status=Status.RESOLVED, score=5, comment="返送用ラベルが入っていて助かりました。",
    ),
    Inquiry(
        "email", "ja", "森 沙織", "saori.mori@example.jp", 0.05,
        "届いたデスクの天板が割れています",
        (
            Line(
                CUSTOMER, 0,
                "本日届いた昇降デスク「こだち」の天板が、角から割れていました。箱にもつぶれた跡が"
                "あります。明後日から在宅勤務が始まるため、至急交換をお願いできますか。前回の椅子に続いて"
                "二度目で、正直なところ、とても残念です。",
            ),
        ),
        Guess("F", 0.81, "G", ("本日届いた", "割れて")),
        Guess("fault_repair", 0.72, "delivery", ("割れて", "交換")),
        signs=(
            Sign(Head.URGENT, 0.94, ("至急",)),
            Sign(Head.COMPLAINT, 0.9, ("二度目", "とても残念")),
        ),
    ),
    Inquiry(
        "email", "de", "Birgit Kern", "birgit.kern@example.de", 0.7,
        "Rechnung 2026-1302 zum dritten Mal falsch",
        (
            Line(
                CUSTOMER, 0,
                "Guten Tag,\n\nauf der Rechnung 2026-1302 steht wieder meine alte Adresse. Ich "
                "habe das schon zweimal gemeldet, und jedes Mal kam dieselbe Rechnung zurück. Das "
                "ist ärgerlich. Bitte senden Sie mir endlich eine berichtigte "
                "Rechnung.\n\nBirgit Kern",
            ),
        ),
        Guess("E", 0.66, "H", ("Rechnung", "berichtigte")),
        Guess("invoice_payment", 0.9, "change_of_details", ("Rechnung", "alte Adresse")),
        signs=(Sign(Head.COMPLAINT, 0.92, ("schon zweimal gemeldet", "ärgerlich")),),
        like=(("helga.brandt@example.de", 0.93),),
    ),
    Inquiry(
        "email", "en", "Oliver Grant", "oliver.grant@example.co.uk", 0.15,
        "Order K-20691 has not moved, we open on Thursday",
        (
            Line(
                CUSTOMER, 0,
                "Hello,\n\nthe tracking page of order K-20691 has not changed since last week, and "
                "our studio opens on Thursday. This is urgent: without the four desks nobody can "
                "work. Where are they?\n\nOliver Grant",
            ),
        ),
        Guess("E", 0.77, "D", ("tracking", "order")),
        Guess("order_status", 0.88, "delivery", ("Where are they", "tracking")),
        signs=(Sign(Head.URGENT, 0.93, ("This is urgent",)),),
        like=(("grace.lim@studio-lim.example", 0.9),),
    ),
)  # fmt: skip
