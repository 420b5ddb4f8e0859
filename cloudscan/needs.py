"""The door for what an unattended scan needs beside `cloudscan.toml`: variables, files, a step that signs in.

A connector declares it by its options (`ConnectorPlugin.needs`), so that `cloudscan schedule` prints what a machine, a
cluster or a workflow has to have for the configuration at hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Variable:
    """An environment variable that is read."""

    name: str
    meaning: str  # what it contains, for the person who sets it
    optional: bool = False  # the scan also runs without it, signed in another way
    secret: bool = True


@dataclass(frozen=True, kw_only=True)
class NeededFile:
    """A file that is read. The configuration names it (`key`), or an environment variable does."""

    meaning: str
    key: str = ""  # of the connector's table: key_file
    variable: str = ""  # that contains its path, where the configuration names none
    path: str = ""  # as configured


@dataclass(frozen=True, kw_only=True)
class WorkflowStep:
    """A step of a GitHub workflow that signs in with OpenID Connect, so that no key has to be stored."""

    action: str  # owner/name
    commit: str  # 40 hex digits
    version: str  # the tag of that commit, for people
    options: Mapping[str, str] = field(default_factory=dict)  # `with`


@dataclass(frozen=True, kw_only=True)
class Needs:
    """All that one connector needs for one configuration."""

    variables: Sequence[Variable] = ()
    files: Sequence[NeededFile] = ()
    steps: Sequence[WorkflowStep] = ()  # instead of the variables that are optional
