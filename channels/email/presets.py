"""What mail providers want of a program. Read in public lists and pages; none of it was tried.

Where `source` is Mozilla's list (autoconfig.thunderbird.net), the provider's own help is linked
there. Of Japanese providers it is the provider's page as public lists of settings name it.
"""

from channels.form import OTHER, Preset

AS_OF = "2026-11-22"
JAPAN, GERMANY, WORLD = "Japan", "Germany", "Worldwide"

_PASSWORD = "The password of the mailbox is enough."  # noqa: S105 - a sentence
_SWITCH_ON = "First allow access by IMAP in the settings of the mailbox, on the provider's pages."
_SAKURA = (
    "Both servers are the initial domain of your contract, such as example.sakura.ne.jp, which the "
    "control panel shows. The user name is the whole mail address."
)
_XSERVER = (
    "Both servers have the name that the server panel shows under server information, such as "
    "sv123.xserver.jp. The user name is the whole mail address."
)
_SONET = "IMAP is an option with So-net that has to be ordered first."
_GOOGLE = (
    "Google refuses the usual password: make an app password, which needs two-step verification "
    "on that account."
)
_GOOGLE_OAUTH = (
    "Register an application with Google, as a web application, and fill in its client id and "
    "secret below. Save, then grant access on the next page."
)
_MICROSOFT = (
    "Microsoft takes no password from programs. Register an application with Microsoft and fill in "
    "its client id and secret below; save, then grant access on the next page. In Microsoft 365 an "
    "administrator may first have to allow SMTP for this mailbox."
)
_APP_PASSWORD = "Make an app password in the account settings of the provider and use it here."  # noqa: S105
_APPLE = (
    "Make an app-specific password for your Apple account. If Apple refuses the mail address as "
    "user name, use the part before the @, and the whole address as user name for sending."
)
_BEFORE_AT = (
    "First allow access by IMAP in the settings of the mailbox. If the mail address is refused as "
    "user name, use the part before the @. With two-factor sign-in you need an app password."
)
_ON_AND_TWO_FACTORS = (
    "First allow access by IMAP in the settings of the mailbox. With two-factor sign-in you need "
    "an app password."
)
_TELEKOM = (
    "Use the password for mail programs, which you set in Telekom's customer centre. The one for "
    "the web pages is refused."
)
_TWO_FACTORS = "With two-factor sign-in you need an app password; otherwise that of the mailbox."
_ZOHO = (
    "First allow access by IMAP in Zoho's settings. Accounts outside the United States and those "
    "with a domain of their own have other servers: Zoho's settings name them."
)
_PROTON = (
    "Proton Mail Bridge must run on this machine. Use the user name and password that Bridge "
    "shows, export its certificate, and give the path of that file as the certificate authority."
)
_DOCOMO = (
    "Use the user name (the d account) and the separate IMAP password, which docomo issues in the "
    "settings of its mail."
)


def _servers(imap: str, smtp: str = "", *, starttls: bool = False) -> dict[str, str]:
    """As the form holds them: one name for both unless two are given, TLS unless said."""
    return {
        "imap_host": imap,
        "imap_port": "993",
        "imap_security": "tls",
        "smtp_host": smtp or imap,
        "smtp_port": "587" if starttls else "465",
        "smtp_security": "starttls" if starttls else "tls",
    }


_GOOGLE_ACCESS = {
    "auth": "oauth",
    "oauth_consent_url": "https://accounts.google.com/o/oauth2/v2/auth",
    "oauth_token_url": "https://oauth2.googleapis.com/token",
    "oauth_scopes": "https://mail.google.com/",
}
_MICROSOFT_ACCESS = {
    "auth": "oauth",
    "oauth_consent_url": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
    "oauth_token_url": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    "oauth_scopes": "https://outlook.office.com/IMAP.AccessAsUser.All "
    "https://outlook.office.com/SMTP.Send offline_access",
}
_PROTON_BRIDGE = {
    "imap_host": "127.0.0.1",
    "imap_port": "1143",
    "imap_security": "starttls",
    "smtp_host": "127.0.0.1",
    "smtp_port": "1025",
    "smtp_security": "starttls",
}


