"""What the server that took a message found out about its sender."""

from dataclasses import dataclass

PASS, FAIL = "pass", "fail"


@dataclass(frozen=True, slots=True)
class Verdicts:
    """Of each check PASS, FAIL, or "" where it was not made or told nothing."""

    spf: str = ""
    dkim: str = ""
    dkim_domain: str = ""  # whose signature holds
    dmarc: str = ""
    compauth: str = ""  # Microsoft's own, of all the others together
