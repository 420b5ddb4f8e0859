"""Who is told of a finding, in words."""

from cloudscan.recipient import PASSED_ON, Recipient, Via
from cloudscan_wording.texts import Texts


def why(recipient: Recipient, texts: Texts) -> str:
    """Why the owner is not told; empty if it is the owner."""
    if recipient.withheld is None:
        return ""
    reason = texts.name("withheld", recipient.withheld)
    missing = recipient.via is Via.FALLBACK and recipient.withheld in PASSED_ON
    return texts.say("withheld.no_manager", why=reason) if missing else reason


def owned_by(owner: str, recipient: Recipient, texts: Texts) -> str:
    """Who owns something and why they are not told, as a sentence; empty if it is the owner who reads it."""
    reason = why(recipient, texts)
    return texts.say("handout.owned_by", owner=owner, why=reason) if owner and reason else reason
