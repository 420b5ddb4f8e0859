"""What to run, where and when, and how to write it so that each reader takes a word for a word."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cloudscan import __version__
from cloudscan.errors import ConfigurationError
from cloudscan.nightly.schedule.requirements import Requirements
from cloudscan.sentence import say

ENVIRONMENT = "/etc/cloudscan/environment"
"""Where the variables stand on a machine."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to run, where and when."""

    program: Path  # the path of cloudscan on this machine
    config: Path
    config_text: str  # for where local paths are mounted
    here: Path  # the folder of relative paths in the configuration
    folder: Path  # snapshots, ledger and reports, as configured
    hour: int
    minute: int
    keeps_ledger: bool  # in a file and not on a server
    needs: Requirements = field(default_factory=Requirements)
    rule_files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # texts by path, by folder of rules
    user: str = "cloudscan"
    image: str = f"registry.example/cloudscan:{__version__}"
    metrics: Path | None = None

    @property
    def command(self) -> list[str]:
        """The command of a night, on this machine."""
        metrics = ["--metrics", str(self.metrics)] if self.metrics else []
        return [str(self.program), "--config", str(self.config), "nightly", *metrics]

    @property
    def health(self) -> list[str]:
        """The command for monitoring, on this machine."""
        return [str(self.program), "--config", str(self.config), "health"]


def environment(plan: Plan) -> str:
    """The lines of a file with the variables, to be filled in. Optional ones are remarks. Empty if there are none."""
    lines = []
    for variable in plan.needs.variables:
        lines += [f"# {variable.meaning}", f"{'# ' if variable.optional else ''}{variable.name}="]
    for file in plan.needs.files:
        if file.variable:
            lines += [f"# the path of: {file.meaning}", f"{file.variable}="]
    return "".join(f"{line}\n" for line in lines)


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document as people write it: multi-line texts as blocks, no anchors."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def unit_word(word: str | Path, *, runs: bool = False) -> str:
    """A word of a unit file: quoted, its specifiers and, in a command line, its variables escaped (systemd.syntax)."""
    text = one_line(word).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    text = text.replace("$", "$$") if runs else text
    return f'"{text}"' if not text or set(text) & set(" '\"\\;") else text


def unit_path(path: Path) -> str:
    """A path on a line of its own, where quotes would be part of it."""
    return one_line(path).replace("%", "%%")


def shell_words(words: list[str]) -> str:
    """A command line for a POSIX shell."""
    return shlex.join(map(one_line, words))


def one_line(word: str | Path) -> str:
    """The word itself. Raises `ConfigurationError` for one with control characters."""
    text = str(word)
    if any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        raise ConfigurationError(
            say(
                "{text} contains control characters, which a schedule cannot contain. Choose another name.",
                text=repr(text),
            )
        )
    return text
