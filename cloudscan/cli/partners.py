"""`cloudscan partners`."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from cloudscan.cli.help import Group
from cloudscan.cli.language import echo
from cloudscan.cli.opening import load_config, open_ledger, redactor
from cloudscan.cli.options import lang_option, redact_option
from cloudscan.config import Config
from cloudscan.sentence import Sentence, joined, say

if TYPE_CHECKING:
    from cloudscan.finding import Finding
    from cloudscan.report import PartnerSummary, Report

_MOST: Final = 20  # places, people and findings of one partner at the terminal
_STATES: Final[Mapping[str, Sentence]] = {
    "upcoming": say("not begun"),
    "running": say("running"),
    "renewing": say("renews itself"),
    "open_ended": say("no end known"),
    "ended": say("ended"),
}
_PLACES: Final = """
    SELECT e.platform, coalesce(nullif(o.path, ''), o.name) AS place, max(e.access) AS access,
           count(DISTINCT e.resource_uid) AS resources, min(e.granted_on) AS since
    FROM partner_accounts AS a JOIN exposures AS e ON e.principal_uid = a.principal_uid
    JOIN ids AS i ON i.key = a.partner_uid LEFT JOIN resources AS o ON o.uid = e.origin_uid
    WHERE i.uid = $partner AND e.effective IS DISTINCT FROM FALSE
    GROUP BY ALL ORDER BY resources DESC, place
"""
_PEOPLE: Final = """
    SELECT p.platform, coalesce(nullif(p.email, ''), p.name) AS person, p.status, a.joined_by,
           CASE WHEN p.last_seen_on > TIMESTAMP '1971-01-01' THEN p.last_seen_on END AS last_seen_on
    FROM partner_accounts AS a JOIN principals AS p ON p.uid = a.principal_uid JOIN ids AS i ON i.key = a.partner_uid
    WHERE i.uid = $partner ORDER BY p.platform, person
"""


@click.group(cls=Group)
def partners() -> None:
    """Partners in the register: what they have, and where their contracts stand."""


@partners.command("list")
@click.option("--format", "format_name", type=click.Choice(["table", "json"]), default="table", show_default=True,
              help="A table to read, or JSON and nothing else.")  # fmt: skip
@redact_option
@lang_option
@click.pass_obj
def list_(config_path: str | None, format_name: str, redacting: bool, lang: str | None) -> None:  # noqa: ARG001 - spoken
    """List the partners as of the last scan: contract, people, what they reach, open findings."""
    import msgspec

    from cloudscan.cli.table import show_table

    config = load_config(config_path)
    report = _last(config, redacting=redacting)
    if format_name == "json":
        click.echo(msgspec.json.encode(report.partners))
        return
    if not report.partners:
        echo(say("No partner is registered; write [[partners]] into cloudscan.toml."))
        return
    show_table(
        (say("partner"), say("contract"), say("until"), say("owner"), say("people"), say("files and folders"),
         say("last active"), say("findings")),
        [
            [one.name, _STATES[one.state], one.ends_on or "", one.owner, one.people + one.others, one.resources,
             _day(one.last_seen_on, report), len(one.findings)]
            for one in report.partners
        ],
    )  # fmt: skip


@partners.command()
@click.argument("name")
@click.option("--people", is_flag=True, help="List the partner's people, too.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True,
              help="Text to read, or JSON and nothing else.")  # fmt: skip
@redact_option
@lang_option
@click.pass_obj
def show(config_path: str | None, name: str, people: bool, format_name: str, redacting: bool, lang: str | None) -> None:
    """Show one partner as of the last scan: the contract, the places, the open findings.

    NAME is the name or the id in the register. The partner's people are listed only with --people.
    """
    import msgspec

    config = load_config(config_path)
    report = _last(config, redacting=False)
    chosen = _named(name, report.partners)
    places, persons = _seen(config, report, chosen, people=people)
    fingerprints = set(chosen.findings)
    findings: Sequence[Finding] = [one for one in report.findings if one.fingerprint in fingerprints]
    if redacting:
        hashing = redactor(config)
        chosen = hashing.partner(chosen)
        findings = hashing.report(msgspec.structs.replace(report, findings=findings)).findings
        for row, column in [*((row, "place") for row in places), *((row, "person") for row in persons)]:
            row[column] = hashing.text(row[column])
    if format_name == "json":
        people_told = {"people_listed": persons} if people else {}
        click.echo(msgspec.json.encode({**msgspec.to_builtins(chosen), "places_listed": places, **people_told}))
        return
    _show(chosen, places, persons, findings, report, lang or config.organisation.language)


def _last(config: Config, *, redacting: bool) -> "Report":
    from cloudscan.errors import ConfigurationError

    last = open_ledger(config).latest()
    if last is None:
        raise ConfigurationError(say("There are no findings yet; run `cloudscan scan` first."))
    return redactor(config).report(last) if redacting else last


def _named(name: str, known: "Sequence[PartnerSummary]") -> "PartnerSummary":
    """The partner with a name or an id. Raises `ConfigurationError` with the nearest name, or with the ids."""
    from cloudscan.errors import ConfigurationError
    from cloudscan.text import suggestion

    wanted = name.casefold()
    ids = {one.uid.partition("/")[2].casefold(): one for one in known}
    if wanted in ids:
        return ids[wanted]
    fitting = [one for one in known if one.name.casefold() == wanted]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        several = ", ".join(one.uid.partition("/")[2] for one in fitting)
        raise ConfigurationError(say("{name} has several contracts; name one of {ids}.", name=repr(name), ids=several))
    hint = suggestion(name, [one.name for one in known]) if known else say("write [[partners]] into cloudscan.toml")
    raise ConfigurationError(say("There was no partner {name} in the last scan; {hint}.", name=repr(name), hint=hint))


def _seen(
    config: Config, report: "Report", partner: "PartnerSummary", *, people: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The places that a partner was given access to, and its people, out of the last scan's snapshot."""
    from cloudscan.cli.only import snapshot_of

    with snapshot_of(config, report.scan.id) as snapshot:
        places = snapshot.query(_PLACES, {"partner": partner.uid})
        persons = snapshot.query(_PEOPLE, {"partner": partner.uid}) if people else None
    return (
        [dict(zip(places.columns, row, strict=True)) for row in places.rows],
        [dict(zip(persons.columns, row, strict=True)) for row in persons.rows] if persons else [],
    )


