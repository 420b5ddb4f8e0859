"""The product's answers beside the oracle's, policy by policy.

    python -m tests.connectors.s3.oracle.compare --seeds 0:2000

The product may say that it does not know. It may never say "nobody" where the oracle has a witness, nor name somebody
where the oracle has a proof that there is nobody.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cloudscan.facts import Audience
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import access_paths
from tests.connectors.s3 import buckets
from tests.connectors.s3.oracle.formulas import listed
from tests.connectors.s3.oracle.questions import (
    Answer,
    Asked,
    Bucket,
    Oracle,
    Result,
    anonymous,
    anonymous_anywhere,
    anybody,
    named_in,
    of_account,
    of_account_outside,
    of_organisation,
    of_organisation_outside,
    outside,
    unnamed,
)
from tests.connectors.s3.oracle.random_policies import policy_of

Json = dict[str, Any]

OUR_BUCKET = Bucket(
    name="b",
    account=buckets.OURS,
    own_accounts=frozenset({buckets.OURS, buckets.SISTER}),
    organisation=buckets.OUR_ORGANISATION,
    region="eu-west-1",
    now=buckets.NOW,
)
CAPABILITIES = {"s3:GetObject": "objects", "s3:ListBucket": "keys", "s3:PutObject": "writing"}
NOT_MODELLED = frozenset({"service", "federated", "canonical"})
OF_ONE_ACCOUNT = frozenset({"account", "principal", "unique_id"})
OF_ANY_ACCOUNT = frozenset({"anyone", "any_account", "organisation", "network", "access_point_account", "unique_id"})
NOBODY, SOMEBODY = "nobody, though somebody gets in", "somebody, though nobody gets in"


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """One question that the two answer differently."""

    question: str
    policy: Json
    product: str
    oracle: Result

    def __str__(self) -> str:
        return (
            f"{self.question}\n  policy:  {json.dumps(self.policy)}\n"
            f"  product: {self.product}\n  oracle:  {self.oracle.answer}: {self.oracle.witness}"
        )


def paths_of(policy: Json) -> Sequence[AccessPath]:
    """What the product says of a bucket with a policy."""
    return access_paths(buckets.bucket(policy=json.dumps(policy)), buckets.US, buckets.NOW).direct


def disagreements(
    policy: Json, product: Callable[[Json], Sequence[AccessPath]] = paths_of, tally: Counter[str] | None = None
) -> Iterator[Disagreement]:
    """Every question on which the two disagree; where they disagree about nobody, that is all."""
    opened = product(policy)
    for action in _actions(policy):
        paths = [path for path in opened if path.capability.value == CAPABILITIES[action]]
        oracle = Oracle(policy, OUR_BUCKET, action)
        for question, asked, wrong in _comparisons(policy, paths):
            result = oracle.ask(asked, proof=wrong is Answer.NO)
            if tally is not None:
                tally[f"{_kind(question)}? {result.answer}"] += 1
            if result.answer is wrong:
                yield Disagreement(question=question, policy=policy, product=_told(paths), oracle=result)
                if question in {NOBODY, SOMEBODY}:
                    break


def _actions(policy: Json) -> Sequence[str]:
    named = {each for statement in policy["Statement"] for each in listed(statement.get("Action", "s3:*"))}
    return [action for action in CAPABILITIES if action in named] or list(CAPABILITIES)


def _comparisons(policy: Json, paths: Sequence[AccessPath]) -> Iterator[tuple[str, Asked, Answer]]:
    """The questions, each with the answer of the oracle's that the product's paths do not go with.

    A path covers what it may let in, known to be open or not; it claims what it lets in for certain.
    """
    covering = [path for path in paths if path.effective is not False and path.kind not in NOT_MODELLED]
    claiming = [path for path in covering if path.effective]
    covered, claimed = {path.kind for path in covering}, {path.kind for path in claiming}
    if not any(_outside(path) for path in covering):
        yield NOBODY, outside(OUR_BUCKET, through_our_networks=False), Answer.YES
    if any(_outside(path) and not _is_anybodys(path) for path in claiming):
        yield SOMEBODY, outside(OUR_BUCKET, through_our_networks=True), Answer.NO
    elif any(_outside(path) for path in claiming):
        yield SOMEBODY, anybody, Answer.NO
    if covered.isdisjoint({"anyone", "network"}):
        yield "no unsigned caller, though one gets in", anonymous_anywhere(policy), Answer.YES
    if covered.isdisjoint({"anyone", "network", "any_account"}):
        yield "no unsigned caller in a network, though one gets in", anonymous, Answer.YES
    if "anyone" in claimed:
        yield "an unsigned caller, though none gets in", anonymous, Answer.NO
    if covered.isdisjoint({"anyone", "any_account", "network", "access_point_account"}):
        yield "not any account, though any gets in", unnamed(policy, OUR_BUCKET, any_id=False), Answer.YES
    if "any_account" in claimed:
        yield "any account, though only named ones get in", unnamed(policy, OUR_BUCKET, any_id=True), Answer.NO
    named = named_in(policy)
    for account in named.accounts:
        if account in OUR_BUCKET.own_accounts:
            continue
        if not any(_outside(path) and (path.account == account or path.kind in OF_ANY_ACCOUNT) for path in covering):
            question = f"not account {account}, though it gets in"
            yield question, of_account_outside(account, OUR_BUCKET), Answer.YES
        if any(path.account == account and path.kind in OF_ONE_ACCOUNT for path in claiming):
            yield f"account {account}, though it does not get in", of_account(account), Answer.NO
    for organisation in named.organisations:
        if organisation == OUR_BUCKET.organisation:
            continue
        others = [path for path in covering if path.kind == "organisation" and organisation not in path.names]
        if not any(_outside(path) for path in covering if path not in others):
            question = f"not organisation {organisation}, though it gets in"
            yield question, of_organisation_outside(organisation, OUR_BUCKET), Answer.YES
        if any(path.kind == "organisation" and organisation in path.names for path in claiming):
            yield f"organisation {organisation}, though it does not get in", of_organisation(organisation), Answer.NO


def _outside(path: AccessPath) -> bool:
    """Does a path let in somebody who is not ours?"""
    if path.audience in {Audience.NOBODY, Audience.OWNER, Audience.ORGANISATION}:
        return False
    return not (path.account and buckets.US.owns(path.account))


def _is_anybodys(path: AccessPath) -> bool:
    """Does a path name a user or role by an id that does not tell whose it is?"""
    return path.kind == "unique_id" and not path.account


def _told(paths: Sequence[AccessPath]) -> str:
    said = [
        f"{path.kind} {','.join(path.names) or '-'} ({path.audience.value}, effective {path.effective}, statement "
        f"{path.statement.number})"
        for path in paths
    ]
    return "; ".join(said) or "nothing"


def smallest(found: Disagreement) -> Disagreement:
    """The same kind of disagreement on as little policy as possible."""
    kind = _kind(found.question)
    while True:
        for smaller in _smaller(found.policy):
            same = next((each for each in disagreements(smaller) if _kind(each.question) == kind), None)
            if same:
                found = same
                break
        else:
            return found


def _smaller(policy: Json) -> Iterator[Json]:
    """The policy with one statement, one condition or one value less."""
    statements = policy["Statement"]
    for place in range(len(statements)):
        if len(statements) > 1:
            yield {**policy, "Statement": statements[:place] + statements[place + 1 :]}
    for place, statement in enumerate(statements):
        for operator, keys in statement.get("Condition", {}).items():
            for key, values in keys.items():
                for kept in (None, *([each] for each in values if len(values) > 1)):
                    conditions = {
                        name: {each: texts for each, texts in inner.items() if (name, each) != (operator, key)}
                        for name, inner in statement["Condition"].items()
                    }
                    if kept is not None:
                        conditions[operator][key] = kept
                    conditions = {name: inner for name, inner in conditions.items() if inner}
                    changed = {name: value for name, value in statement.items() if name != "Condition"}
                    if conditions:
                        changed["Condition"] = conditions
                    yield {**policy, "Statement": [*statements[:place], changed, *statements[place + 1 :]]}


def _kind(question: str) -> str:
    """The question, without the number or name that it is about."""
    return " ".join(word for word in question.split() if not word[0].isdigit() and not word.startswith("o-"))


def _keys(policy: Json) -> str:
    keys = {
        key.lower().removeprefix("aws:")
        for statement in policy["Statement"]
        for inner in statement.get("Condition", {}).values()
        for key in inner
    }
    return ", ".join(sorted(keys)) or "no condition"


def main() -> None:
    """Print a table of disagreements by kind, with the smallest policy of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0:2000", help="FROM:TO")
    parser.add_argument("--shown", type=int, default=3, help="how many policies of each kind")
    parser.add_argument("--policy", help="one policy as JSON instead")
    options = parser.parse_args()
    tally: Counter[str] = Counter()
    first, last = (int(each) for each in options.seeds.split(":"))
    policies = [json.loads(options.policy)] if options.policy else map(policy_of, range(first, last))
    found: list[tuple[int, Disagreement]] = []
    began = time.process_time()
    for seed, policy in enumerate(policies, start=first):
        found += [(seed, each) for each in disagreements(policy, tally=tally)]
    spent = time.process_time() - began
    kinds = Counter(_kind(each.question) for _, each in found)
    seeds = {kind: len({seed for seed, each in found if _kind(each.question) == kind}) for kind in kinds}
    for kind, number in kinds.most_common():
        print(f"\n=== {kind}: {number} ({seeds[kind]} policies)")
        reduced: dict[str, tuple[int, Disagreement]] = {}
        of_kind = [(seed, each) for seed, each in found if _kind(each.question) == kind]
        for seed, each in sorted(of_kind, key=lambda pair: len(json.dumps(pair[1].policy)))[: options.shown * 4]:
            small = smallest(each)
            reduced.setdefault(_keys(small.policy), (seed, small))
        for seed, small in list(reduced.values())[: options.shown]:
            print(f"[seed {seed}] {small}\n")
    print(f"\n{last - first} policies, {len({seed for seed, _ in found})} with a disagreement, {spent:.0f} s of CPU")
    for question, number in sorted(tally.items()):
        print(f"  {question}: {number}")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
