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
from collections.abc import Iterator, Sequence
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
    anonymous_on_the_internet,
    named_in,
    of_account,
    of_account_outside,
    of_organisation,
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
COVERS_ANY_ACCOUNT = frozenset({"anyone", "any_account", "network", "access_point_account"})


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


def disagreements(policy: Json, tally: Counter[str] | None = None) -> Iterator[Disagreement]:
    """Every question on which the two disagree."""
    bucket = buckets.bucket(policy=json.dumps(policy))
    opened = [path for path in access_paths(bucket, buckets.US, buckets.NOW).open if path.access_point is None]
    for action in _actions(policy):
        paths = [path for path in opened if path.capability.value == CAPABILITIES[action]]
        yield from _compared(policy, action, paths, tally)


def _actions(policy: Json) -> Sequence[str]:
    named = {each for statement in policy["Statement"] for each in listed(statement.get("Action", "s3:*"))}
    return [action for action in CAPABILITIES if action in named] or list(CAPABILITIES)


def _compared(
    policy: Json, action: str, paths: Sequence[AccessPath], tally: Counter[str] | None
) -> Iterator[Disagreement]:
    perhaps = [path for path in paths if path.effective is not False and path.kind not in NOT_MODELLED]
    surely = [path for path in perhaps if path.effective]
    told = _told(paths)
    oracle = Oracle(policy, OUR_BUCKET, action)

    def answer(question: str, asked: Asked) -> Result:
        result = oracle.ask(asked)
        if tally is not None:
            tally[f"{question}: {result.answer}"] += 1
        return result

    def differ(question: str, result: Result) -> Disagreement:
        return Disagreement(question=question, policy=policy, product=told, oracle=result)

    result = answer("anybody from outside", outside(OUR_BUCKET, through_our_networks=False))
    if result.answer is Answer.YES and not any(_outside(path) for path in perhaps):
        yield differ("nobody, though somebody gets in", result)
        return
    if result.answer is Answer.NO and any(_outside(path) for path in surely):
        loosely = answer("anybody, our networks included", outside(OUR_BUCKET, through_our_networks=True))
        if loosely.answer is Answer.NO:
            yield differ("somebody, though nobody gets in", result)
            return
    kinds = {path.kind for path in perhaps}
    result = answer("unsigned on the internet", anonymous_on_the_internet)
    if result.answer is Answer.YES and kinds.isdisjoint({"anyone", "network"}):
        yield differ("no unsigned caller, though one gets in", result)
    elif result.answer is not Answer.YES:
        result = answer("unsigned", anonymous)
        if result.answer is Answer.YES and kinds.isdisjoint({"anyone", "network", "any_account"}):
            yield differ("no unsigned caller in a network, though one gets in", result)
        if result.answer is Answer.NO and any(path.kind == "anyone" for path in surely):
            yield differ("an unsigned caller, though none gets in", result)
    result = answer("any account", unnamed(policy, OUR_BUCKET, any_id=False))
    if result.answer is Answer.YES and kinds.isdisjoint(COVERS_ANY_ACCOUNT):
        yield differ("not any account, though any gets in", result)
    if result.answer is Answer.NO and any(path.kind == "any_account" for path in surely):
        result = answer("any account, ids of any kind", unnamed(policy, OUR_BUCKET, any_id=True))
        if result.answer is Answer.NO:
            yield differ("any account, though only named ones get in", result)
    named = named_in(policy)
    for account in named.accounts:
        if account in OUR_BUCKET.own_accounts:
            continue
        result = answer("a named account", of_account_outside(account, OUR_BUCKET))
        covering = [path for path in perhaps if _outside(path) and (path.account in {"", account})]
        if result.answer is Answer.YES and not covering:
            yield differ(f"not account {account}, though it gets in", result)
        if result.answer is Answer.NO and any(
            path.account == account and path.kind in {"account", "principal", "unique_id"} for path in surely
        ):
            result = answer("a named account, of any organisation", of_account(account))
            if result.answer is Answer.NO:
                yield differ(f"account {account}, though it does not get in", result)
    for organisation in named.organisations:
        if organisation == OUR_BUCKET.organisation:
            continue
        result = answer("a named organisation", of_organisation(organisation))
        covering = [
            path for path in perhaps if _outside(path) and (path.kind != "organisation" or organisation in path.names)
        ]
        if result.answer is Answer.YES and not covering:
            yield differ(f"not organisation {organisation}, though it gets in", result)
        if result.answer is Answer.NO and any(
            path.kind == "organisation" and organisation in path.names for path in surely
        ):
            yield differ(f"organisation {organisation}, though it does not get in", result)


def _outside(path: AccessPath) -> bool:
    """Does a path let in somebody who is not ours?"""
    if path.audience in {Audience.NOBODY, Audience.OWNER, Audience.ORGANISATION}:
        return False
    return not (path.account and buckets.US.owns(path.account))


def _told(paths: Sequence[AccessPath]) -> str:
    said = [
        f"{path.kind} {','.join(path.names) or '-'} ({path.audience.value}, effective {path.effective}, statement "
        f"{path.statement.number})"
        for path in paths
    ]
    return "; ".join(said) or "nothing"


def smallest(found: Disagreement) -> Disagreement:
    """The same kind of disagreement on as little policy as possible."""
    kind = _kind(found)
    while True:
        for smaller in _smaller(found.policy):
            same = next((each for each in disagreements(smaller) if _kind(each) == kind), None)
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


def _kind(found: Disagreement) -> str:
    """The question, without the number or name that it is about."""
    return " ".join(word for word in found.question.split() if not word[0].isdigit() and not word.startswith("o-"))


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
        found += [(seed, each) for each in disagreements(policy, tally)]
    spent = time.process_time() - began
    kinds = Counter(_kind(each) for _, each in found)
    seeds = {kind: len({seed for seed, each in found if _kind(each) == kind}) for kind in kinds}
    for kind, number in kinds.most_common():
        print(f"\n=== {kind}: {number} ({seeds[kind]} policies)")
        reduced: dict[str, tuple[int, Disagreement]] = {}
        of_kind = [(seed, each) for seed, each in found if _kind(each) == kind]
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