def _mozilla(domain: str) -> str:
    return f"https://autoconfig.thunderbird.net/v1.1/{domain}"


PRESETS = (
    Preset(OTHER, "Another provider or server", asks=("imap_host", "smtp_host")),
    Preset(
        key="yahoo-jp",
        name="Yahoo! JAPANメール",
        region=JAPAN,
        values=_servers("imap.mail.yahoo.co.jp", "smtp.mail.yahoo.co.jp"),
        domains=("yahoo.co.jp", "ymail.ne.jp"),
        words=_SWITCH_ON,
        source="https://support.yahoo-net.jp/PccMail/s/article/H000014864",
        as_of=AS_OF,
    ),
    Preset(
        key="sakura",
        name="さくらのレンタルサーバ",
        region=JAPAN,
        asks=("imap_host", "smtp_host"),
        domains=("sakura.ne.jp",),
        words=_SAKURA,
        source="https://help.sakura.ad.jp/mail/2114/",
        as_of=AS_OF,
    ),
    Preset(
        key="xserver",
        name="エックスサーバー",
        region=JAPAN,
        asks=("imap_host", "smtp_host"),
        domains=("xserver.jp",),
        words=_XSERVER,
        source="https://www.xserver.ne.jp/manual/man_mail_setting.php",
        as_of=AS_OF,
    ),
    Preset(
        key="ocn",
        name="OCN",
        region=JAPAN,
        values=_servers("imap.ocn.ne.jp", "smtp.ocn.ne.jp"),
        domains=("ocn.ne.jp",),
        words=_PASSWORD,
        source="https://support.ntt.com/ocn-business/support/detail/pid21000001uk9/",
        as_of=AS_OF,
    ),
    Preset(
        key="biglobe",
        name="BIGLOBE",
        region=JAPAN,
        values=_servers("mail.biglobe.ne.jp"),
        domains=("biglobe.ne.jp",),
        words=_PASSWORD,
        source="https://support.biglobe.ne.jp/settei/mailer/imap.html",
        as_of=AS_OF,
    ),
    Preset(
        key="so-net",
        name="So-net",
        region=JAPAN,
        values=_servers("imap.so-net.ne.jp", "mail.so-net.ne.jp", starttls=True),
        domains=("so-net.ne.jp",),
        words=_SONET,
        source="https://support.so-net.ne.jp/fa/faq/web/knowledge1804.html",
        as_of=AS_OF,
    ),
    Preset(
        key="docomo",
        name="ドコモメール",
        region=JAPAN,
        values=_servers("imap.spmode.ne.jp", "smtp.spmode.ne.jp"),
        domains=("docomo.ne.jp",),
        words=_DOCOMO,
        source="https://www.docomo.ne.jp/service/spmode/function/mail/usage/",
        as_of=AS_OF,
    ),
    Preset(
        key="gmx",
        name="GMX",
        region=GERMANY,
        values=_servers("imap.gmx.net", "mail.gmx.net"),
        domains=("gmx.de", "gmx.net", "gmx.at", "gmx.ch"),
        words=_ON_AND_TWO_FACTORS,
        source=_mozilla("gmx.net"),
        as_of=AS_OF,
    ),
    Preset(
        key="web-de",
        name="WEB.DE",
        region=GERMANY,
        values=_servers("imap.web.de", "smtp.web.de"),
        domains=("web.de",),
        words=_BEFORE_AT,
        source=_mozilla("web.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="t-online",
        name="Telekom (T-Online)",
        region=GERMANY,
        values=_servers("secureimap.t-online.de", "securesmtp.t-online.de"),
        domains=("t-online.de", "magenta.de"),
        words=_TELEKOM,
        source=_mozilla("t-online.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="ionos",
        name="IONOS",
        region=GERMANY,
        values=_servers("imap.ionos.de", "smtp.ionos.de"),
        words=_PASSWORD,
        source=_mozilla("ionos.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="strato",
        name="STRATO",
        region=GERMANY,
        values=_servers("imap.strato.de", "smtp.strato.de"),
        words=_PASSWORD,
        source=_mozilla("strato.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="hetzner",
        name="Hetzner (Webhosting)",
        region=GERMANY,
        values=_servers("mail.your-server.de"),
        words=_PASSWORD,
        source=_mozilla("your-server.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="mailbox-org",
        name="mailbox.org",
        region=GERMANY,
        values=_servers("imap.mailbox.org", "smtp.mailbox.org"),
        domains=("mailbox.org",),
        words=_TWO_FACTORS,
        source=_mozilla("mailbox.org"),
        as_of=AS_OF,
    ),
    Preset(
        key="posteo",
        name="Posteo",
        region=GERMANY,
        values=_servers("posteo.de"),
        domains=("posteo.de", "posteo.net", "posteo.org", "posteo.at", "posteo.ch"),
        words=_PASSWORD,
        source=_mozilla("posteo.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="freenet",
        name="freenet Mail",
        region=GERMANY,
        values=_servers("mx.freenet.de"),
        domains=("freenet.de",),
        words=_SWITCH_ON,
        source=_mozilla("freenet.de"),
        as_of=AS_OF,
    ),
    Preset(
        key="gmail",
        name="Gmail, Google Workspace",
        region=WORLD,
        values=_servers("imap.gmail.com", "smtp.gmail.com"),
        domains=("gmail.com", "googlemail.com"),
        words=_GOOGLE,
        source=_mozilla("gmail.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="google-oauth",
        name="Google Workspace, OAuth",
        region=WORLD,
        values=_servers("imap.gmail.com", "smtp.gmail.com") | _GOOGLE_ACCESS,
        asks=("oauth_client_id", "oauth_client_secret"),
        skips=("imap_password",),
        words=_GOOGLE_OAUTH,
        source=_mozilla("gmail.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="microsoft",
        name="Microsoft 365, Outlook.com",
        region=WORLD,
        values=_servers("outlook.office365.com", "smtp.office365.com", starttls=True)
        | _MICROSOFT_ACCESS,
        asks=("oauth_client_id", "oauth_client_secret"),
        skips=("imap_password",),
        domains=(
            "outlook.com",
            "outlook.jp",
            "outlook.de",
            "hotmail.com",
            "hotmail.co.jp",
            "hotmail.de",
            "live.com",
            "live.jp",
            "live.de",
            "msn.com",
            "onmicrosoft.com",
        ),
        words=_MICROSOFT,
        source=_mozilla("outlook.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="icloud",
        name="iCloud",
        region=WORLD,
        values=_servers("imap.mail.me.com", "smtp.mail.me.com", starttls=True),
        domains=("icloud.com", "me.com", "mac.com"),
        words=_APPLE,
        source=_mozilla("icloud.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="yahoo",
        name="Yahoo Mail",
        region=WORLD,
        values=_servers("imap.mail.yahoo.com", "smtp.mail.yahoo.com"),
        domains=("yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr", "ymail.com", "rocketmail.com"),
        words=_APP_PASSWORD,
        source=_mozilla("yahoo.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="fastmail",
        name="Fastmail",
        region=WORLD,
        values=_servers("imap.fastmail.com", "smtp.fastmail.com"),
        domains=("fastmail.com", "fastmail.fm"),
        words=_APP_PASSWORD,
        source=_mozilla("fastmail.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="zoho",
        name="Zoho Mail",
        region=WORLD,
        values=_servers("imap.zoho.com", "smtp.zoho.com"),
        domains=("zoho.com", "zohomail.com"),
        words=_ZOHO,
        source=_mozilla("zoho.com"),
        as_of=AS_OF,
    ),
    Preset(
        key="proton",
        name="Proton Mail Bridge",
        region=WORLD,
        values=_PROTON_BRIDGE,
        asks=("catch_tls_ca",),
        domains=("proton.me", "protonmail.com", "pm.me"),
        words=_PROTON,
        source="https://proton.me/support/protonmail-bridge-install",
        as_of=AS_OF,
    ),
)
