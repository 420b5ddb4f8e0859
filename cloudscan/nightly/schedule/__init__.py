"""Units and workflows that run a scan every night: systemd, cron, Kubernetes, GitHub Actions. Pure functions."""

from collections.abc import Callable, Mapping
from typing import Final

from cloudscan.nightly.schedule.github import github
from cloudscan.nightly.schedule.kubernetes import kubernetes
from cloudscan.nightly.schedule.machine import cron, systemd
from cloudscan.nightly.schedule.plan import Plan

KINDS: Final[Mapping[str, Callable[[Plan], str]]] = {
    "systemd": systemd,
    "cron": cron,
    "kubernetes": kubernetes,
    "github": github,
}
