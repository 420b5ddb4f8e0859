"""The command `cloudscan`: finds the subcommand, runs it, and turns errors into one clear message."""

import importlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import ClassVar

import click

from cloudscan.cli.help import Group, localised
from cloudscan.cli.language import HELP, LANGUAGES, chosen, clicks_own_words, echo, speak, spoken
from cloudscan.errors import CloudscanError, ProviderError, ScanRunning
from cloudscan.sentence import in_language, joined, say

EXIT_FINDINGS, EXIT_USAGE, EXIT_INCOMPLETE, EXIT_RUNNING, EXIT_BOTH, EXIT_BUG = 1, 2, 3, 4, 5, 70
EXIT_STOPPED = 130  # by Ctrl-C, as shells say it

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Scan a small made-up company and show the report."),
    "init": ("init", "Write a cloudscan.toml to start from."),
    "doctor": ("doctor", "Check that everything is in place for a scan."),
    "plan": ("plan", "Say what a scan will cost: requests, hours, memory, money."),
    "permissions": ("permissions", "List the permissions that a connector needs, and why."),
    "scan": ("scan", "Read the clouds, judge what was read, write the report."),
    "collect": ("scan", "Only read the clouds, into a snapshot."),
    "judge": ("judge", "Only judge a snapshot, offline."),
    "report": ("report", "Write the last report again, in any format."),
    "findings": ("findings", "List open findings, most urgent first."),
    "gaps": ("gaps", "List what could not be read, why, and what to do."),
    "diff": ("history", "Compare two scans: new, reopened, widened, resolved."),
    "trend": ("history", "Show findings and exposure, scan by scan."),
    "waive": ("waive", "Waive a finding, a rule, a target or a gap until a given date."),
    "audit": ("audit", "Pack a scan for an auditor; check and replay a pack."),
    "health": ("health", "Report the health of the nightly scans to monitoring."),
    "ledger": ("ledger", "Look after the history: correct what a wrong clock has dated ahead."),
    "partners": ("partners", "List partners: contracts, people, what they reach."),
    "prune": ("prune", "Remove old snapshots and reports."),
    "roster": ("roster", "Check the list of who works here."),
    "who": ("who", "Show what one person can reach on all platforms, and by what."),
    "leavers": ("leavers", "Show what is closed of people who leave, and who closes the rest."),
    "movers": ("leavers", "Show what people who moved still have of the old department."),
    "ranks": ("ranks", "Say how much what matters, and why; suggest ranks."),
    "templates": ("templates", "Compare access with what is intended; learn a first draft."),
    "tickets": ("tickets", "Create and update tickets in Jira, GitHub and others."),
    "notify": ("notify", "Notify people of changes in the last scan."),
    "nightly": ("nightly", "Scan, update tickets and notify: what a scheduler runs."),
    "schedule": ("schedule", "Print a unit, crontab line or workflow for nightly scans."),
    "schema": ("schema", "Print a JSON Schema, for editors and machines."),
    "rules": ("rules", "List, show, check and test the rules."),
    "query": ("query", "Ask a snapshot a question in SQL."),
    "docs": ("docs", "List the pages of the documentation, or print one."),
    "completion": ("completion", "Print the shell completion script."),
    "help": ("about", "Explain a command."),
    "version": ("about", "Print the version."),
}


class Commands(Group):
    """Subcommands that are imported only when they are run, so that help is printed immediately."""

    helps: ClassVar[dict[str, tuple[str, str]]] = COMMANDS

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of `COMMANDS`; nothing is imported."""
        return list(self.helps)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, whose module is imported now; None for an unknown name."""
        if cmd_name not in self.helps:
            return None
        module = importlib.import_module(f"cloudscan.cli.{self.helps[cmd_name][0]}")
        command = getattr(module, cmd_name, None) or getattr(module, f"{cmd_name}_")  # `help_` hides no built-in
        return localised(command) if isinstance(command, click.Command) else None

    def listed(self, _ctx: click.Context) -> Iterator[tuple[str, str]]:
        """The commands with the words of `COMMANDS`; nothing is imported."""
        return ((name, text) for name, (_, text) in self.helps.items())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Accept ``--config`` and ``--debug`` after the subcommand too, where people write them."""
        speak(ctx, args)
        return super().parse_args(ctx, _common_first(args))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Raises `click.UsageError` with the most similar name for an unknown command."""
        from cloudscan.text import suggestion

        if args and args[0] not in self.helps and not args[0].startswith("-"):
            hint = suggestion(args[0], self.helps)
            problem = say("There is no command {name}; {hint}.", name=repr(args[0]), hint=hint)
            raise click.UsageError(spoken(problem), ctx)
        return super().resolve_command(ctx, args)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(None, "--version", "-V", package_name="cloudscan", message="%(prog)s %(version)s")
