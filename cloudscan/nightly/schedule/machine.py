"""Schedules of one machine: systemd's units, a crontab's lines."""

from cloudscan.nightly.schedule.plan import ENVIRONMENT, Plan, environment, shell_words, unit_path, unit_word

_HARDENING = """\
UMask=0077
Nice=10
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
"""


def systemd(plan: Plan) -> str:
    """Two services and the timers that start them, in the machine's time zone, and the variables that they need."""
    writable = [plan.here / plan.folder, *([plan.metrics.parent] if plan.metrics else [])]
    writable_paths = " ".join(unit_word(folder) for folder in writable)
    variables = environment(plan)
    # Without a minus the unit fails where the file is missing: a night without its secrets is not started.
    source = f"EnvironmentFile={'' if plan.needs.needed else '-'}{ENVIRONMENT}"
    service = f"""\
Type=oneshot
User={plan.user}
WorkingDirectory={unit_path(plan.here)}
{source}"""
    return f"""\
# Several files. After writing them:
#   systemctl daemon-reload && systemctl enable --now cloudscan.timer cloudscan-health.timer
# The user {plan.user} reads the configuration and what it names.
{_environment_file(variables)}
# --- /etc/systemd/system/cloudscan.service ---
[Unit]
Description=Scan for misconfigured sharing
Wants=network-online.target
After=network-online.target

[Service]
{service}
ExecStartPre=+/usr/bin/install -d -m 0700 -o {plan.user} {unit_word(writable[0])}
ExecStart={" ".join(unit_word(word, runs=True) for word in plan.command)}
# What a scan finds, or cannot read, does not fail the unit: reports, tickets and cloudscan-health.service tell.
SuccessExitStatus=1 3 5
ReadWritePaths={writable_paths}
{_HARDENING}
# --- /etc/systemd/system/cloudscan.timer ---
[Unit]
Description=Scan for misconfigured sharing every night

[Timer]
OnCalendar=*-*-* {plan.hour:02}:{plan.minute:02}:00
RandomizedDelaySec=5min
Persistent=true

[Install]
WantedBy=timers.target

# --- /etc/systemd/system/cloudscan-health.service ---
[Unit]
Description=Whether the nightly scans are well; fails where one is missing

[Service]
{service}
ExecStart={" ".join(unit_word(word, runs=True) for word in plan.health)}
# 1 is a warning; 2, critical, and 3, unknown, make the unit fail. Add OnFailure= to be told.
SuccessExitStatus=1
ReadWritePaths={unit_word(writable[0])}
{_HARDENING}
# --- /etc/systemd/system/cloudscan-health.timer ---
[Unit]
Description=Look after the nightly scans every hour

[Timer]
OnCalendar=*-*-* *:{(plan.minute + 30) % 60:02}:00
Persistent=true

[Install]
WantedBy=timers.target
"""


def _environment_file(variables: str) -> str:
    if not variables:
        return ""
    return f"\n# --- {ENVIRONMENT} ---\n# Mode 0600, owned by root.\n{variables}"


def cron(plan: Plan) -> str:
    """Lines for the crontab of the user that scans, in the machine's time zone."""
    variables = environment(plan)
    needed = [f"#   {line}\n" for line in variables.splitlines()]
    remark = f"# {ENVIRONMENT} (mode 0600, of that user; values quoted as a shell reads them):\n" if needed else ""
    source = f"set -a && . {ENVIRONMENT} && set +a && " if variables else ""
    start = f"cd {shell_words([str(plan.here)])} && {source}"
    health = (plan.minute + 30) % 60
    return (
        "# For the crontab of the user that scans (crontab -e). The first line scans, updates tickets and notifies;\n"
        "# exit codes: 2 configuration, 3 a ticket or a notification was not delivered, 4 another scan is running.\n"
        "# The second line says every hour whether the nights are well, to syslog where they are not.\n"
        f"{remark}{''.join(needed)}"
        f"{plan.minute} {plan.hour} * * *  {_escaped(f'{start}{shell_words(plan.command)} >/dev/null')}"
        ' || logger -t cloudscan "exit code $?"\n'
        f"{health} * * * *  {_escaped(f'{start}{shell_words(plan.health)}')} >/dev/null"
        ' || logger -t cloudscan-health "exit code $?"\n'
    )


def _escaped(command: str) -> str:
    """To cron, a bare % ends the line (crontab(5))."""
    return command.replace("%", "\\%")
