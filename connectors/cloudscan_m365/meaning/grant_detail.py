"""What the `detail` of a grant in Microsoft 365 may contain, and how it is written for rules to read.

Rules see text only: a switch is ``true`` or absent, a number is in digits, a list of people is joined by commas.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from cloudscan.facts import Detail

_INHERITED = ("claim", "upload_only", "unlisted", "consumer", "external_people")


@dataclass(frozen=True, kw_only=True)
class GrantDetail:
    """What rules may ask about a grant beyond its columns. Fields have the names of the keys in `detail`."""

    # links
    link_type: str = ""  # view, edit, embed …, as Graph writes it
    link_scope: str = ""  # anonymous, organization, users; empty on legacy links
    blocks_download: bool = False
    upload_only: bool = False
    role: str = ""  # as Graph writes it; several are joined by commas
    holders: int | None = None  # how many people a link for named people lists
    externals: int | None = None  # how many of these, or of a group's members, are external
    unlisted: int | None = None  # how many of these belong to no partner
    consumer: bool = False  # one of these has a consumer mail account
    people: Sequence[str] = ()  # whom a link lists, the first few
    external_people: Sequence[str] = ()  # the external ones of them, the first few
    # grants to one principal
    claim: str = ""  # everyone or insiders, where the grant reaches that claim
    members_unread: bool = False  # members of the site's group could not be read
    invitation: bool = False  # not redeemed yet
    without_sign_in: bool = False  # the invitation's mail is enough

    def written(self, chain: Mapping[str, Sequence[str]]) -> Detail:
        """As a grant carries it, with the reasoning of `chain` (sentences by language). What is empty is left out."""
        fields = {name: _text(value) for name, value in asdict(self).items()}
        fields["members"] = "unread" if fields.pop("members_unread") else ""
        fields["sign_in"] = "not required" if fields.pop("without_sign_in") else ""
        return {**{name: text for name, text in fields.items() if text}, "chain": chain}


def inherited(detail: Detail) -> Detail:
    """The part of a grant's detail that is repeated wherever it is inherited."""
    return {name: detail[name] for name in _INHERITED if name in detail}


def _text(value: object) -> str:
    match value:
        case None | False:
            return ""
        case True:
            return "true"
        case list() | tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
