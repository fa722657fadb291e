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
    unproved: bool = False  # the sender is only named by whoever sent it, who alone was checked

    def prove(self, address: str) -> bool:
        """Whether it is certain that the mail comes from the domain of `address`."""
        if self.dmarc:
            return self.dmarc == PASS
        # A domain without a policy has no result; its own signature says as much.
        return self.dkim == PASS and self.dkim_domain == address.rpartition("@")[2].lower()


def of_another(verdicts: Verdicts | None) -> Verdicts:
    """What is known of somebody whom the sender names: what failed, and nothing that passed."""
    if verdicts is None:
        return Verdicts(unproved=True)
    spf, dkim, dmarc, compauth = (
        word if word == FAIL else ""
        for word in (verdicts.spf, verdicts.dkim, verdicts.dmarc, verdicts.compauth)
    )
    return Verdicts(spf, dkim, "", dmarc, compauth, unproved=True)
