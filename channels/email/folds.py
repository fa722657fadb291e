"""What the form of a mail inbox folds away; each setting of `EmailConfig` at most once."""

from channels.form import Fold

FOLDS = (
    Fold(
        "Servers",
        "Where mail is fetched, and where answers are handed in.",
        (
            "imap_host",
            "imap_port",
            "imap_security",
            "smtp_host",
            "smtp_port",
            "smtp_security",
            "smtp_sign_in",
            "smtp_username",
            "smtp_password",
            "catch_tls_ca",
        ),
    ),
    Fold(
        "Sign-in by OAuth",
        "For providers that take no password from programs, such as Microsoft 365.",
        (
            "auth",
            "oauth_client_id",
            "oauth_client_secret",
            "oauth_consent_url",
            "oauth_token_url",
            "oauth_scopes",
            "oauth_refresh_token",
        ),
    ),
    Fold(
        "Folder and first import",
        "Which folder is fetched, and from when on. By default: the inbox, from now on.",
        ("folder", "import_since", "import_days"),
    ),
    Fold(
        "Filed mails on the server",
        "What is done there with mails that are filed here. By default: nothing.",
        ("after_filing", "after_folder"),
    ),
    Fold(
        "How answers find their ticket",
        "What helps where a mail program loses the thread.",
        ("reply_tokens", "body_marks", "subject_tags"),
    ),
    Fold(
        "Sent folder",
        "For teams that also read this mailbox with a mail program.",
        ("sent_copy", "sent_watch", "sent_folder"),
    ),
    Fold(
        "Signature of outgoing mail",
        "For a server of your own that does not sign what it sends.",
        (
            "dkim_sign",
            "dkim_selector",
            "dkim_key",
            "dkim_second_sign",
            "dkim_second_selector",
            "dkim_second_key",
        ),
    ),
    Fold(
        "Who wrote a mail",
        "Whose word is taken for it. By default it is whoever the mail names, and nobody checks.",
        ("trusted_servers", "exchange_online", "senders_for_others"),
    ),
)
