"""Turns of phrase that give a topic or a stage away, by language: learned from, never tested on.

A few hundred sample texts cannot hold every common way to say a common thing. Phrases are
separated by slashes; each is one short example.
"""

from classifier.taxonomy import Words

TOPIC_PHRASES: dict[str, Words] = {
    "order_status": Words(
        "status of my order / did my order go through / no order confirmation yet / "
        "has my order been processed / change my order / cancel the order I just placed / "
        "add an item to my order / order number / ordered twice by mistake / "
        "wrong quantity in the order / is my order still open / order not visible",
        "注文の状況を知りたい / 注文確認メールが届かない / 注文が完了しているか / 注文番号 / "
        "注文内容を変更したい / 注文をキャンセルしたい / 数量を間違えて注文 / "
        "二重に注文してしまった / 注文履歴に表示されない / 受注状況 / 注文を取り消したい / "
        "発注の確認",
        "Status meiner Bestellung / keine Bestellbestätigung bekommen / "
        "ist meine Bestellung eingegangen / Bestellung ändern / Bestellung stornieren / "
        "Bestellnummer / versehentlich doppelt bestellt / falsche Menge bestellt / "
        "Auftrag noch offen / Bearbeitungsstand / Auftragsbestätigung fehlt / "
        "noch einen Artikel hinzufügen",
    ),
    "delivery": Words(
        "where is my parcel / when will it be delivered / tracking number / delivery date / "
        "the package has not arrived / shipping costs / do you ship abroad / "
        "delivery address / the courier did not come / left with a neighbour / "
        "express shipping / delivered late / driver / lead time / parcel lost in the post",
        "荷物はいつ届きますか / 配送状況 / 追跡番号 / 届け日時の指定 / まだ届かない / "
        "送料はいくら / 海外発送 / 配達員 / 不在票 / 宅配便 / お届け先 / 納期 / "
        "配送が遅れている / 発送はいつ / 荷物が行方不明",
        "wo bleibt mein Paket / wann wird geliefert / Sendungsnummer / Liefertermin / "
        "Paket nicht angekommen / Versandkosten / Versand ins Ausland / Lieferadresse / "
        "Zusteller / beim Nachbarn abgegeben / Expressversand / Lieferung verspätet / "
        "Spedition / Lieferzeit / Sendungsverfolgung",
    ),
    "return_refund": Words(
        "return the item / send it back / refund / money back / exchange for another size / "
        "wrong item received / return label / right of withdrawal / refund not received / "
        "does not fit, exchange it / credit note for the return / return period / "
        "doesn't fit / swap it",
        "返品したい / 返金してほしい / 交換したい / サイズ交換 / 違う商品が届いた / "
        "返品の送料 / 返品期限 / 返送方法 / 返金はいつ / クーリングオフ / 未開封で返品 / "
        "払い戻し / 誤配送",
        "zurückschicken / Rücksendung / Geld zurück / Erstattung / umtauschen / "
        "falscher Artikel geliefert / Retourenschein / Widerrufsrecht / Rückgabe / "
        "andere Größe / Gutschrift für die Retoure / Rückgabefrist / passt nicht",
    ),
    "invoice_payment": Words(
        "invoice / charged twice / payment method / credit card declined / direct debit / "
        "receipt for tax / reminder although paid / pay by instalments / bank transfer / "
        "billing error / VAT number / amount is wrong / payment failed / "
        "debited from my account / bill too high",
        "請求書 / 領収書の発行 / 二重に引き落とし / クレジットカード決済 / 口座振替 / "
        "支払い方法 / 振込 / 督促状 / 請求金額が違う / 分割払い / 消費税 / "
        "支払いが完了しない / 引き落とし日 / インボイス / 請求額が高い",
        "Rechnung / doppelt abgebucht / Zahlungsart / Kreditkarte abgelehnt / Lastschrift / "
        "Beleg für die Steuer / Mahnung trotz Zahlung / Ratenzahlung / Überweisung / "
        "Rechnungsbetrag falsch / Umsatzsteuer / Zahlung fehlgeschlagen / Abschlag / Skonto / "
        "Betrag abgebucht",
    ),
    "price_quote": Words(
        "how much does it cost / price list / quote / quotation / volume discount / voucher / "
        "cheaper / special offer / what do you charge / student discount / rates / "
        "monthly fee / estimate / fee / price per piece / best price / coupon / bonus",
        "料金はいくらですか / 見積もり / 見積書 / 価格表 / 割引 / クーポン / 値段 / 数量割引 / "
        "学割 / 月額 / 費用 / 単価 / 安くなりますか / 概算 / キャンペーン / 予算 / 特典",
        "was kostet / Preisliste / Angebot / Kostenvoranschlag / Mengenrabatt / Gutschein / "
        "günstiger / Rabatt / Tarif / monatliche Gebühr / Studentenrabatt / Preis pro Stück / "
        "Konditionen / Staffelpreise / Preise / Prämie",
    ),
    "product_question": Words(
        "does it work with / which model / is it suitable for / what size / what material / "
        "how do I use it / instructions / features / does it contain / compatible / "
        "do you sell / do you offer / opening hours / catalogue / what do you make / "
        "difference between",
        "対応していますか / 使い方 / サイズは / 素材 / 機能 / 説明書 / 違いを教えて / "
        "取り扱っていますか / 原材料 / 対応機種 / 設定方法 / 営業時間 / カタログ / "
        "どのような会社 / おすすめは",
        "funktioniert das mit / welches Modell / geeignet für / welche Größe / Material / "
        "Anleitung / Funktionen / enthält / kompatibel / haben Sie auch / bieten Sie / "
        "Öffnungszeiten / Katalog / Unterschied zwischen / wie benutze ich / was machen Sie",
    ),
    "fault_repair": Words(
        "does not work / broken / defective / error message / won't switch on / leaking / "
        "strange noise / repair / warranty / spare part / outage / crashed / stopped working / "
        "technician for a repair / cracked / keeps failing / damaged",
        "壊れた / 動かない / 故障 / エラーが出る / 電源が入らない / 水漏れ / 異音 / 修理 / "
        "保証期間 / 部品交換 / 不具合 / 初期不良 / 停電 / つながらない / 割れている / 破損",
        "funktioniert nicht / kaputt / defekt / Fehlermeldung / lässt sich nicht einschalten / "
        "undicht / komisches Geräusch / Reparatur / Garantie / Ersatzteil / Störung / "
        "Ausfall / abgestürzt / geht nicht mehr / gebrochen / Gewährleistung / beschädigt",
    ),
    "account_access": Words(
        "cannot log in / forgot password / reset link / account locked / verification code / "
        "register / create an account / user rights / add a user / two-factor / app / "
        "sign in / activation mail / username / access to the portal / login",
        "ログインできない / パスワードを忘れた / 再設定メール / アカウントがロック / "
        "認証コード / 会員登録 / 新規登録 / 権限 / ユーザー追加 / 二段階認証 / アプリ / "
        "マイページ / ID / 利用者の追加",
        "kann mich nicht einloggen / Passwort vergessen / Zugangsdaten / Konto gesperrt / "
        "Bestätigungscode / registrieren / Konto anlegen / Benutzerrechte / "
        "Nutzer hinzufügen / App / anmelden / Aktivierungslink / Kundenportal / Login / "
        "Benutzername",
    ),
    "contract_cancellation": Words(
        "cancel my subscription / terminate the contract / notice period / end my membership / "
        "renew the contract / contract term / upgrade my plan / switch plan / extend / "
        "pause my membership / automatic renewal / leaving you / sign the contract / "
        "terms of contract",
        "解約したい / 契約を更新 / 退会 / 契約期間 / 休会 / プラン変更 / 自動更新 / "
        "定期購入を止めたい / 違約金 / 契約書 / 乗り換え / アップグレード / 契約内容 / 解除 / "
        "継続",
        "kündigen / Kündigung / Kündigungsfrist / Vertrag verlängern / Vertragslaufzeit / "
        "Mitgliedschaft beenden / Abo kündigen / Tarif wechseln / pausieren / "
        "automatische Verlängerung / Vertragsende / Anbieter wechseln / "
        "Vertrag unterschreiben / Vertrag",
    ),
    "change_of_details": Words(
        "new address / moved house / changed my name / new phone number / new bank details / "
        "update my email / different contact person / billing address / we have moved / "
        "my surname is now / correct the spelling of my name / change the recipient",
        "住所変更 / 引っ越し / 改姓 / 電話番号が変わった / 口座変更 / メールアドレスの変更 / "
        "担当者変更 / 請求先の変更 / 名義変更 / 転居 / 登録情報 / 宛名を変更",
        "neue Adresse / umgezogen / Umzug / Namensänderung / neue Telefonnummer / "
        "neue Bankverbindung / E-Mail-Adresse ändern / neuer Ansprechpartner / "
        "Rechnungsadresse / geheiratet / Anschrift ändern / Schreibweise meines Namens",
    ),
    "appointment": Words(
        "make an appointment / book / reschedule / move the date / cancel my appointment / "
        "when is the technician coming / free slot / reservation / visit / meeting / "
        "call me back / open day / next week / on Thursday afternoon / available times",
        "予約したい / 日程変更 / 予約の変更 / 予約をキャンセル / 訪問日時 / 空きはありますか / "
        "見学 / 打ち合わせ / 折り返し電話 / 来店 / 都合の良い日 / 何時から / 候補日 / 面談",
        "Termin vereinbaren / Termin verschieben / buchen / Termin absagen / "
        "wann kommt der Techniker / freier Termin / Reservierung / Besuch / Besprechung / "
        "Rückruf / Besichtigung / nächste Woche / Donnerstag Nachmittag / Uhrzeit",
    ),
    "personal_data": Words(
        "delete my data / privacy / GDPR / what data do you hold / "
        "where did you get my address / unsubscribe from the newsletter / "
        "stop sending advertising / consent / photos of me / data protection officer / "
        "publish my name / who has access to my data / confidential",
        "個人情報 / データを削除 / 開示請求 / プライバシー / メルマガの停止 / 配信停止 / "
        "どこで私の住所を / 同意 / 写真の掲載 / 情報の取り扱い / 名前を出さない / 第三者提供 / "
        "匿名",
        "Daten löschen / Datenschutz / DSGVO / welche Daten haben Sie / "
        "woher haben Sie meine Adresse / Newsletter abbestellen / keine Werbung mehr / "
        "Einwilligung / Fotos / Datenschutzbeauftragter / Auskunft / Name veröffentlichen / "
        "gespeicherte Daten / anonym",
    ),
    "praise_complaint": Words(
        "thank you so much / great service / very friendly / disappointed / complaint / rude / "
        "unacceptable / keep it up / recommend you / well done / not satisfied / "
        "praise for your team / I was treated badly / excellent / compliment",
        "ありがとうございました / とても親切 / 満足しています / 残念でした / 苦情 / "
        "対応が悪い / 不満 / 感謝 / おすすめしたい / 素晴らしい / がっかり / 態度 / 褒めたい / "
        "助かりました",
        "vielen Dank / toller Service / sehr freundlich / enttäuscht / Beschwerde / "
        "unfreundlich / unverschämt / weiter so / weiterempfehlen / großes Lob / unzufrieden / "
        "begeistert / Frechheit / hervorragend / nette Mitarbeiter",
    ),
}