@click.option("--config", "-c", type=click.Path(dir_okay=False), help="The configuration.  [default: cloudscan.toml]")
@click.option("--debug", is_flag=True, help="Show a stack trace where cloudscan itself fails.")
@click.option("--lang", type=LANGUAGES, expose_value=False, help=HELP)
@click.pass_context
def cli(ctx: click.Context, config: str | None, debug: bool) -> None:
    """Who outside the intended circle can reach which file, and what to do first.

    cloudscan reads how buckets and files are shared, judges it with rules, remembers what became of each finding, and
    writes a report with the most urgent first. It never changes anything.

    \b
    Start here:
      cloudscan demo       see it at work, without an account
      cloudscan init       write a configuration
      cloudscan doctor     check permissions and settings
      cloudscan scan       the real thing

    Exit codes: 0 clean, 1 findings at or above --fail-on, 2 wrong usage or configuration, 3 the scan could not read
    everything, 4 another scan is running, 5 both 1 and 3.
    """
    ctx.obj = config
    ctx.meta["debug"] = debug


def _common_first(args: Sequence[str]) -> list[str]:
    front: list[str] = []
    rest: list[str] = []
    remaining = iter(args)
    for word in remaining:
        if word == "--":
            rest += [word, *remaining]
        elif word == "--debug" or word.startswith("--config="):
            front.append(word)
        elif word in ("--config", "-c"):
            front += [word, *islice(remaining, 1)]
        else:
            rest.append(word)
    return front + rest


def exit_code_for(*, findings: bool, incomplete: bool) -> int:
    """The exit code of a scan or a judgement, which keeps both truths."""
    if incomplete:
        return EXIT_BOTH if findings else EXIT_INCOMPLETE
    return EXIT_FINDINGS if findings else 0


def exit_code_of(error: CloudscanError) -> int:
    """4 if another scan is running, 3 if a platform gave no answer, 2 for what the caller can fix."""
    if isinstance(error, ScanRunning):
        return EXIT_RUNNING
    return EXIT_INCOMPLETE if isinstance(error, ProviderError) else EXIT_USAGE


def main() -> None:
    """Run the command line and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")  # a Japanese Windows code page has no en dash
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line; gives the exit code."""
    language, command = chosen(arguments, os.environ), _command(arguments)
    with clicks_own_words(language), _stderr(arguments, command, language) as as_json:
        try:
            outcome = cli.main(args=arguments, prog_name="cloudscan", standalone_mode=False)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can report a bug in one line
            if command == "health":
                return _unknown(error, language)
            if isinstance(error, click.ClickException) and not as_json:
                error.show()
                return EXIT_USAGE
            return _failed(error, command)
    return outcome if isinstance(outcome, int) else 0


@contextmanager
def _stderr(arguments: Sequence[str], command: str, language: str) -> Iterator[bool]:
    """While it lasts, all that is logged is written to stderr; gives whether as JSON."""
    if not command:  # help, the version: nothing is logged, and `logging` takes time to import
        yield False
        return
    from cloudscan.cli import log

    as_json = command == "scan" and log.wants_json(arguments)
    with log.to_stderr(language, as_json=as_json, debug="--debug" in arguments):
        yield as_json


def _failed(error: BaseException, command: str) -> int:
    """Say why a command ends; gives the exit code."""
    from cloudscan.cli import log

    problem, code = _in_words(error)
    cause = error.__cause__ if isinstance(error, CloudscanError) else error
    event = "scan.failed" if command == "scan" else "failed"
    log.fail(problem, event, cause=cause, error=type(error).__name__, exit_code=code)
    return code


def _command(arguments: Sequence[str]) -> str:
    """The subcommand of a command line; empty if it has none."""
    words = iter(arguments)
    for word in words:
        if word in ("--config", "-c", "--lang"):
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _in_words(error: BaseException) -> tuple[object, int]:
    """What to say of an error, and the exit code."""
    match error:
        case CloudscanError():
            return error, exit_code_of(error)
        case click.Abort() | KeyboardInterrupt():
            return say("stopped. Run the same command again to resume."), EXIT_STOPPED
        case click.ClickException():
            return error.format_message(), EXIT_USAGE
        case OSError():
            where, what = error.filename or type(error).__name__, error.strerror or error
            return say("{where}: {what}; check the path and the permissions.", where=where, what=what), EXIT_USAGE
        case _:
            what = f"{type(error).__name__}: {error}"
            words = say(
                "this is a bug in cloudscan ({what}). Run the command again with --debug and report what it prints.",
                what=what,
            )
            return words, EXIT_BUG


def _unknown(error: BaseException, language: str) -> int:
    """Tell monitoring that the state is not known: a plugin's mistake in usage is none of the scans."""
    from cloudscan.nightly.health import unknown

    health = unknown(joined((" ".join(in_language(_in_words(error)[0], language).split()),)))
    echo(health.line)
    return int(health.level)
