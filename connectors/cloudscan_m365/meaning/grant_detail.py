"""What the `detail` of a grant in Microsoft 365 may contain, and how it is written for rules to read.

Rules see text only: a switch is ``true`` or ``false``, a number is in digits, a list of people is joined by commas.
What is left out is not known, or decides nothing for this kind of grant.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec

from cloudscan.facts import Detail
from cloudscan.reason import Reason

_INHERITED = ("claim", "upload_only", "unlisted", "consumer", "external_people")


@dataclass(frozen=True, kw_only=True)
class GrantDetail:
    """What rules may ask about a grant beyond its columns. Fields have the names of the keys in `detail`."""

    # links
    link_type: str = ""  # view, edit, embed …, as Graph writes it
    link_scope: str = ""  # anonymous, organization, users; empty on legacy links
    blocks_download: bool | None = None
    upload_only: bool | None = None
    role: str = ""  # as Graph writes it; several are joined by commas
    holders: int | None = None  # how many people a link for named people lists
    externals: int | None = None  # how many of these, or of a group's members, are external
    unlisted: int | None = None  # how many of these belong to no partner
    consumer: bool | None = None  # one of these has a consumer mail account
    people: Sequence[str] = ()  # whom a link lists, the first few
    external_people: Sequence[str] = ()  # the external ones of them, the first few
    # grants to one principal
    claim: str = ""  # everyone, insiders or none, where the grant reaches the whole organisation
    members_unread: bool | None = None  # members of the site's group could not be read
    invitation: bool | None = None  # not redeemed yet
    without_sign_in: bool | None = None  # the invitation's mail is enough

    def written(self, chain: Sequence[Reason]) -> Detail:
        """As a grant carries it, with the steps that lead to it. What is not known is left out."""
        fields = {name: _text(value) for name, value in asdict(self).items()}
        fields["members"] = "unread" if fields.pop("members_unread") else ""
        fields["sign_in"] = "not required" if fields.pop("without_sign_in") else ""
        steps = msgspec.to_builtins(chain)
        return {**{name: text for name, text in fields.items() if text}, "chain": steps}


def inherited(detail: Detail) -> Detail:
    """The part of a grant's detail that is repeated wherever it is inherited."""
    return {name: detail[name] for name in _INHERITED if name in detail}


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
