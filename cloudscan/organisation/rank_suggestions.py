"""Ranks that names and labels suggest, as entries for the configuration that a person has to confirm.

Asked are names alone, never contents. Suggested are folders and containers with everything in them, then what files in
one container are called; each is counted by the entry as it would be written, so that a pattern that reaches too far
shows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from cloudscan.facts import Audience
from cloudscan.organisation import patterns
from cloudscan.organisation.rank_words import condition, rank_of_label, topics
from cloudscan.sentence import Sentence
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.text import plain

_MOST_CONTAINERS: Final = 3  # that get an entry each for one word
_MOST_CANDIDATES: Final = 200  # patterns that are counted


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that may be right."""

    rank: int
    key: str  # of `[[ranks]]`: places, labels
    value: str
    word: str  # what in the name says so
    meaning: Sentence | None  # what the word means; None of a label
    resources: int
    audience: Audience | None  # the widest of them; None: it could not be read, or nobody has access


def suggest(snapshot: Snapshot, most: int) -> list[Suggestion]:
    """What is unranked and called so. The snapshot is ranked already (`rank_lookup.rank`).

    Those come first that most people have access to, then those that reach most.
    """
    _words(snapshot)
    candidates = _folders(snapshot) + _files(snapshot)
    found = [*_counted(snapshot, candidates[:_MOST_CANDIDATES]), *_labels(snapshot)]
    found.sort(key=lambda one: (-(one.audience.rung if one.audience else 0), -one.rank, -one.resources, one.value))
    return found[:most]


class _Candidate(msgspec.Struct, frozen=True, kw_only=True):
    pattern: str
    topic: int
    word: str


def _words(snapshot: Snapshot) -> None:
    """Make `rank_words`: the topic and word in the name of each unranked resource that has one, the first topic's."""
    pairs = _pairs()
    cases = " ".join(f"WHEN {condition(word, 'name')} THEN {number}" for number, (_topic, word) in enumerate(pairs))
    snapshot.db.execute(
        f"""CREATE OR REPLACE TEMP TABLE rank_words AS
            SELECT uid, platform, place, pair FROM (
                SELECT uid, platform, place, CASE {cases} END AS pair
                FROM (SELECT r.uid, p.platform, p.place, split_part(p.place, '/', -1) || ' ' || lower(r.name) AS name
                      FROM rank_places AS p JOIN resources AS r ON r.uid = p.resource_uid
                      WHERE r.uid NOT IN (SELECT uid FROM rank_decided)))
            WHERE pair IS NOT NULL"""
    )


def _pairs() -> list[tuple[int, str]]:
    """Each word with its topic's number."""
    return [(topic, word) for topic, one in enumerate(topics()) for word in one.words]


def _folders(snapshot: Snapshot) -> list[_Candidate]:
    """Folders and containers with such names, but for those that are in another one."""
    rows = snapshot.db.execute(
        f"""SELECT uid, platform, place, pair FROM rank_words
            WHERE uid IN (SELECT parent_uid FROM resources) OR uid IN (SELECT container_uid FROM resources)
               OR uid IN (SELECT uid FROM resources WHERE container_uid IS NULL)
            ORDER BY length(place), place LIMIT {_MOST_CANDIDATES * 5}"""
    ).fetchall()
    written = patterns.written(snapshot.db, [uid for uid, *_ in rows])
    chosen: dict[str, _Candidate] = {}
    for uid, platform, place, pair in rows:
        if not any(place.startswith(f"{outer}/") for outer in chosen):
            topic, word = _pairs()[pair]
            chosen[place] = _Candidate(pattern=f"{platform}:{_literal(written[uid])}", topic=topic, word=word)
    return list(chosen.values())


def _files(snapshot: Snapshot) -> list[_Candidate]:
    """What other things have in their names: an entry a container, or one for all where it would be too many."""
    rows = snapshot.db.execute(
        f"""SELECT w.platform, w.pair, r.container_uid FROM rank_words AS w
            JOIN resources AS r ON r.uid = w.uid AND r.container_uid IS NOT NULL
            WHERE w.uid NOT IN (SELECT parent_uid FROM resources WHERE parent_uid IS NOT NULL)
              AND w.uid NOT IN (SELECT container_uid FROM resources WHERE container_uid IS NOT NULL)
            GROUP BY ALL ORDER BY count(*) DESC, 3, 2 LIMIT {_MOST_CANDIDATES}"""
    ).fetchall()
    written = patterns.written(snapshot.db, {container for *_, container in rows})
    containers = Counter((platform, pair) for platform, pair, _container in rows)
    candidates: dict[_Candidate, None] = {}
    for platform, pair, container in rows:
        topic, word = _pairs()[pair]
        is_one_of_few = containers[platform, pair] <= _MOST_CONTAINERS and container in written
        inside = f"{_literal(written[container])}/" if is_one_of_few else ""
        pattern = f"{platform}:{inside}**/*{_literal(word).replace(' ', '?')}*"
        candidates[_Candidate(pattern=pattern, topic=topic, word=word)] = None
    return list(candidates)


def _literal(name: str) -> str:
    """A name as a pattern: what is wild, and what cannot be seen, is any character."""
    return "".join(
        "?" if char in "*?" or not char.isprintable() or plain(char) != char else char for char in name.strip("/")
    )


def _counted(snapshot: Snapshot, candidates: Sequence[_Candidate]) -> list[Suggestion]:
    """Candidates with what is unranked and no earlier one reaches; without those for which nothing is left."""
    if not candidates:
        return []
    patterns.match(snapshot.db, [one.pattern for one in candidates], "rank_matched", places="rank_places")
    snapshot.db.execute(
        """CREATE OR REPLACE TEMP TABLE rank_candidates AS
           SELECT resource_uid AS uid, min(pattern) AS number FROM rank_matched
           WHERE resource_uid NOT IN (SELECT uid FROM rank_decided) GROUP BY resource_uid"""
    )
    rows = snapshot.db.execute(
        """SELECT c.number, count(DISTINCT c.uid), max(g.audience) FILTER (WHERE g.effective)
           FROM rank_candidates AS c LEFT JOIN grants AS g ON g.resource_uid = c.uid GROUP BY c.number"""
    ).fetchall()
    return [
        Suggestion(
            rank=topics()[candidates[number].topic].rank,
            key="places",
            value=candidates[number].pattern,
            word=candidates[number].word,
            meaning=topics()[candidates[number].topic].meaning,
            resources=resources,
            audience=Audience(audience) if audience else None,
        )
        for number, resources, audience in rows
    ]


def _labels(snapshot: Snapshot) -> list[Suggestion]:
    rows = snapshot.db.execute(
        """SELECT r.label, count(DISTINCT r.uid), max(g.audience) FILTER (WHERE g.effective)
           FROM resources AS r LEFT JOIN grants AS g ON g.resource_uid = r.uid
           WHERE r.label <> '' AND r.uid NOT IN (SELECT uid FROM rank_decided) GROUP BY r.label"""
    ).fetchall()
    return [
        Suggestion(
            rank=meant[0],
            key="labels",
            value=_literal(label),
            word=meant[1],
            meaning=None,
            resources=resources,
            audience=Audience(audience) if audience else None,
        )
        for label, resources, audience in rows
        if (meant := rank_of_label(label))
    ]


def by_rank(suggestions: Sequence[Suggestion]) -> Mapping[int, list[Suggestion]]:
    """Suggestions by rank, the highest first: an entry of the configuration each."""
    entries: dict[int, list[Suggestion]] = {}
    for one in sorted(suggestions, key=lambda one: -one.rank):
        entries.setdefault(one.rank, []).append(one)
    return entries
