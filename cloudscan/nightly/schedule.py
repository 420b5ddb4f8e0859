"""Units and workflows that run a scan every night: systemd, cron, Kubernetes, GitHub Actions. Pure functions."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cloudscan import __version__
from cloudscan.errors import ConfigurationError
from cloudscan.sentence import say

_DATA: Final = "/var/lib/cloudscan"
_MOUNTED: Final = "/etc/cloudscan/cloudscan.toml"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run, where and when."""

    program: Path  # the path of cloudscan on this machine
    config: Path
    config_text: str
    here: Path  # the folder of relative paths in the configuration
    folder: Path  # snapshots, ledger and reports, as configured
    hour: int
    minute: int
    keeps_ledger: bool  # in a file and not on a server
    extras: Sequence[str] = ()  # of the package, for the configured connectors
    user: str = "cloudscan"
    image: str = f"cloudscan:{__version__}"
    metrics: Path | None = None


def systemd(plan: Plan) -> str:
    """A service and the timer that starts it, in the machine's time zone."""
    writable = [plan.here / plan.folder, *([plan.metrics.parent] if plan.metrics else [])]
    writable_paths = " ".join(_unit_word(folder) for folder in writable)
    return f"""\
# Two files. After writing them: systemctl daemon-reload && systemctl enable --now cloudscan.timer
# The user {plan.user} reads the configuration and needs the credentials: in its home, or as variables in
# /etc/cloudscan/environment (mode 0600).

# --- /etc/systemd/system/cloudscan.service ---
[Unit]
Description=Scan for misconfigured sharing
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={plan.user}
WorkingDirectory={_unit_path(plan.here)}
EnvironmentFile=-/etc/cloudscan/environment
ExecStartPre=+/usr/bin/install -d -m 0700 -o {plan.user} {_unit_word(writable[0])}
ExecStart={" ".join(_unit_word(word, runs=True) for word in _command(plan))}
# 1 means findings. 3 and 5, a scan that could not read everything, make the unit fail: waive what cannot be changed.
SuccessExitStatus=1
UMask=0077
Nice=10

ReadWritePaths={writable_paths}
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

# --- /etc/systemd/system/cloudscan.timer ---
[Unit]
Description=Scan for misconfigured sharing every night

[Timer]
OnCalendar=*-*-* {plan.hour:02}:{plan.minute:02}:00
RandomizedDelaySec=5min
Persistent=true

[Install]
WantedBy=timers.target
"""


def cron(plan: Plan) -> str:
    """A line for the crontab of the user that scans, in the machine's time zone."""
    command = f"cd {_quoted(plan.here)} && {shlex.join(map(_one_line, _command(plan)))} >/dev/null"
    # To cron, a bare % ends the line (crontab(5)).
    escaped = command.replace("%", "\\%")
    return (
        "# For the crontab of the user that scans (crontab -e).\n"
        "# Exit code 1: findings. 3: something could not be read. 5: both. 4: another scan is still running.\n"
        f'{plan.minute} {plan.hour} * * *  {escaped} || logger -t cloudscan "exit code $?"\n'
    )


def kubernetes(plan: Plan) -> str:
    """A CronJob with its configuration and its volume, in UTC."""
    folder = str(plan.folder) if plan.folder.is_absolute() else _DATA
    meta = {"name": "cloudscan", "labels": {"app.kubernetes.io/name": "cloudscan"}}
    container = {
        "name": "cloudscan",
        "image": plan.image,
        "command": ["cloudscan", "--config", _MOUNTED, "scan"],
        "workingDir": folder,
        "env": [{"name": "HOME", "value": "/tmp"}],  # noqa: S108 - an empty volume of the pod's own
        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}, "limits": {"memory": "4Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "config", "mountPath": str(Path(_MOUNTED).parent), "readOnly": True},
            {"name": "data", "mountPath": folder},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108
        ],
    }
    pod = {
        "serviceAccountName": "cloudscan",
        "restartPolicy": "Never",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": "cloudscan"}},
            {"name": "data", "persistentVolumeClaim": {"claimName": "cloudscan"}},
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    failure_rule = {
        "action": "FailJob",
        "onExitCodes": {"containerName": "cloudscan", "operator": "In", "values": [1, 2, 3, 4, 5]},
    }
    documents: list[Mapping[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta},
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": meta,
            "data": {Path(_MOUNTED).name: plan.config_text},
        },
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": meta,
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}},
        },
        {
            "apiVersion": "batch/v1",
            "kind": "CronJob",
            "metadata": meta,
            "spec": {
                "schedule": f"{plan.minute} {plan.hour} * * *",
                "timeZone": "Etc/UTC",
                "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 3600,
                "successfulJobsHistoryLimit": 7,
                "failedJobsHistoryLimit": 7,
                "jobTemplate": {
                    "spec": {
                        # A job that ended with an exit code is not repeated; a killed pod is restarted and resumes.
                        "backoffLimit": 2,
                        "podFailurePolicy": {"rules": [failure_rule]},
                        "template": {"metadata": {"labels": meta["labels"]}, "spec": pod},
                    }
                },
            },
        },
    ]
    return (
        f"# The image is one of yours that contains {_package(plan)}; pass its name with --image.\n"
        "# Grant the permissions to read the platforms to the service account (workload identity).\n"
        "# A job fails with exit code 1 (findings), 3 (something could not be read) and 5 (both).\n"
        + "---\n".join(map(_yaml, documents))
    )


