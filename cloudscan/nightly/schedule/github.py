"""A GitHub Actions workflow: actions pinned by commit, least permissions, no value pasted into a script."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from cloudscan.needs import WorkflowStep
from cloudscan.nightly.schedule.plan import Plan, one_line, shell_words, yaml_text

# As public workflows name them on 30 November 2026.
CHECKOUT: Final = WorkflowStep(
    action="actions/checkout", commit="de0fac2e4500dabe0009e67214ff5f5447ce83dd", version="v6.0.2"
)
SETUP_PYTHON: Final = WorkflowStep(
    action="actions/setup-python", commit="a309ff8b426b58ec0e2a45f0f869d46889d02405", version="v6.2.0"
)
UPLOAD: Final = WorkflowStep(
    action="actions/upload-artifact", commit="b7c566a772e6b6bfb58ed0dc250532a479d7789f", version="v6.0.0"
)
DOWNLOAD: Final = WorkflowStep(
    action="actions/download-artifact", commit="37930b1c2abaa49bbe596cd826c3c89aef350131", version="v7.0.0"
)

_BUNDLE: Final = "cloudscan-wheel"
_STATE: Final = "cloudscan-state"

# The newest state that this repository's own default branch has left: nobody else may hand us a history.
FIND_LEDGER: Final = """\
run=$(gh api --paginate "repos/$GITHUB_REPOSITORY/actions/artifacts?name=$STATE&per_page=100" --jq '.artifacts[]
  | select((.expired | not) and .workflow_run.head_branch == env.BRANCH
      and .workflow_run.head_repository_id == .workflow_run.repository_id) | .workflow_run.id' | sort -n | tail -n 1)
if [ -z "$run" ] && [ "$NEW_LEDGER" != true ]; then
  echo "::error::No earlier ledger was found. Start this workflow yourself and tick new_ledger to begin a new one."
  exit 1
fi
echo "run=$run" >> "$GITHUB_OUTPUT"
"""


def github(plan: Plan) -> str:
    """A workflow for a private repository that contains the configuration, in UTC."""
    steps = list(_steps(plan))
    inputs = {"new_ledger": {"description": "Begin a new ledger", "type": "boolean", "default": False}}
    workflow = {
        "name": "cloudscan",
        "on": {
            "schedule": [{"cron": f"{plan.minute} {plan.hour} * * *"}],
            "workflow_dispatch": {"inputs": inputs} if plan.keeps_ledger else {},
        },
        "permissions": {},
        "concurrency": {"group": "cloudscan", "cancel-in-progress": False},
        "jobs": {
            "scan": {
                "name": "Scan",
                "runs-on": "ubuntu-24.04",
                "timeout-minutes": 330,
                "permissions": {
                    "contents": "read",
                    **({"actions": "read"} if plan.keeps_ledger else {}),
                    **({"id-token": "write"} if plan.needs.steps else {}),
                },
                "steps": steps,
            }
        },
    }
    return _remarks(plan) + _with_remarks(yaml_text(workflow), _actions(plan))


def _remarks(plan: Plan) -> str:
    needs = plan.needs
    lines = [
        ".github/workflows/cloudscan.yml in a private repository: configuration, report and ledger name people and",
        f"files. {_BUNDLE}/ in it contains what `make wheel` writes into dist/: the wheel and its pins with hashes.",
    ]
    variables = [variable for variable in needs.needed if variable.secret]
    if variables or needs.files:
        lines += ["", "Secrets of the repository (best of an environment):"]
        lines += [f"  {variable.name}: {variable.meaning}" for variable in variables]
        lines += [f"  {file.secret}: content of {file.path or file.variable}, {file.meaning}" for file in needs.files]
    plain = [variable for variable in needs.needed if not variable.secret]
    if plain or needs.steps:
        lines += ["", "Variables of the repository:"]
        lines += [f"  {variable.name}: {variable.meaning}" for variable in plain]
        for step in needs.steps:
            lines += [f"  what {step.action} is given below, for signing in with OpenID Connect"]
    if plan.keeps_ledger:
        lines += [
            "",
            "Between runs ledger and snapshots are an artifact of 90 days, which everybody who may read the repository",
            "may download. For permanent use configure a PostgreSQL database under [ledger].",
        ]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _steps(plan: Plan) -> Iterator[Mapping[str, Any]]:
    config = plan.config.relative_to(plan.here) if plan.config.is_relative_to(plan.here) else Path(plan.config.name)
    command = ["cloudscan", "--config", one_line(config)]
    yield _uses("Check out the configuration", CHECKOUT, {"persist-credentials": False})
    yield _uses("Set up Python", SETUP_PYTHON, {"python-version": "3.13"})
    yield {
        "name": "Install",
        "working-directory": _BUNDLE,
        "run": "python -m pip install --require-hashes --requirement requirements.txt",
    }
    if plan.keeps_ledger:
        yield from _restored(plan)
    for file in plan.needs.files:
        yield {
            "name": f"Write {file.name}",
            "env": {"CONTENT": f"${{{{ secrets.{file.secret} }}}}"},
            "run": f"printf '%s\\n' \"$CONTENT\" | {_install_command(file.path or _path(file.name))}\n",
        }
    for step in plan.needs.steps:
        yield _uses("Sign in", step, dict(step.options))
    yield {
        "name": "Scan, update tickets, notify",
        **({"env": dict(_variables(plan))} if dict(_variables(plan)) else {}),
        "run": shell_words([*command, "nightly"]),
    }
    if plan.keeps_ledger:
        kept = {"name": _STATE, "path": one_line(plan.folder), "retention-days": 90}
        yield _kept("Keep ledger and snapshots", kept, "!cancelled()")
    report = {"name": "report", "path": f"{one_line(plan.folder)}/reports", "retention-days": 14}
    yield _kept("Keep the report", report, "!cancelled()")
    yield {
        "name": "Say whether the nights are well",
        "if": "!cancelled()",
        **({"env": {"PGPASSWORD": "${{ secrets.PGPASSWORD }}"}} if not plan.keeps_ledger else {}),
        "run": shell_words([*command, "health"]),
    }


def _restored(plan: Plan) -> Iterator[Mapping[str, Any]]:
    yield {
        "name": "Find the ledger of the last night",
        "id": "last",
        "env": {
            "GH_TOKEN": "${{ github.token }}",
            "STATE": _STATE,
            "BRANCH": "${{ github.event.repository.default_branch }}",
            "NEW_LEDGER": "${{ inputs.new_ledger }}",
        },
        "run": FIND_LEDGER,
    }
    options = {
        "name": _STATE,
        "path": one_line(plan.folder),
        "run-id": "${{ steps.last.outputs.run }}",
        "github-token": "${{ github.token }}",
    }
    yield {"if": "steps.last.outputs.run != ''", **_uses("Restore it", DOWNLOAD, options)}


def _install_command(path: str) -> str:
    """A command that writes its input into a private file, as root where only root may."""
    file = one_line(path)
    words = ["install", "-D", "-m", "0600", "/dev/stdin", file]
    outside = Path(file).is_absolute() and not file.startswith(_RUNNER_TEMP)
    return shell_words(["sudo", "install", "-o", "runner", *words[1:]] if outside else words)


_RUNNER_TEMP: Final = "/home/runner/work/_temp/"


def _path(name: str) -> str:
    """Where a file is written that a variable names: the runner's folder that is emptied after each job."""
    return f"{_RUNNER_TEMP}{name}"


def _variables(plan: Plan) -> Iterator[tuple[str, str]]:
    for variable in plan.needs.needed:
        yield variable.name, f"${{{{ {'secrets' if variable.secret else 'vars'}.{variable.name} }}}}"
    for file in plan.needs.files:
        if file.variable:
            yield file.variable, _path(file.name)


def _uses(name: str, step: WorkflowStep, options: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "uses": f"{step.action}@{step.commit}", "with": dict(options)}


def _kept(name: str, options: Mapping[str, Any], condition: str) -> Mapping[str, Any]:
    more = {"include-hidden-files": True, "if-no-files-found": "ignore"}
    return {"if": condition, **_uses(name, UPLOAD, {**options, **more})}


def _actions(plan: Plan) -> Iterator[WorkflowStep]:
    yield from (CHECKOUT, SETUP_PYTHON, UPLOAD, DOWNLOAD, *plan.needs.steps)


_REASONS: Final = {
    "      actions: read\n": "to find the ledger of the last night",
    "      id-token: write\n": "to sign in with OpenID Connect",
}


def _with_remarks(text: str, steps: Iterator[WorkflowStep]) -> str:
    """The text with each pin's version, which tools that renew pins read, and the reason of each permission."""
    for step in dict.fromkeys((step.commit, step.version) for step in steps):
        text = text.replace(f"@{step[0]}\n", f"@{step[0]}  # {step[1]}\n")
    for line, reason in _REASONS.items():
        text = text.replace(line, f"{line.rstrip()}  # {reason}\n")
    return text
