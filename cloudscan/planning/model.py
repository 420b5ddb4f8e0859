"""What reading an estate of a certain size takes, by each approach, and which one is advised.

Pure: amounts and coefficients in, costs out. The coefficients of reading are the connectors' (`cloudscan.forecast`),
those of everything after it stand here, as the benches measured them; `tests/planning` compares them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cloudscan.forecast import ONCE, Approach, Forecasting, Role
from cloudscan.sentence import Sentence, say

NIGHT: Final = 8.0
"""Hours that a scan may take without being in anybody's way."""

SEALING: Final = 18.0
"""Microseconds of the processor for a resource with its grants (tests/bench/sealing.py)."""

JUDGING: Final = 13.0
"""Microseconds of the processor for a resource, all shipped rules together (tests/bench/engine.py)."""

KNOWING: Final = 4.5
"""Microseconds of the processor for a resource: ranks, templates, partners (tests/bench/organisation.py)."""

ONE_MACHINE: Final = 30_000_000
"""Resources up to which one machine with two cores and 2 GiB is advised; ten million were tried."""

_ANSWER: Final = 0.2  # seconds until a provider answers, of which nothing is promised
_AT_ONCE: Final = 16  # questions on their way, as [scan] concurrency says by default
_CORES: Final = 2
_LINE: Final = 900  # bytes of the spool for a resource with its grants
_SEALED: Final = 250  # bytes of the snapshot for the same
_LEAST_MEMORY: Final = 300  # megabytes
_MOST_MEMORY: Final = 2048  # megabytes: DuckDB keeps to its limit, and spills
_PER_MILLION: Final = 450  # megabytes for a million resources, up to that limit


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one scan takes by one approach."""

    approach: str
    title: Sentence | str
    role: Role
    requests: int
    hours: float  # on the clock, of reading: the longest of quota, waiting and processor
    hours_by_quota: float
    processor_hours: float  # reading, sealing, judging
    memory_megabytes: int
    disk_megabytes: int
    dollars: float
    certain: bool  # the quotas and prices are documented, not guessed
    hours_old: float
    lacks: Sentence | str
    needs: Sentence | str


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """How to begin, what to do on the nights after, and on which engine."""

    whole: str  # the name of an approach
    nights: str
    engine: str  # duckdb, spark
    because: Sequence[Sentence]


def sizes_of(forecasting: Forecasting, known: Mapping[str, int]) -> dict[str, float]:
    """How many there are of every unit: those known, the rest as an ordinary estate has of the first that is known."""
    files = next((known[unit] / share for unit, share in forecasting.typical.items() if share and unit in known), 0.0)
    return {unit: known.get(unit, share * files) for unit, share in forecasting.typical.items()} | {ONCE: 1.0}


def costs(forecasting: Forecasting, sizes: Mapping[str, float]) -> list[Cost]:
    """What each approach takes for an estate of these sizes (`sizes_of`)."""
    return [_cost(approach, sizes, sizes.get(forecasting.resources, 0.0)) for approach in forecasting.approaches]


def advise(found: Sequence[Cost], resources: float) -> Advice:
    """Which approach to take. A scan that fits into a night asks live: nothing else answers everything."""
    live = next(cost for cost in found if cost.role is Role.WHOLE)
    bulk = min((cost for cost in found if cost.role is Role.BULK), key=lambda cost: cost.hours, default=None)
    nights = min((cost for cost in found if cost.role is Role.CHANGES), key=lambda cost: cost.hours, default=live)
    because: list[Sentence] = []
    whole = live
    if live.hours <= NIGHT:
        because.append(say("A full scan fits into a night, and no other approach answers as much."))
    elif bulk is not None and bulk.hours < live.hours / 2:
        whole = bulk
        because.append(
            say("A full scan by questions takes {hours} hours by what the provider allows.", hours=_whole(live.hours))
        )
    else:
        because.append(
            say(
                "A full scan takes {hours} hours, in several nights: it resumes where it stopped.",
                hours=_whole(live.hours),
            )
        )
    if nights is not live:
        because.append(say("The nights after ask only for what changed, and everything at least once a week."))
    beyond = resources > ONE_MACHINE
    if beyond:
        because.append(say("More than {count} million resources: judge on Spark.", count=ONE_MACHINE // 1_000_000))
    return Advice(whole=whole.approach, nights=nights.approach, engine="spark" if beyond else "duckdb", because=because)


def _cost(approach: Approach, sizes: Mapping[str, float], resources: float) -> Cost:
    requests = _sum(approach.requests, sizes)
    processor = _sum(approach.microseconds, sizes) + resources * (SEALING + JUDGING + KNOWING)
    by_quota = max((quota.hours(sizes) for quota in approach.quotas), default=0.0)
    waiting = requests * _ANSWER / _AT_ONCE / 3600
    reading = _sum(approach.microseconds, sizes) / 1e6 / 3600
    return Cost(
        approach=approach.name,
        title=approach.title,
        role=approach.role,
        requests=round(requests),
        hours=max(by_quota, waiting, reading),
        hours_by_quota=by_quota,
        processor_hours=processor / 1e6 / 3600,
        memory_megabytes=round(min(_MOST_MEMORY, _LEAST_MEMORY + _PER_MILLION * resources / 1e6)),
        disk_megabytes=round(resources * (_LINE + _SEALED) / 1e6),
        dollars=sum(charge.dollars * sizes.get(charge.unit, 0.0) / charge.per for charge in approach.charges),
        certain=all([*(quota.certain for quota in approach.quotas), *(charge.certain for charge in approach.charges)]),
        hours_old=approach.hours_old,
        lacks=approach.lacks,
        needs=approach.needs,
    )


def hours_to_judge(resources: float) -> float:
    """Hours on the clock from facts to verdicts on one machine."""
    return resources * (SEALING + JUDGING + KNOWING) / 1e6 / 3600 / _CORES


def _sum(each: Mapping[str, float], sizes: Mapping[str, float]) -> float:
    return sum(amount * sizes.get(unit, 0.0) for unit, amount in each.items())


def _whole(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 1 else f"{hours:.1f}"