def github(plan: Plan) -> str:
    """A workflow for a private repository that contains the configuration, in UTC."""
    config = plan.config.relative_to(plan.here) if plan.config.is_relative_to(plan.here) else Path(plan.config.name)
    folder = _one_line(plan.folder)
    cache = {"path": folder, "key": "cloudscan-${{ github.run_id }}-${{ github.run_attempt }}"}
    restore = {"uses": "actions/cache/restore@v4", "with": {**cache, "restore-keys": "cloudscan-"}}
    save = {"if": "always()", "uses": "actions/cache/save@v4", "with": cache}
    steps: list[Mapping[str, Any]] = [
        {"uses": "actions/checkout@v4", "with": {"persist-credentials": False}},
        {"uses": "actions/setup-python@v5", "with": {"python-version": "3.12"}},
        {"run": f"pip install {shlex.quote(_package(plan))}"},
        *([restore] if plan.keeps_ledger else []),
        {"name": "Scan", "run": shlex.join(["cloudscan", "--config", _one_line(config), "scan"])},
        *([save] if plan.keeps_ledger else []),
        {
            "if": "always()",
            "uses": "actions/upload-artifact@v4",
            "with": {
                "name": "report",
                "path": f"{folder}/reports",
                "include-hidden-files": True,
                "retention-days": 14,
                "if-no-files-found": "ignore",
            },
        },
    ]
    workflow = {
        "name": "cloudscan",
        "on": {"schedule": [{"cron": f"{plan.minute} {plan.hour} * * *"}], "workflow_dispatch": {}},
        "permissions": {"contents": "read", "id-token": "write"},
        "concurrency": {"group": "cloudscan", "cancel-in-progress": False},
        "jobs": {"scan": {"runs-on": "ubuntu-latest", "timeout-minutes": 330, "steps": steps}},
    }
    remark = (
        "# Between runs the ledger is in the cache, which is deleted after a week without a run, and with it the\n"
        "# waivers: for permanent use configure a PostgreSQL database under [ledger].\n"
    )
    return (
        "# .github/workflows/cloudscan.yml in a private repository: the report names people and files.\n"
        "# Add a step that signs in to the platform before the one that scans. With OpenID Connect no key has to be\n"
        "# stored; id-token: write is for that.\n" + (remark if plan.keeps_ledger else "") + _yaml(workflow)
    )


KINDS: Final = {"systemd": systemd, "cron": cron, "kubernetes": kubernetes, "github": github}


def _yaml(document: Mapping[str, Any]) -> str:
    """A document as people write it: multi-line texts as blocks, no anchors."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def _command(plan: Plan) -> list[str]:
    metrics = ["--metrics", str(plan.metrics)] if plan.metrics else []
    return [str(plan.program), "--config", str(plan.config), "scan", *metrics]


def _package(plan: Plan) -> str:
    extras = f"[{','.join(plan.extras)}]" if plan.extras else ""
    return f"cloudscan{extras}=={__version__}"


def _unit_word(word: str | Path, *, runs: bool = False) -> str:
    """A word of a unit file: quoted, its specifiers and, in a command line, its variables escaped (systemd.syntax)."""
    text = _one_line(word).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    text = text.replace("$", "$$") if runs else text
    return f'"{text}"' if not text or set(text) & set(" '\"\\;") else text


def _unit_path(path: Path) -> str:
    """A path on a line of its own, where quotes would be part of it."""
    return _one_line(path).replace("%", "%%")


def _quoted(path: Path) -> str:
    return shlex.quote(_one_line(path))


def _one_line(word: str | Path) -> str:
    text = str(word)
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ConfigurationError(
            say(
                "{text} contains control characters, which a schedule cannot contain. Choose another name.",
                text=repr(text),
            )
        )
    return text
