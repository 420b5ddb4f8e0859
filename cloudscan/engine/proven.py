"""Which rules are proven never to acquit by forgetting, so that each is proven once.

A proof holds for a query, its identity, parameters and examples, and for the tables and views that it was made with:
all of them are in its name. ``proven.json`` in a folder of rules lists the names of its rules' proofs; those of the
shipped rules are made by ``cloudscan rules prove``. Other rules are proven when they are first loaded, and remembered
in a file of the scan's folder.
"""

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from cloudscan.engine import examples
from cloudscan.engine.rule_file import Rule
from cloudscan.engine.yaml_file import Problem
from cloudscan.errors import RuleError
from cloudscan.facts import Membership, unread_grants
from cloudscan.files import write_private
from cloudscan.snapshot.database import views_sql
from cloudscan.snapshot.tables import TABLES

FILE: Final = "proven.json"
_COMMENT: Final = re.compile(r"'(?:[^']|'')*'|--[^\n]*")  # or a text, in which dashes are no comment
_METHOD: Final = 1  # of the proof; another number makes all proofs void
_MOST: Final = 5_000  # names that are remembered; then the file begins anew
_PROBLEMS: Final = 3  # of one rule that are mentioned


def name_of(rule: Rule) -> str:
    """The name of the proof of a rule."""
    query = _COMMENT.sub(lambda part: "" if part[0].startswith("--") else part[0], rule.query)
    subject: list[Any] = [_base(), query, rule.identity, rule.params, rule.examples]
    return hashlib.sha256(msgspec.json.encode(subject, order="deterministic")).hexdigest()[:24]


def unproven(rules: Iterable[Rule], folders: Iterable[Path], cache: Path | None) -> list[Rule]:
    """The rules that neither their folders nor the cache list as proven."""
    known = {name for folder in folders for name in _read(folder / FILE)}
    if cache is not None:
        known |= _read(cache)
    return [rule for rule in rules if name_of(rule) not in known]


def prove(rules: Sequence[Rule]) -> dict[str, list[Problem]]:
    """What is wrong with each rule, by its id; nothing, where forgetting never acquits."""
    from cloudscan.snapshot import in_memory  # DuckDB takes 0.1 s to import

    alike: dict[str, list[Rule]] = {}
    for rule in rules:
        alike.setdefault(name_of(rule), []).append(rule)
    found: dict[str, list[Problem]] = {}
    with in_memory.open_empty() as db:
        for first, *others in alike.values():
            problems = found[first.id] = list(_problems(db, first))
            for other in others:
                found[other.id] = list(_problems(db, other)) if problems else []
    return found


def remember(rules: Sequence[Rule], cache: Path) -> None:
    """Note that rules are proven. A cache that cannot be written costs time, not more."""
    known = _read(cache)
    known = known if len(known) < _MOST else set()
    with contextlib.suppress(OSError):
        cache.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(cache, _written(known | {name_of(rule) for rule in rules}))


def write(rules: Sequence[Rule], folder: Path) -> None:
    """Write the list of a folder's proven rules. Raises `OSError`."""
    (folder / FILE).write_bytes(_written({name_of(rule) for rule in rules}))


def _problems(db: Any, rule: Rule) -> Iterator[Problem]:
    from cloudscan.engine import forgetting
    from cloudscan.engine.slip_words import described

    if large := forgetting.too_many(rule):
        message = f"the example {large.it!r} has too many rows to be tried; write smaller examples"
        yield Problem(rule.source, rule.query_line, message)
        return
    try:
        slips = list(forgetting.slips(db, rule))
    except RuleError as error:
        yield Problem(rule.source, rule.query_line, str(error).removeprefix(f"{rule.source}:{rule.query_line}: "))
        return
    first = {tuple(sorted(slip.parts)): slip for slip in reversed(slips)}
    simplest = sorted(first.values(), key=lambda slip: (len(slip.forgotten), slip.parts))
    yield from dict.fromkeys(described(rule, slip) for slip in simplest[:_PROBLEMS])


def _base() -> list[Any]:
    """What every proof rests on, beside the rule."""
    markers = [unread_grants("r"), Membership(group_uid="g", member_uid=None)]
    return [_METHOD, {name: dict(columns) for name, columns in TABLES.items()}, views_sql(), examples.PLAIN, markers]


def _read(file: Path) -> set[str]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=set[str])
    except (OSError, msgspec.MsgspecError):
        return set()


def _written(names: Iterable[str]) -> bytes:
    return b"[\n" + b",\n".join(msgspec.json.encode(name) for name in sorted(names)) + b"\n]\n"
