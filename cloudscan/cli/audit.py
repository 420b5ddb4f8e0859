"""`cloudscan audit`, `cloudscan audit verify`, `cloudscan audit replay`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.opening import load_config, open_ledger, redaction_key
from cloudscan.cli.options import redact_option
from cloudscan.config import Config

if TYPE_CHECKING:
    from cloudscan.audit.pack import Sources
    from cloudscan.audit.replay import Answer, Replay
    from cloudscan.audit.verification import Verification

_MOST = 50  # differences that are printed
_PACK = click.argument("pack", type=click.Path(exists=True))
_FORMAT = click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text",
                       show_default=True, help="Words, or JSON and nothing else.")  # fmt: skip

_WITHIN = click.option("--within", type=click.FloatRange(min=0, min_open=True), default=900, show_default=True,
                       metavar="SECONDS", help="How long a replay may take.")  # fmt: skip


@click.group(invoke_without_command=True)
@click.option("--scan", "scan_name", default="", metavar="ID", help="A scan's id or day.  [default: the last]")
@click.option(
    "--into", type=click.Path(), metavar="PATH", help="A new folder, or FILE.zip.  [default: a zip beside the scans]"
)
@redact_option
@click.option(
    "--sign-with", type=click.Path(dir_okay=False), metavar="KEY", help="Sign with this Ed25519 key (OpenSSH or PEM)."
)
@click.pass_context
def audit(ctx: click.Context, scan_name: str, into: str | None, redacting: bool, sign_with: str | None) -> None:
    """Write all that an auditor needs about a scan into one pack. Prints its path.

    Report, coverage, framework coverage, rules, configuration, decisions, the snapshot itself, and a list of SHA-256
    sums. The same scan gives the same pack, to the byte. Its README says how to check it with standard tools.
    """
    if ctx.invoked_subcommand is not None:
        return
    from cloudscan import plugins
    from cloudscan.audit import pack, signature

    config = load_config(ctx.obj)
    sources = _sources(config, scan_name)
    name = f"{sources.report.scan.started_on:%Y%m%dT%H%M%SZ}{'-redacted' if redacting else ''}.zip"
    path = Path(into) if into else config.folder / "audit" / name
    with plugins.its_packages("Signing", "audit"):
        signer = signature.public_part(Path(sign_with)) if sign_with else None
        differing = pack.write(
            sources,
            path,
            key=redaction_key(config) if redacting else None,
            sign_with=Path(sign_with) if sign_with else None,
        )
    if signer:
        click.echo(f"Signed with {signer.fingerprint}.", err=True)
    if differing:
        click.echo(
            f"cloudscan: a replay will say otherwise for {', '.join(differing)}: "
            "what these rules read is not in the pack as it was. The README says so.",
            err=True,
        )
    click.echo(path)


@audit.command()
@_PACK
@click.option("--key", type=click.Path(dir_okay=False), help="The public key (.pub) that the pack has to be signed by.")
@click.option("--replay", "and_replay", is_flag=True, help="Judge it again, too, where nothing changed.")
@_WITHIN
@_FORMAT
def verify(pack: str, key: str | None, and_replay: bool, within: float, format_name: str) -> int:
    """Check that nothing in a PACK changed. Exit code 1 where something did, 2 for what is no pack."""
    from cloudscan import plugins
    from cloudscan.audit import archive, verification
    from cloudscan.audit.replay import replay as replaying

    with archive.opened(Path(pack)) as opened, plugins.its_packages("Checking a signature", "audit"):
        found = verification.verify(opened, verification.key_of(Path(key) if key else None))
        replayed = replaying(opened, seconds=within) if and_replay and not found.faults else None
    if format_name == "json":
        _print_json({"verification": found, **({"replay": replayed} if replayed else {})})
    else:
        _say_verification(found)
        if replayed:
            _say_replay(replayed)
    return 1 if found.faults or (replayed and not replayed.same) else 0


@audit.command()
@_PACK
@_WITHIN
@_FORMAT
def replay(pack: str, within: float, format_name: str) -> int:
    """Judge a PACK's snapshot with its own rules again, offline. Exit code 1 where that says otherwise than its report.

    A finding is compared by fingerprint and severity. What an earlier scan found, and this one could not look at, is
    not replayed.
    """
    from cloudscan.audit import archive
    from cloudscan.audit.replay import replay as replaying

    with archive.opened(Path(pack)) as opened:
        found = replaying(opened, seconds=within)
    if format_name == "json":
        _print_json(found)
    else:
        _say_replay(found)
    return 0 if found.same else 1


def _sources(config: Config, name: str) -> "Sources":
    from cloudscan.audit.pack import Sources, until
    from cloudscan.engine import judging_record
    from cloudscan.errors import AuditError
    from cloudscan.snapshot import store

    ledger = open_ledger(config)
    last = ledger.latest()
    if last is None:
        raise AuditError("There is no scan to make a pack of yet; run `cloudscan scan` first.")
    wanted = ledger.named(name) if name else ledger.named(last.scan.id)
    folder = store.snapshot_of(config.folder / "snapshots", wanted.id)
    if folder is None:
        raise AuditError(
            f"The snapshot of the scan {wanted.id} is not in {config.folder / 'snapshots'} any more; `cloudscan trend` "
            "lists the scans, choose one whose snapshot is kept."
        )
    kept = judging_record.read(folder)
    sources = Sources(
        snapshot=folder,
        judged=kept,
        report=last if last.scan.id == wanted.id else kept.report,
        config=config,
        events=ledger.events(),
        waivers=ledger.waivers(now=kept.report.scan.finished_on),
        scans=ledger.trend(),
    )
    return sources if last.scan.id == wanted.id else until(sources, kept.report.scan.finished_on)


def _say_verification(found: "Verification") -> None:
    from cloudscan.text import plain

    for fault in found.faults[:_MOST]:
        click.echo(f"{fault.kind:<10} {plain(fault.name)} {plain(fault.words)}")
    if len(found.faults) > _MOST:
        click.echo(f"… and {len(found.faults) - _MOST} more; --format json lists all.")
    click.echo(f"Scan {plain(found.scan)} of {found.started_on}{', redacted' if found.redacted else ''}.")
    click.echo(f"Seal {found.seal} (SHA-256 of MANIFEST.sha256).")
    if found.signed_by:
        click.echo(
            f"Signed with {found.signed_by}; compare it with what the signer told you, or name his key with --key."
        )
    else:
        click.echo("No signature that holds: who made the pack cannot be told from it.")
    if found.faults:
        click.echo(f"NOT as it was: {len(found.faults)} differences.")
    else:
        click.echo(f"As it was: all {found.files} files.")


def _say_replay(found: "Replay") -> None:
    _say_answers("only in the pack", found.only_packed)
    _say_answers("only in the replay", found.only_replayed)
    click.echo(f"The replay gives {found.findings} findings and {found.unknowns} cases not judged as they are packed.")
    differences = len(found.only_packed) + len(found.only_replayed)
    click.echo("The same." if found.same else f"NOT the same: {differences} differences.")


def _say_answers(where: str, answers: "Iterable[Answer]") -> None:
    from cloudscan.text import plain

    told = list(answers)
    for answer in told[:_MOST]:
        click.echo(f"{where}: {answer.fingerprint} {plain(answer.rule_id)} {answer.says}")
    if len(told) > _MOST:
        click.echo(f"{where}: … and {len(told) - _MOST} more")


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value))
