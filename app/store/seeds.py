"""Rows every installation starts with: the stages' names, topics and segments."""

from sqlmodel import Session, select

from app.store.tables import Segment, Stage, StageVocabulary, Topic

# key, anchors, and what it is called in Japanese, German and English
STAGES = (
    ("awareness", ("A",), "ブランド認知", "Bekanntheit", "Awareness"),
    ("discovery", ("B",), "ディスカバリー", "Entdeckung", "Discovery"),
    ("engagement", ("C",), "エンゲージメント", "Auseinandersetzung", "Engagement"),
    ("conversion", ("D",), "コンバージョン", "Abschluss", "Conversion"),
    ("satisfaction", ("E", "F"), "サティスファクション", "Zufriedenheit", "Satisfaction"),
    ("experience", ("G", "H"), "体験", "Erlebnis", "Experience"),
    ("close_the_loop", ("L",), "クローズ・ザ・ループ", "Rückmeldung", "Close the loop"),
)

# The words of classifier/taxonomy.py, which this floor does not import; a test compares them.
TOPICS = (
    ("order_status", "注文状況", "Bestellstatus", "Order status"),
    ("delivery", "配送", "Lieferung", "Delivery"),
    ("return_refund", "返品・返金", "Rückgabe & Erstattung", "Return & refund"),
    ("invoice_payment", "請求・支払い", "Rechnung & Zahlung", "Invoice & payment"),
    ("price_quote", "価格・見積もり", "Preis & Angebot", "Price & quote"),
    ("product_question", "商品・サービスについて", "Frage zum Produkt", "Product question"),
    ("fault_repair", "故障・修理", "Störung & Reparatur", "Fault & repair"),
    ("account_access", "アカウント・ログイン", "Konto & Zugang", "Account & access"),
    ("contract_cancellation", "契約・解約", "Vertrag & Kündigung", "Contract & cancellation"),
    ("change_of_details", "登録情報の変更", "Geänderte Angaben", "Change of details"),
    ("appointment", "予約・日程", "Termin", "Appointment"),
    ("personal_data", "個人情報", "Datenschutz", "Personal data"),
    ("praise_complaint", "お褒め・苦情", "Lob & Beschwerde", "Praise & complaint"),
)

# Tried in this order; the last takes whoever is left.
SEGMENTS: tuple[tuple[str, dict[str, object], str, str, str], ...] = (
    ("business", {"company": True}, "法人のお客様", "Geschäftskunden", "Business"),
    ("first_time", {"max_tickets_before": 0}, "初めてのお客様", "Neue Kunden", "First-time"),
    ("returning", {"min_tickets_before": 1}, "リピーター", "Wiederkehrende Kunden", "Returning"),
    ("others", {}, "その他", "Andere", "Others"),
)


def seed(session: Session) -> None:
    """Fill the tables that are empty. What people made of the rows since then stays."""
    if not _any(session, StageVocabulary):
        vocabulary = StageVocabulary(key="seven", active=True)
        session.add(vocabulary)
        session.flush()
        for position, (key, anchors, *words) in enumerate(STAGES, 1):
            session.add(
                Stage(
                    vocabulary_id=vocabulary.id,
                    position=position,
                    key=key,
                    anchors=list(anchors),
                    labels=_labels(*words),
                )
            )
    if not _any(session, Topic):
        for position, (key, *words) in enumerate(TOPICS, 1):
            session.add(Topic(key=key, position=position, labels=_labels(*words)))
    if not _any(session, Segment):
        for position, (key, rule, *words) in enumerate(SEGMENTS, 1):
            session.add(
                Segment(key=key, position=position, labels=_labels(*words), rule=dict(rule))
            )
    session.flush()


def _any(session: Session, table: type[StageVocabulary] | type[Topic] | type[Segment]) -> bool:
    return session.exec(select(table.id).limit(1)).first() is not None


def _labels(ja: str, de: str, en: str) -> dict[str, str]:
    return {"ja": ja, "de": de, "en": en}
