"""Models for the tests of the classifier: a small one from a few lines, and the shipped one."""

from collections.abc import Sequence

import pytest

from classifier import features, fitting, train
from classifier.corpus import Sample
from classifier.encoders import Encoder, of_profile
from classifier.fitting import Terms
from classifier.fusion import Row
from classifier.material import Text
from classifier.model import Identity, Model

# stage, topic, firm, language, text
_LINES: Sequence[tuple[str, str, str, str, str]] = (
    ("F", "fault_repair", "kettles", "en", "The kettle is broken and will not switch on any more."),
    (
        "F",
        "fault_repair",
        "pumps",
        "en",
        "Our pump is leaking again, please repair it under warranty",
    ),
    (
        "F",
        "return_refund",
        "shoes",
        "en",
        "These shoes do not fit, I want to return them for a refund",
    ),
    (
        "F",
        "return_refund",
        "kettles",
        "en",
        "Wrong colour arrived. I send it back, refund my money",
    ),
    (
        "C",
        "price_quote",
        "pumps",
        "en",
        "Please send a quote for twelve pumps, is there a discount?",
    ),
    ("C", "price_quote", "shoes", "en", "What does the hiking boot cost if our club takes thirty?"),
    (
        "G",
        "contract_cancellation",
        "gym",
        "en",
        "I want to cancel my membership at the end of June",
    ),
    (
        "G",
        "contract_cancellation",
        "power",
        "en",
        "After ten years we end the contract, confirm it",
    ),
    ("D", "delivery", "shoes", "en", "I ordered this morning, when will the parcel be delivered?"),
    ("D", "delivery", "kettles", "en", "Just paid for the kettle. Which day does delivery come?"),
    ("F", "fault_repair", "kettles", "de", "Der Wasserkocher ist kaputt und geht nicht mehr an."),
    ("F", "fault_repair", "pumps", "de", "Unsere Pumpe ist undicht, bitte auf Garantie reparieren"),
    ("F", "return_refund", "shoes", "de", "Die Schuhe passen nicht, ich möchte sie zurückschicken"),
    ("F", "return_refund", "gym", "de", "Falsche Hose geliefert, ich will mein Geld zurück"),
    ("C", "price_quote", "pumps", "de", "Bitte ein Angebot über zwölf Pumpen, gibt es Rabatt?"),
    (
        "C",
        "price_quote",
        "shoes",
        "de",
        "Was kostet der Wanderschuh, wenn der Verein dreißig nimmt",
    ),
    ("G", "contract_cancellation", "gym", "de", "Ich kündige meine Mitgliedschaft zum Ende Juni"),
    ("G", "contract_cancellation", "power", "de", "Nach zehn Jahren kündigen wir den Vertrag"),
    ("D", "delivery", "shoes", "de", "Heute früh bestellt, wann wird das Paket geliefert?"),
    ("D", "delivery", "kettles", "de", "Eben bezahlt. An welchem Tag kommt die Lieferung?"),
    ("F", "fault_repair", "kettles", "ja", "電気ケトルが壊れて電源が入りません。修理できますか。"),
    ("F", "fault_repair", "pumps", "ja", "ポンプから水漏れしています。保証で修理をお願いします。"),
    ("F", "return_refund", "shoes", "ja", "靴のサイズが合わないので返品して返金してほしいです。"),
    ("F", "return_refund", "gym", "ja", "違う商品が届きました。返送しますので返金をお願いします。"),
    ("C", "price_quote", "pumps", "ja", "ポンプ十二台の見積もりをお願いします。割引はありますか。"),
    ("C", "price_quote", "shoes", "ja", "登山靴を三十足購入する場合の価格を検討しています。"),
    ("G", "contract_cancellation", "gym", "ja", "六月末で退会したいです。長年お世話になりました。"),
    (
        "G",
        "contract_cancellation",
        "power",
        "ja",
        "十年続けた契約を解約します。手続きを教えてください。",
    ),
    ("D", "delivery", "shoes", "ja", "今朝注文した荷物はいつ届きますか。"),
    ("D", "delivery", "kettles", "ja", "先ほど支払いました。配送日はいつになりますか。"),
)


def words_of(text: str) -> list[str]:
    """The names of its word features, as a vectoriser wants them."""
    return features.word_features(features.tokens(features.clean(text).text)).names


def chars_of(text: str) -> list[str]:
    return features.char_features(features.tokens(features.clean(text).text)).names


def small_samples() -> list[Sample]:
    return [
        Sample(text, stage, topic, "email", firm, language)
        for stage, topic, firm, language, text in _LINES
    ]


def small_texts(samples: Sequence[Sample]) -> list[Text]:
    return [
        Text(sample.text, sample.firm, sample.language, ref=f"line-{number}")
        for number, sample in enumerate(samples)
    ]


def rows_of(samples: Sequence[Sample], kind: str) -> list[Row]:
    return [Row(place, getattr(sample, kind)) for place, sample in enumerate(samples)]


def fit_small(encoder: Encoder) -> Model:
    samples = small_samples()
    lines = list(enumerate(samples))
    return fitting.fit_model(
        small_texts(samples),
        {"stage": rows_of(samples, "stage"), "topic": rows_of(samples, "topic")},
        Identity("small", len(samples)),
        encoder,
        Terms(rarest=1),
        flags={
            "urgent": [Row(n, "yes" if "leak" in one.text else "no") for n, one in lines],
            "complaint": [Row(n, "yes" if one.stage == "F" else "no") for n, one in lines],
        },
    )


@pytest.fixture(scope="session", params=train.PROFILES)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Whatever holds for one profile holds for the other."""
    return of_profile(request.param)


@pytest.fixture(scope="session")
def small_model(encoder: Encoder) -> Model:
    return fit_small(encoder)
