"""`cloudscan audit`, `cloudscan audit verify`, `cloudscan audit replay`."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cloudscan.cli.help import Group
from cloudscan.cli.language import echo, spoken
from cloudscan.cli.opening import load_config, open_ledger, redaction_key
from cloudscan.cli.options import redact_option
from cloudscan.config import Config
from cloudscan.sentence import joined, say

if TYPE_CHECKING:
    from cloudscan.audit.pack import Sources
    from cloudscan.audit.replay import Answer, Replay
    from cloudscan.audit.verification import Verification

_MOST = 50  # differences that are printed
_PACK = click.argument("pack", type=click.Path(exists=True))
_FORMAT = click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text",
                       show_default=True, help="Text to read, or JSON and nothing else.")  # fmt: skip

_WITHIN = click.option("--within", type=click.FloatRange(min=0, min_open=True), default=900, show_default=True,
                       metavar="SECONDS", help="How long a replay may take.")  # fmt: skip


@click.group(cls=Group, invoke_without_command=True)
@click.option("--scan", "scan_name", default="", metavar="ID", help="Scan id or date.  [default: the last]")
@click.option(
    "--into", type=click.Path(), metavar="PATH", help="A new folder, or FILE.zip.  [default: a zip beside the scans]"
)
@redact_option
@click.option(
    "--sign-with", type=click.Path(dir_okay=False), metavar="KEY", help="Sign with this Ed25519 key (OpenSSH or PEM)."
)
@click.pass_context
def audit(ctx: click.Context, scan_name: str, into: str | None, redacting: bool, sign_with: str | None) -> None:
    """Write everything that an auditor needs about a scan into one pack. Prints its path.

    Report, coverage, framework coverage, rules, configuration, waivers, the snapshot itself, and a list of SHA-256
    sums. The same scan gives the same pack, byte for byte. Its README explains how to check it with standard tools.
    """
    if ctx.invoked_subcommand is not None:
        return
    from cloudscan import plugins
    from cloudscan.audit import pack, signature

    config = load_config(ctx.obj)
    sources = _sources(config, scan_name)
    name = f"{sources.report.scan.started_on:%Y%m%dT%H%M%SZ}{'-redacted' if redacting else ''}.zip"
    path = Path(into) if into else config.folder / "audit" / name
    with plugins.its_packages(say("Signing"), "audit"):
        signer = signature.public_part(Path(sign_with)) if sign_with else None
        differing = pack.write(
            sources,
            path,
            key=redaction_key(config) if redacting else None,
            sign_with=Path(sign_with) if sign_with else None,
        )
    if signer:
        echo(say("Signed with {fingerprint}.", fingerprint=signer.fingerprint), err=True)
    if differing:
        echo(
            say(
                "cloudscan: a replay will differ for {differing}: redaction changed what these rules "
                "read. The README says so.",
                differing=", ".join(differing),
            ),
            err=True,
        )
    click.echo(path)


@audit.command()
@_PACK
@click.option("--key", type=click.Path(dir_okay=False), help="The public key (.pub) that must match the signature.")
@click.option("--replay", "and_replay", is_flag=True, help="If nothing was altered, also replay the judgement.")
@_WITHIN
@_FORMAT
def verify(pack: str, key: str | None, and_replay: bool, within: float, format_name: str) -> int:
    """Check that nothing in a PACK was altered. Exit code 1 if something was, 2 if it is not a pack."""
    from cloudscan import plugins
    from cloudscan.audit import archive, verification
    from cloudscan.audit.replay import replay as replaying

    with archive.opened(Path(pack)) as opened, plugins.its_packages(say("Checking a signature"), "audit"):
        checked = verification.verify(opened, verification.key_of(Path(key) if key else None))
        replayed = replaying(opened, seconds=within) if and_replay and not checked.faults else None
    if format_name == "json":
        _print_json({"verification": checked, **({"replay": replayed} if replayed else {})})
    else:
        _show_verification(checked)
        if replayed:
            _show_replay(replayed)
    return 1 if checked.faults or (replayed and not replayed.same) else 0


@audit.command()
@_PACK
@_WITHIN
@_FORMAT
def replay(pack: str, within: float, format_name: str) -> int:
    """Judge a PACK's snapshot with its own rules again, offline.

    Exit code 1 if the result differs from the packed report. Findings are compared by fingerprint and severity; those
    of an earlier scan that this one could not verify are not replayed.
    """
    from cloudscan.audit import archive
    from cloudscan.audit.replay import replay as replaying

    with archive.opened(Path(pack)) as opened:
        replayed = replaying(opened, seconds=within)
    if format_name == "json":
        _print_json(replayed)
    else:
        _show_replay(replayed)
    return 0 if replayed.same else 1


def _sources(config: Config, name: str) -> "Sources":
    from cloudscan.audit.pack import Sources, until
    from cloudscan.engine import judging_record
    from cloudscan.errors import AuditError
    from cloudscan.snapshot import store

    ledger = open_ledger(config)
    scans = ledger.trend()
    if not scans:
        raise AuditError(say("There is no scan to pack yet; run `cloudscan scan` first."))
    wanted = ledger.named(name) if name else scans[-1]
    folder = store.snapshot_of(config.folder / "snapshots", wanted.id)
    if folder is None:
        raise AuditError(
            say(
                "The snapshot of the scan {id} is no longer in {folder}; `cloudscan trend` lists the "
                "scans, choose one whose snapshot still exists.",
                id=wanted.id,
                folder=config.folder / "snapshots",
            )
        )
    basis = judging_record.read_basis(folder)
    # A report takes seconds and much memory: only one, and after all that may be missing.
    last = ledger.latest() if wanted.id == scans[-1].id else None
    sources = Sources(
        snapshot=folder,
        judged=basis,
        report=last or judging_record.read(folder).report,
        config=config,
        events=ledger.events(),
        waivers=ledger.waivers(now=basis.report.scan.finished_on),
        reviews=ledger.reviews(),
        scans=scans,
    )
    return sources if last else until(sources, basis.report.scan.finished_on)


_KINDS = {"missing": say("missing"), "added": say("added"), "altered": say("altered"), "signature": say("signature")}


def _show_verification(checked: "Verification") -> None:
    for fault in checked.faults[:_MOST]:
        echo(joined((f"{spoken(_KINDS[fault.kind]):<10}", fault.name, fault.message)))
    if len(checked.faults) > _MOST:
        echo(say("… and {most} more; --format json lists all.", most=len(checked.faults) - _MOST))
    echo(
        say(
            "Scan {scan} of {started_on}{redacted}.",
            scan=checked.scan,
            started_on=checked.started_on,
            redacted=say(", redacted") if checked.redacted else "",
        )
    )
    echo(say("Fingerprint of the pack: {fingerprint} (SHA-256 of MANIFEST.sha256).", fingerprint=checked.fingerprint))
    if checked.signed_by:
        echo(
            say(
                "Signed with {signed_by}; compare it with the signer's key, or pass the signer's key with --key.",
                signed_by=checked.signed_by,
            )
        )
    else:
        echo(say("No valid signature: the pack does not prove who made it."))
    if checked.faults:
        echo(say("Altered: {count} differences.", count=len(checked.faults)))
    else:
        echo(say("Unchanged: all {files} files.", files=checked.files))


def _show_replay(replayed: "Replay") -> None:
    _show_answers(say("only in the pack"), replayed.only_packed)
    _show_answers(say("only in the replay"), replayed.only_replayed)
    echo(
        say(
            "The replay reproduces {findings} findings and {unknowns} unknown cases of the pack.",
            findings=replayed.findings,
            unknowns=replayed.unknowns,
        )
    )
    differences = len(replayed.only_packed) + len(replayed.only_replayed)
    differs = say("Replay differs: {count} differences.", count=differences)
    echo(say("Replay matches.") if replayed.same else differs)


def _show_answers(where: str, answers: "Iterable[Answer]") -> None:
    listed = list(answers)
    for answer in listed[:_MOST]:
        echo(f"{spoken(where)}: {answer.fingerprint} {answer.rule_id} {answer.says}")
    if len(listed) > _MOST:
        echo(say("{where}: … and {most} more", where=where, most=len(listed) - _MOST))


def _print_json(value: object) -> None:
    import msgspec

    click.echo(msgspec.json.encode(value, enc_hook=str))
