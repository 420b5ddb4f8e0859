"""A small estate for the engine's tests: a connector that is a list, and rules in a folder."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cloudscan.connector import Cursor, Permission, Scope, Yielded
from cloudscan.engine.loader import load, load_archived
from cloudscan.engine.rule_file import Rule
from cloudscan.facts import Access, Audience, Grant, Resource, Via

Script = Callable[[], Iterator[Yielded]]

RULE = """
id: {id}
severity: high
confidence: high
cause: shared-link
likelihood: 4
effort: low
identity: [origin_uid]
query: |
  SELECT e.origin_uid, e.resource_uid, e.grant_uid, e.resource_name, e.audience, e.access, e.granted_on,
         e.audience >= 'anyone_with_link' AND e.effective AS flagged
  FROM exposures AS e
  WHERE e.resource_kind <> 'account'
text:
  en: {{title: Open to anyone, message: "{{resource_name}} is open to anyone", why: It leaks., fix: Close it.}}
  ja: {{title: 誰でも開ける, message: "{{resource_name}} は誰でも開けます", why: 漏れます。, fix: 閉じます。}}
examples:
  - it: flags a link for anyone
    given: {{grants: [{{audience: anyone_with_link}}]}}
    flags: [[res]]
  - it: passes a link that a block stops
    given: {{grants: [{{audience: anyone_with_link, effective: false}}]}}
    passes: [[res]]
  - it: cannot tell who an unreadable list admits
    given: {{grants: [{{audience: null}}]}}
    unknown: [[res]]
"""


class Listed:
    """A connector whose scopes are scripts. It remembers which it was asked for."""

    name: ClassVar[str] = "toy"
    permissions: ClassVar[Sequence[Permission]] = ()

    def __init__(self, scripts: Mapping[str, Script], top: Sequence[str] | None = None) -> None:
        self.scripts = scripts
        self.top = list(scripts) if top is None else top
        self.asked: list[str] = []

    def scopes(self) -> Iterator[Scope]:
        return (scope(name) for name in self.top)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        self.asked.append(scope.name)
        return self.scripts[scope.name]()


def scope(name: str) -> Scope:
    return Scope(uid=f"toy:scope/{name}", platform="toy", kind="drive", name=name, account="acme")


def file(name: str, **more: Any) -> Resource:
    return Resource(uid=f"toy:{name}", platform="toy", account="acme", kind="file", name=name, **more)


def grant(to: str, audience: Audience | None = Audience.ANYONE_WITH_LINK, **more: Any) -> Grant:
    values: dict[str, Any] = {"uid": f"toy:way/{to}", "access": Access.READ, "via": Via.LINK} | more
    return Grant(resource_uid=f"toy:{to}", audience=audience, **values)


def yielding(*facts: Yielded) -> Script:
    return lambda: iter(facts)


def load_text(folder: Path, text: str, name: str = "link-open-to-anyone") -> tuple[Rule, ...]:
    """Load one rule file from its text."""
    write_rule(folder, text, name)
    return load([folder])


def load_unproven(folder: Path, text: str) -> tuple[Rule, ...]:
    """Load one rule as it was judged by before, whatever is asked of rules today."""
    write_rule(folder, text)
    return load_archived(folder)


def write_rule(folder: Path, text: str, name: str = "link-open-to-anyone") -> None:
    path = folder / "links" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
