"""`cloudscan who`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from cloudscan.cli.language import echo
from cloudscan.cli.main import EXIT_USAGE
from cloudscan.cli.opening import load_config, open_ledger, redactor, snapshot_folder
from cloudscan.cli.options import redact_option
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.config import Config
    from cloudscan.finding import Finding
    from cloudscan.organisation.entitlements import Candidate, Entitlements, Reached
    from cloudscan.redaction.redactor import Redactor

_WORDS: Final[Mapping[str, Sentence]] = {
    "active": say("active"), "on-leave": say("on leave"), "upcoming": say("not yet here"),
    "term-over": say("contract over, to be confirmed"), "left": say("no longer here"),
    "suspended": say("disabled"), "archived": say("archived"), "deleted": say("deleted"),
    "own": say("company account"), "private": say("private account"),
    "number": say("the employee number"), "identity": say("the identity provider"), "address": say("the address"),
    "alias": say("another address"), "namesake": say("the same mailbox and name"), "directory": say("the directory"),
    "certain": say("certain"), "high": say("high"), "medium": say("medium"),
    "name": say("the name is the same"), "ambiguous": say("several people fit"),
    "unread": say("a row of the roster could not be read"), "enabled": say("enabled"),
    "owner": say("as its owner"), "direct": say("directly"), "link": say("by a link"), "group": say("through a group"),
    "employee": say("employee"), "temporary": say("employed for a term"), "contractor": say("contractor"),
    "seconded-out": say("seconded elsewhere"), "seconded-in": say("seconded to us"), "intern": say("intern"),
    "director": say("director"), "partner": say("a partner's"),
    "nobody": say("nobody"), "named": say("named people"), "named_external": say("named external people"),
    "external_domain": say("an external organisation"), "organisation": say("everybody in the organisation"),
    "any_account": say("anyone with an account"), "anyone_with_link": say("anyone on the internet"),
    "anyone_discoverable": say("anyone on the internet, and search engines"),
    "list": say("list"), "read": say("read"), "comment": say("comment"), "write": say("write"),
    "manage": say("manage"), "own_access": say("own"),
}  # fmt: skip

_ROLES: Final[Mapping[str, Sentence]] = {
    "member": say("member"), "owner": say("owner of the group"), "manager": say("manager of the group"),
    "organizer": say("manager of the drive"), "fileOrganizer": say("content manager"), "writer": say("contributor"),
    "commenter": say("commenter"), "reader": say("viewer"),
}  # fmt: skip
"""What somebody is in a group, as the platforms call it."""


@click.command()
@click.argument("person")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most N things reached.")
@click.option("--snapshot", type=click.Path(file_okay=False), help="The snapshot.  [default: the last one]")
@click.option("--format", "format_name", type=click.Choice(["table", "json", "csv"]), default="table",
              show_default=True, help="Tables to read, or JSON or CSV (what is reached) and nothing else.")  # fmt: skip
@redact_option
@click.pass_obj
def who(
    config_path: str | None, person: str, limit: int, snapshot: str | None, format_name: str, redacting: bool
) -> int:
    """Show what PERSON can reach on all platforms, and by what.

    PERSON is an employee number, an address, or the id of an account; or a name, if only one person has it. Shown are
    the accounts and what joined them with the person, groups, everything reached by the last snapshot with the
    weightiest first, open findings, and which accounts may be the person's as well. A guest or a partner's person is
    found by the address.

    \b
    cloudscan who 00123
    cloudscan who hanako@acme.example --format json
    """
    from cloudscan.organisation.entitlements import candidates, entitlements
    from cloudscan.snapshot.snapshot import Snapshot, reading

    config = load_config(config_path)
    with Snapshot.open(snapshot_folder(config, snapshot)) as opened, reading(opened.path):
        found = candidates(opened, person)
        if len(found) != 1:
            _refuse(person, found)
            return EXIT_USAGE
        known = entitlements(opened, found[0], limit)
    hidden = redactor(config) if redacting else None
    findings = _findings(config, known)
    if format_name == "json":
        click.echo(_as_json(known, findings, hidden))
    elif format_name == "csv":
        click.echo(_as_csv(known.reached, hidden), nl=False)
    else:
        shown = known if hidden is None else _redacted(known, hidden)
        words = [one.verdict.rule_id if hidden else one.message[config.organisation.language] for one in findings]
        _show(shown, [(one, what) for one, what in zip(findings, words, strict=True)])
    return 0


def _refuse(person: str, found: "Sequence[Candidate]") -> None:
    """Say that nobody fits, or who does."""
    from cloudscan.cli.table import show_table

    if not found:
        echo(
            say(
                "Nobody fits {person}: no employee number, address, account or name is like that in the last snapshot.",
                person=repr(person),
            ),
            err=True,
        )
        return
    echo(
        say("{count} people fit {person}; name one by number, address or id:", count=len(found), person=repr(person)),
        err=True,
    )
    rows = [[one.number, one.name, one.address, one.department, one.uid] for one in found]
    show_table((say("number"), say("name"), say("address"), say("department"), say("id")), rows)


def _findings(config: "Config", known: "Entitlements") -> "list[Finding]":
    """The open findings about the person or an account: they are in the identity, or in all of the evidence."""
    last = open_ledger(config).latest()
    ids = {known.uid, *(account.uid for account in known.accounts)}

    def is_about(finding: "Finding") -> bool:
        verdict = finding.verdict
        if verdict.subject.uid in ids or not ids.isdisjoint(verdict.identity):
            return True
        return any(str(piece.row.get("principal_uid")) in ids for piece in verdict.evidence)

    return [finding for finding in last.findings if is_about(finding)] if last else []


def _show(known: "Entitlements", findings: "Sequence[tuple[Finding, str]]") -> None:
    from cloudscan.cli.table import show_details, show_table
    from cloudscan.snapshot.organisation import NO_DAY

    show_details(
        known.name or known.address or known.number or known.uid,
        {
            say("number"): known.number,
            say("address"): known.address,
            say("department"): ", ".join(known.posts) or known.department,
            say("job title"): known.role,
            say("employment"): _word(known.employment),
            say("standing"): _word(known.standing) if known.standing else say("not certain") if known.posts else "",
            say("last day"): "" if known.last_day in (None, NO_DAY) else str(known.last_day),
            say("manager"): known.manager,
        },
    )
    if known.accounts:
        echo(say("Accounts"))
        show_table(
            (say("platform"), say("account"), say("whose"), say("joined by"), say("confidence"), say("status"),
             say("last seen")),
            [[one.platform, one.address or one.name, _word(one.ownership), _word(one.joined_by),
              _word(one.confidence), _word("enabled" if one.status == "active" else one.status)
              if one.status else say("not known"), _day(one.last_seen_on)]
             for one in known.accounts],
        )  # fmt: skip
    if known.groups:
        echo(say("Groups"))
        show_table(
            (say("platform"), say("group"), say("role")),
            [
                [one.platform, one.name, _ROLES.get(one.role, one.role) or say("through another group")]
                for one in known.groups
            ],
        )
    _show_reached(known)
    if known.doubts:
        echo(say("Could not tell whether these accounts belong to the same person"))
        show_table(
            (say("platform"), say("account"), say("why")),
            [[one.platform, one.address or one.name, _word(one.why)] for one in known.doubts],
        )
    if known.unread:
        echo(say("Lists that could not be read, and may name the person: {count}", count=known.unread))
    if findings:
        echo(say("Open findings"))
        show_table(
            (say("severity"), say("what"), say("id")),
            [[one.severity, what, one.fingerprint[:8]] for one, what in findings],
        )


def _show_reached(known: "Entitlements") -> None:
    from cloudscan.cli.table import show_table

    if not known.amounts:
        echo(say("Nothing is shared with this person, as far as it was read."))
        return
    total = sum(amount.things for amount in known.amounts)
    numbers = joined(
        (say("{platform} {by}: {count}", platform=one.platform, by=_word(one.by), count=one.things)
         for one in known.amounts), ", ",
    )  # fmt: skip
    echo(say("Reached: {numbers}", numbers=numbers))
    show_table(
        (say("platform"), say("what"), say("by"), say("access"), say("open to"), say("rank"), say("contents")),
        [[one.platform, one.path or one.name, _by(one), _word("own_access" if one.access == "own" else one.access),
          _word(one.widest), one.rank or "", one.resources] for one in known.reached],
    )  # fmt: skip
    if total > len(known.reached):
        echo(say("… and {count} more; --limit shows more of them", count=total - len(known.reached)))


def _by(one: "Reached") -> Sentence:
    parts = [_word(one.by), *([one.group] if one.group else [])]
    blocked = [say("blocked")] if one.effective is False else [say("not certain")] if one.effective is None else []
    return joined([*parts, *blocked], ", ")


def _word(code: str | None) -> Sentence | str:
    return _WORDS.get(code, code) if code else ""


def _day(moment: Any) -> str:
    return "" if moment is None or moment.year < 1971 else f"{moment:%Y-%m-%d}"


def _as_json(known: "Entitlements", findings: "Sequence[Finding]", hidden: "Redactor | None") -> bytes:
    import msgspec

    listed = [{"rule_id": one.verdict.rule_id, "fingerprint": one.fingerprint, "severity": one.severity}
              for one in findings]  # fmt: skip
    shown = msgspec.to_builtins(known if hidden is None else _redacted(known, hidden))
    return msgspec.json.encode({**shown, "findings": listed})


def _as_csv(reached: "Sequence[Reached]", hidden: "Redactor | None") -> bytes:
    import msgspec

    from cloudscan.organisation.entitlements import Reached
    from cloudscan.text import BYTE_ORDER_MARK, as_csv, plain

    rows = [list(msgspec.to_builtins(one if hidden is None else _hashed(one, hidden)).values()) for one in reached]
    written = as_csv(Reached.__struct_fields__, rows, readable=plain).removeprefix(BYTE_ORDER_MARK)
    return written.encode("utf-8", "replace")


def _redacted(known: "Entitlements", hidden: "Redactor") -> "Entitlements":
    """Names, addresses and ids as hashes; the words, days and numbers of amounts stay."""
    import msgspec

    changed: dict[str, Any] = {"posts": [hidden.text(one) for one in known.posts]}
    for name in ("accounts", "groups", "reached", "doubts"):
        changed[name] = [_hashed(one, hidden) for one in getattr(known, name)]
    hashed: Entitlements = _hashed(known, hidden)
    return msgspec.structs.replace(hashed, **changed)


_KEPT: Final = frozenset({"platform", "kind", "by", "why", "ownership", "joined_by", "confidence", "status", "role"})


def _hashed(record: Any, hidden: "Redactor") -> Any:
    import msgspec

    from cloudscan.organisation.entitlements import Entitlements

    words = _KEPT | {"access", "widest", "blocked_by", "employment", "standing"}
    if isinstance(record, Entitlements):
        words -= {"role"}
    changed = {
        name: hidden.value(name, value)
        for name in record.__struct_fields__
        if name not in words and isinstance(value := getattr(record, name), str)
    }
    return msgspec.structs.replace(record, **changed)
