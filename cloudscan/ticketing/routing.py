"""Which ticket goes to which tracker and assignee. Pure functions over findings and the configured routes."""

import re
from collections.abc import Collection, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from cloudscan.finding import Finding, Person, Severity
from cloudscan.recipient import Recipient, Via, Withheld, recipient_of
from cloudscan.text import domain_of


class Route(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[[routes]]``: findings that match every given key take this route; the first matching route is used."""

    platform: str = ""
    account: str = ""
    rule: str = ""  # glob: s3-*
    severity: Severity = Severity.INFO  # this one or worse
    owner_domain: str = ""  # domain of the owner's mail address
    path: str = ""  # glob for the path, or else the name
    tag: str = ""  # of the bucket: "team" or "team=data"
    tracker: str = ""  # empty: the only one that is configured
    project: str = ""  # empty: as in the tracker's own table
    assignee: str = ""  # address or name; may contain {owner}, {account}, {platform}, {tag:NAME}; empty: the owner
    fallback_assignee: str = ""  # where the owner is not an active person of ours


_FIELD = re.compile(r"\{(owner|account|platform|tag:[^{}]+)\}")


def route_of(finding: Finding, routes: Sequence[Route]) -> Route:
    """The first matching route, or an empty one."""
    return next((route for route in routes if _matches(finding, route)), Route())


def owner_of(finding: Finding, sources: Sequence[str]) -> str:
    """Who answers for a resource, from the first source with a value: `owner`, ``tag:NAME`` or ``detail:NAME``.

    Empty if none has one.
    """
    subject = finding.verdict.subject
    for source in sources:
        kind, _, name = source.partition(":")
        value: Any = subject.owner
        if kind != "owner":
            value = tags(finding).get(name) if kind == "tag" else subject.detail.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def recipient_for(finding: Finding, sources: Sequence[str], domains: Collection[str]) -> Recipient:
    """Who may receive a ticket: by the first source that names an active person of ours; `domains` are ours.

    A tag names somebody if it is an address in one of the configured domains. Without such a source it is the
    fallback, with the reason why the first source with a value names nobody.
    """
    subject, reasons = finding.verdict.subject, list[Recipient]()
    for source in sources:
        tagged = "" if source == "owner" else owner_of(finding, [source])
        named = recipient_of(subject, domains) if source == "owner" else _tagged(tagged, domains)
        if named.person:
            return named
        reasons.append(named)
    known = [one for one in reasons if one.withheld is not Withheld.UNKNOWN]
    return (known or reasons or [Recipient(via=Via.FALLBACK, withheld=Withheld.UNKNOWN)])[0]


def _tagged(value: str, domains: Collection[str]) -> Recipient:
    if not value:
        return Recipient(via=Via.FALLBACK, withheld=Withheld.UNKNOWN)
    if domain_of(value) in domains:
        return Recipient(via=Via.OWNER, person=Person(address=value))
    return Recipient(via=Via.FALLBACK, withheld=Withheld.ADDRESS if domain_of(value) else Withheld.UNVERIFIED)


def assignee_of(finding: Finding, route: Route, recipient: Recipient, domains: Collection[str]) -> str:
    """Whom to assign the ticket to; empty: the fallback.

    It is the recipient, or what the route's template comes to: empty if a part of it is unknown, or if a tag makes it
    an address outside `domains`. A name that the route spells out is a decision and stands.
    """
    if not route.assignee:
        return recipient.address
    subject = finding.verdict.subject
    known = {"owner": recipient.address, "account": subject.account, "platform": subject.platform}
    known |= {f"tag:{name}": value for name, value in tags(finding).items()}
    fields = _FIELD.findall(route.assignee)
    if not all(known.get(field) for field in fields):
        return ""
    filled = _FIELD.sub(lambda field: known[field[1]], route.assignee)
    by_tag = any(field.startswith("tag:") for field in fields)
    return "" if by_tag and "@" in filled and domain_of(filled) not in domains else filled


def destination_of(finding: Finding, route: Route, recipient: Recipient, domains: Collection[str]) -> str:
    """Where a route sends a ticket, and whom it is assigned to if not to its recipient; empty: wherever others go."""
    assignee = assignee_of(finding, route, recipient, domains) if route.assignee else ""
    parts = (route.tracker, route.project, assignee.lower(), route.fallback_assignee.lower())
    return "\x1f".join(parts) if any(parts) else ""


def tags(finding: Finding) -> Mapping[str, str]:
    """The tags of the resource; empty on platforms without tags."""
    tags = finding.verdict.subject.detail.get("tags")
    return {str(name): str(value) for name, value in tags.items()} if isinstance(tags, Mapping) else {}


def _matches(finding: Finding, route: Route) -> bool:
    subject = finding.verdict.subject
    name, _, value = route.tag.partition("=")
    own = tags(finding)
    return (
        route.platform in ("", subject.platform)
        and route.account in ("", subject.account)
        and fnmatchcase(finding.verdict.rule_id, route.rule or "*")
        and finding.severity >= route.severity
        and (not route.owner_domain or subject.owner.lower().endswith(f"@{route.owner_domain.lower()}"))
        and fnmatchcase(subject.path or subject.name, route.path or "*")
        and (not route.tag or (name in own and value in ("", own[name])))
    )
