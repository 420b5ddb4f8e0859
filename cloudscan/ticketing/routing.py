"""Which ticket goes to which tracker and assignee. Pure functions over findings and the configured routes."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from cloudscan.finding import Finding, Severity


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
    fallback_assignee: str = ""  # if the owner is unknown or has left


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
        value: Any = {"owner": subject.owner, "tag": tags(finding).get(name), "detail": subject.detail.get(name)}[kind]
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def assignee_of(finding: Finding, route: Route, owner: str) -> str:
    """Whom to assign the ticket to. Empty if a part of the route's template is unknown."""
    if not route.assignee:
        return owner
    subject = finding.verdict.subject
    known = {"owner": owner, "account": subject.account, "platform": subject.platform}
    known |= {f"tag:{name}": value for name, value in tags(finding).items()}
    if not all(known.get(field) for field in _FIELD.findall(route.assignee)):
        return ""
    return _FIELD.sub(lambda field: known[field[1]], route.assignee)


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