def _show(
    partner: "PartnerSummary",
    places: Sequence[Mapping[str, Any]],
    people: Sequence[Mapping[str, Any]],
    findings: "Sequence[Finding]",
    report: "Report",
    language: str,
) -> None:
    from cloudscan.cli.table import show_details, show_table

    show_details(
        partner.name,
        {
            say("contract"): joined(filter(None, [partner.contract, _STATES[partner.state]]), ", "),
            say("purpose"): partner.purpose,
            say("from"): partner.starts_on or "",
            say("until"): partner.ends_on or "",
            say("owner"): joined(
                filter(None, [partner.owner, partner.deputy, "" if partner.owner_is_here else _owner_note(partner)]),
                ", ",
            ),
            say("personal data"): say("entrusted") if partner.personal_data else "",
            say("people"): partner.people,
            say("accounts, groups, applications"): partner.others,
            say("files and folders"): partner.resources,
            say("access since"): _day(partner.since, report),
            say("last active"): _day(partner.last_seen_on, report),
        },
    )
    if places:
        rows = [[row["platform"], row["place"], row["access"], row["resources"]] for row in places[:_MOST]]
        show_table((say("platform"), say("place"), say("access"), say("files and folders")), rows)
        _more(len(places))
    if people:
        rows = [[row["platform"], row["person"], row["status"] or "?", row["joined_by"]] for row in people[:_MOST]]
        show_table((say("platform"), say("who"), say("status"), say("joined by")), rows)
        _more(len(people))
    if findings:
        rows = [[one.severity, one.message[language], one.fingerprint[:8]] for one in findings[:_MOST]]
        show_table((say("severity"), say("what"), say("id")), rows)
        _more(len(findings))
    else:
        echo(say("No open findings."))


def _owner_note(partner: "PartnerSummary") -> Sentence | str:
    if partner.owner_is_here:
        return ""
    if partner.owner_is_here is None:
        return say("whether they work here is not known")
    return say("nobody of them is known to work here")


def _more(total: int) -> None:
    if total > _MOST:
        echo(say("… and {count} more", count=total - _MOST))


def _day(moment: Any, report: "Report") -> object:
    from cloudscan.days import day_of

    return day_of(moment, report.timezone) if moment else ""
