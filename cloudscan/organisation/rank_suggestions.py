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
from cloudscan.organisation import rank_lines
from cloudscan.organisation.rank_lines import RankLine, Source
from cloudscan.organisation.rank_words import condition, rank_of_label, topics
from cloudscan.sentence import Sentence
from cloudscan.snapshot.snapshot import Snapshot
from cloudscan.text import plain

_MOST_CONTAINERS: Final = 3  # that get an entry each for one word
_MOST_CANDIDATES: Final = 200  # patterns that are counted


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that may be right."""

    rank: int
    key: str  # of `[[ranks]]`: paths, labels
    value: str
    platform: str
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
    platform: str
    topic: int
    word: str


def _words(snapshot: Snapshot) -> None:
    """Make `rank_words`: the topic and word in the name of each unranked resource that has one, the first topic's."""
    pairs = _pairs()
    cases = " ".join(f"WHEN {condition(word, 'name')} THEN {number}" for number, (_topic, word) in enumerate(pairs))
    snapshot.db.execute(
        f"""CREATE OR REPLACE TEMP TABLE rank_words AS
            SELECT uid, platform, text, pair FROM (
                SELECT uid, platform, text, CASE {cases} END AS pair
                FROM (SELECT uid, platform, text, split_part(rtrim(text, '/'), '/', -1) AS name FROM rank_texts
                      WHERE uid NOT IN (SELECT uid FROM rank_decided)))
            WHERE pair IS NOT NULL"""
    )


def _pairs() -> list[tuple[int, str]]:
    """Each word with its topic's number."""
    return [(topic, word) for topic, one in enumerate(topics()) for word in one.words]


def _folders(snapshot: Snapshot) -> list[_Candidate]:
    """Folders and containers with such names, but for those that are in another one."""
    rows = snapshot.db.execute(
        f"""SELECT w.platform, w.text, w.pair, coalesce(t.called, t.outer_called || '/' || t.tail)
            FROM rank_words AS w JOIN rank_tails AS t ON t.uid = w.uid
            WHERE w.uid IN (SELECT parent_uid FROM resources)
               OR w.uid IN (SELECT container_uid FROM resources)
               OR t.called IS NOT NULL
            ORDER BY length(w.text), w.text LIMIT {_MOST_CANDIDATES * 5}"""
    ).fetchall()
    chosen: dict[str, _Candidate] = {}
    for platform, text, pair, called in rows:
        if not any(text.startswith(outer) for outer in chosen):
            topic, word = _pairs()[pair]
            chosen[text] = _Candidate(pattern=f"{_literal(called)}/*", platform=platform, topic=topic, word=word)
    return list(chosen.values())


def _files(snapshot: Snapshot) -> list[_Candidate]:
    """What other things have in their names: an entry a container, or one for all where it would be too many."""
    rows = snapshot.db.execute(
        f"""SELECT w.platform, w.pair, t.outer_called, count(*) FROM rank_words AS w
            JOIN rank_tails AS t ON t.uid = w.uid AND t.called IS NULL AND t.outer_called <> ''
            WHERE w.uid NOT IN (SELECT parent_uid FROM resources WHERE parent_uid IS NOT NULL)
            GROUP BY ALL ORDER BY 4 DESC, 3, 2 LIMIT {_MOST_CANDIDATES}"""
    ).fetchall()
    containers = Counter((platform, pair) for platform, pair, _outer, _count in rows)
    candidates: dict[_Candidate, None] = {}
    for platform, pair, outer, _count in rows:
        topic, word = _pairs()[pair]
        inside = f"{_literal(outer)}/" if containers[platform, pair] <= _MOST_CONTAINERS else ""
        pattern = f"{inside}*{_literal(word).replace(' ', '?')}*"
        candidates[_Candidate(pattern=pattern, platform=platform, topic=topic, word=word)] = None
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
    lines = [
        RankLine(rank=topics()[one.topic].rank, source=Source.PATTERN, value=one.pattern, platform=one.platform)
        for one in candidates
    ]
    cases = " ".join(
        f"WHEN {rank_lines.on_platform(line, rank_lines.path_condition(line.value, 'text'), 'platform')} THEN {number}"
        for number, line in enumerate(lines)
    )
    snapshot.db.execute(
        f"""CREATE OR REPLACE TEMP TABLE rank_candidates AS
            SELECT uid, number FROM (SELECT uid, CASE {cases} END AS number FROM rank_texts
                                     WHERE uid NOT IN (SELECT uid FROM rank_decided))
            WHERE number IS NOT NULL"""
    )
    rows = snapshot.db.execute(
        """SELECT c.number, count(DISTINCT c.uid), max(g.audience) FILTER (WHERE g.effective)
           FROM rank_candidates AS c LEFT JOIN grants AS g ON g.resource_uid = c.uid GROUP BY c.number"""
    ).fetchall()
    return [
        Suggestion(
            rank=lines[number].rank,
            key="paths",
            value=lines[number].value,
            platform=lines[number].platform,
            word=candidates[number].word,
            meaning=topics()[candidates[number].topic].meaning,
            resources=resources,
            audience=Audience(audience) if audience else None,
        )
        for number, resources, audience in rows
    ]


def _labels(snapshot: Snapshot) -> list[Suggestion]:
    rows = snapshot.db.execute(
        """SELECT r.platform, r.label, count(DISTINCT r.uid), max(g.audience) FILTER (WHERE g.effective)
           FROM resources AS r LEFT JOIN grants AS g ON g.resource_uid = r.uid
           WHERE r.label <> '' AND r.uid NOT IN (SELECT uid FROM rank_decided) GROUP BY r.platform, r.label"""
    ).fetchall()
    return [
        Suggestion(
            rank=meant[0],
            key="labels",
            value=_literal(label),
            platform=platform,
            word=meant[1],
            meaning=None,
            resources=resources,
            audience=Audience(audience) if audience else None,
        )
        for platform, label, resources, audience in rows
        if (meant := rank_of_label(label))
    ]


def by_entry(suggestions: Sequence[Suggestion]) -> Mapping[tuple[int, str], list[Suggestion]]:
    """Suggestions by rank and platform, the highest rank first: an entry of the configuration each."""
    entries: dict[tuple[int, str], list[Suggestion]] = {}
    for one in sorted(suggestions, key=lambda one: (-one.rank, one.platform)):
        entries.setdefault((one.rank, one.platform), []).append(one)
    return entries
