"""Which language a text is taken for."""

import pytest

from classifier import corpus
from classifier.language import detect


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my order?", "en"),
        ("Wo bleibt meine Bestellung?", "de"),
        ("注文した荷物が届きません", "ja"),
        ("返品希望", "ja"),
        ("ﾊﾟｽﾜｰﾄﾞを忘れました", "ja"),
        ("SSO の設定で SAML metadata の URL がわかりません", "ja"),
        ("Dear team, my name is Tanaka (田中), I have a question about the invoice.", "en"),
        ("RÜCKSENDUNG FÜR GRÖSSE 42", "de"),
        ("I can’t log in", "en"),
        ("4711", ""),
        ("", ""),
        ("\ud800", ""),
        ("Где моя посылка?", ""),
        ("안녕하세요, 주문한 상품이 아직 도착하지 않았습니다.", ""),
        ("您好，我上周订购的商品还没有收到，请问什么时候发货？", ""),
        ("請問我的訂單何時會送達？我已經等了兩個星期了。", ""),
        ("契約解除希望", "ja"),
        ("Bonjour, je voudrais annuler mon contrat à la fin du mois. Merci.", ""),
        ("Le prix des abonnements a changé ? On me demande de payer plus.", ""),
        ("Hola, no he recibido mi pedido. ¿Me pueden decir cuando llega? He pagado.", ""),
        ("Buongiorno, vorrei sapere quando arriva il mio ordine.", ""),
        ("Bom dia, ainda não recebi a minha encomenda. Quando chega?", ""),
        ("Goedemorgen, ik heb een vraag over mijn bestelling. Wanneer wordt het geleverd?", ""),
        ("Hej, jag har inte fått min beställning än. När kommer den? För två veckor sedan.", ""),
        ("Hej, jeg har ikke fået min ordre endnu. Hvornår kommer den?", ""),
        ("Dzień dobry, nie otrzymałem jeszcze zamówienia. Do kiedy to będzie?", ""),
        ("Merhaba, siparişim hala gelmedi. Ne zaman gönderilecek? Teşekkürler, günler.", ""),
        ("Café Müller hat die Crème brûlée nicht geliefert, wo bleibt sie?", "de"),
        ("My La Marzocco does not heat. Can you send somebody to our café?", "en"),
        ("Refund please. 田中太郎", "en"),
    ],
)
def test_detect(text: str, language: str) -> None:
    assert detect(text) == language


def test_detect_knows_the_language_of_nearly_every_sample() -> None:
    samples = corpus.load()

    wrong = [sample for sample in samples if detect(sample.text) != sample.language]

    assert len(wrong) / len(samples) <= 0.02