STAGE_PHRASES: dict[str, Words] = {
    "A": Words(
        "I saw your advertisement / read an article about you / who are you / saw your van / "
        "your stand at the fair / heard about you on the radio / press enquiry / interview / "
        "where are you based / first contact / your poster / found your flyer / "
        "I am a journalist",
        "広告を見て / 記事を読んで / どのような会社ですか / 看板を見かけ / 展示会で / "
        "ラジオで / 取材 / 所在地 / はじめてご連絡 / チラシ / テレビで拝見 / 名刺交換 / "
        "何をしている会社",
        "Anzeige gesehen / Artikel über Sie gelesen / wer sind Sie / Ihr Plakat / Messestand / "
        "im Radio gehört / Presseanfrage / Interview / wo sitzen Sie / erstmals Kontakt / "
        "Flyer / Ihr Lieferwagen / was macht Ihre Firma",
    ),
    "B": Words(
        "opening hours / send me a catalogue / brochure / what do you offer / do you have / "
        "how does it work in general / where can I find information / which courses / "
        "parking / more information / do you also / overview of your services",
        "営業時間 / カタログを送って / 資料請求 / どのようなサービス / 取り扱いはありますか / "
        "仕組み / 詳しく知りたい / コース一覧 / 駐車場 / パンフレット / 定休日 / 情報を探して",
        "Öffnungszeiten / Katalog zuschicken / Prospekt / was bieten Sie an / haben Sie auch / "
        "wie läuft das ab / wo finde ich Informationen / welche Kurse / Parkplätze / "
        "Infomaterial / Überblick / Broschüre",
    ),
    "C": Words(
        "quote please / compare with / trial / sample / before I order / "
        "which would you recommend / is it suitable / discount if we take / "
        "cheaper elsewhere / free test / deciding between / if I order / considering / "
        "would it fit / offer from a competitor",
        "見積もりをお願い / 比較 / お試し / サンプル / 購入を検討 / 購入前に / 他社 / "
        "無料体験 / 割引 / どちらがおすすめ / 迷っています / 導入を検討 / 合うか / "
        "相見積もり / もし注文したら",
        "Angebot bitte / im Vergleich / Probezeit / Muster / vor dem Kauf / "
        "was empfehlen Sie / geeignet / Rabatt bei / woanders günstiger / kostenlos testen / "
        "schwanke zwischen / überlege / Mitbewerber / wenn ich bestelle / Probestunde",
    ),
    "D": Words(
        "I would like to order / just ordered / I want to sign up / checkout / pay now / "
        "cancel the order I placed today / order confirmation / start of the contract / "
        "enrol / when will my order arrive / registration / please deliver to / "
        "purchase order attached / placed an order this morning",
        "注文したい / 先ほど注文 / 申し込みたい / 決済画面 / 本日注文した / 注文確認 / "
        "契約開始 / 入会手続き / いつ届きますか / 発注書 / 購入手続き / 今朝注文 / "
        "カートに入れた / 申込書",
        "möchte bestellen / gerade bestellt / möchte mich anmelden / Kasse / "
        "heute aufgegebene Bestellung / Auftragsbestätigung / Vertragsbeginn / einschreiben / "
        "wann kommt meine Bestellung / hiermit bestelle ich / Bestellung anbei / "
        "eben bestellt / Anmeldung",
    ),
    "E": Words(
        "how do I set up / how to use / install / log in / since we use it / configure / "
        "first use / instructions / add a user / where do I find the setting / our account / "
        "connect / my new device / next appointment / password / update our address",
        "設定方法 / 使い方 / 取り付け / ログイン / 利用しています / 初期設定 / 説明書 / "
        "ユーザー追加 / どこから設定 / 接続 / 使い始めた / 次回の予約 / パスワード / "
        "登録情報の変更 / 操作",
        "wie richte ich ein / wie benutze ich / installieren / einloggen / wir nutzen / "
        "einstellen / Inbetriebnahme / Anleitung / Nutzer anlegen / "
        "wo finde ich die Einstellung / verbinden / mein neues Gerät / nächster Termin / "
        "Passwort / neue Anschrift",
    ),
    "F": Words(
        "broken / wrong item / still has not arrived / refund / send it back / warranty / "
        "repair / complaint / damaged / overdue / unacceptable / third time / "
        "stopped working / missing parts / overcharged / nobody called back",
        "壊れた / 違う商品 / まだ届かない / 返金 / 返品 / 保証 / 修理 / 苦情 / 破損 / "
        "遅れている / 何度も / 動かなくなった / 部品が足りない / 請求が間違って / 連絡がない / "
        "不良品",
        "kaputt / falscher Artikel / immer noch nicht angekommen / Erstattung / "
        "zurückschicken / Garantie / Reparatur / Beschwerde / beschädigt / überfällig / "
        "unverschämt / zum dritten Mal / geht nicht mehr / fehlt / zu viel abgebucht / "
        "Reklamation",
    ),
    "G": Words(
        "renew / reorder / same again / for years / loyalty points / upgrade / "
        "extend my subscription / cancel my membership / end the contract / notice / "
        "as every year / switch to a competitor / long-standing customer / next year again / "
        "terminate",
        "更新 / 再注文 / 前回と同じ / 長年 / ポイント / アップグレード / 継続 / 退会 / 解約 / "
        "毎年 / 乗り換え / リピート / 来年も / 定期便 / 契約満了",
        "verlängern / nachbestellen / wie letztes Mal / seit Jahren / Treuepunkte / "
        "größerer Tarif / Abo verlängern / kündigen / Kündigung / wie jedes Jahr / "
        "Anbieter wechseln / Stammkunde / nächstes Jahr wieder / Vertragsende",
    ),
    "H": Words(
        "recommend you / told my friends / referral bonus / write a testimonial / "
        "refer a friend / become a reseller / quote me / my colleague would like / partner / "
        "spread the word / review / you may name us as a reference / tell everyone",
        "紹介したい / 友人に勧め / 紹介特典 / お客様の声 / 知人を紹介 / 代理店 / 推薦 / "
        "口コミ / パートナー / みんなに話して / 事例として / 紹介コード / おすすめして",
        "weiterempfehlen / Freunden erzählt / Empfehlungsprämie / Freunde werben / Referenz / "
        "Vertriebspartner / Bewertung schreiben / meine Kollegin möchte auch / "
        "Erfahrungsbericht / Kunden werben Kunden / jedem erzählen / empfohlen",
    ),
    "L": Words(
        "survey / feedback / suggestion / next time / for the future / it would be better if / "
        "in hindsight / thank you, all settled / my opinion / out of ten / improvement / "
        "just wanted to say / looking back / questionnaire / stars",
        "アンケート / ご意見 / 改善してほしい / 次回は / 今後のために / 感想 / 無事解決 / "
        "要望 / 点数 / 提案 / 先日はお世話になりました / 振り返って / 評価 / 星",
        "Umfrage / Rückmeldung / Vorschlag / beim nächsten Mal / für die Zukunft / "
        "besser wäre / im Nachhinein / Sache ist erledigt / meine Meinung / von zehn Punkten / "
        "Verbesserung / wollte nur sagen / rückblickend / Fragebogen / Sterne",
    ),
}
