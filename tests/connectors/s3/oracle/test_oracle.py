"""The oracle against what AWS documents, against itself, and then the product against the oracle."""

import itertools
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from tests.connectors.s3.buckets import (
    OTHER_ORGANISATION,
    OUR_ORGANISATION,
    OURS,
    THEIRS,
    Json,
    allow,
    policy,
    when,
)
from tests.connectors.s3.oracle import languages
from tests.connectors.s3.oracle.callers import Case, Identity, Network, Through
from tests.connectors.s3.oracle.compare import NOBODY, OUR_BUCKET, SOMEBODY, disagreements, paths_of
from tests.connectors.s3.oracle.documented import CASES, arn_like
from tests.connectors.s3.oracle.evaluate import gets_in, request_of
from tests.connectors.s3.oracle.formulas import Doubts, tokens
from tests.connectors.s3.oracle.languages import concat, letters, one, repeat, star, union
from tests.connectors.s3.oracle.questions import (
    Answer,
    Oracle,
    Witness,
    anonymous,
    anonymous_on_the_internet,
    named_in,
    of_account_outside,
    of_organisation,
    outside,
    unnamed,
)
from tests.connectors.s3.oracle.random_policies import policies, policy_of
from tests.connectors.s3.oracle.texts import language
from tests.kit.properties import examples

READ = "s3:GetObject"
ROLE_ID = "AROAQQQQWWWWEEEERRRRT"
SHARDS, SEEDS = 100, 1000
ANYBODY = outside(OUR_BUCKET, through_our_networks=False)
YES, NO, DEPENDS, UNDECIDED = Answer.YES, Answer.NO, Answer.IT_DEPENDS, Answer.UNDECIDED


@pytest.mark.parametrize(
    ("statements", "anybody", "unsigned", "any_account", "theirs"),
    [each[1:] for each in CASES],
    ids=[each[0] for each in CASES],
)
def test_documented(
    statements: list[Json], anybody: Answer, unsigned: Answer, any_account: Answer, theirs: Answer
) -> None:
    """What AWS's pages say of each, with a doubt where they leave one."""
    document = json.loads(policy(*statements))

    oracle = Oracle(document, OUR_BUCKET, READ)

    asked = (ANYBODY, anonymous, unnamed(document, OUR_BUCKET, any_id=False), of_account_outside(THEIRS, OUR_BUCKET))
    assert [oracle.ask(each).answer for each in asked] == [anybody, unsigned, any_account, theirs]


def test_members_of_an_organisation() -> None:
    """Who is let in as a member of one organisation is not let in as a member of another."""
    document = json.loads(policy(allow(when=when("StringLike", "aws:PrincipalOrgID", "o-their*"))))
    oracle = Oracle(document, OUR_BUCKET, READ)

    answers = [oracle.ask(of_organisation(each)).answer for each in (OTHER_ORGANISATION, "o-zz98yy76xx")]

    assert answers == [YES, NO]


def test_a_network_is_not_the_internet() -> None:
    """Unsigned callers behind an endpoint are not unsigned callers on the internet."""
    document = json.loads(policy(allow(when=when("StringEquals", "aws:SourceVpce", "vpce-1a2b3c4d"))))
    oracle = Oracle(document, OUR_BUCKET, READ)

    answers = [oracle.ask(each).answer for each in (anonymous, anonymous_on_the_internet)]

    assert answers == [YES, NO]


def test_other_actions() -> None:
    """A permission to read lets nobody list, and a prefix is a matter of lists alone."""
    read = json.loads(policy(allow(action=READ)))
    prefix = json.loads(policy(allow(action="s3:*", when=when("StringLike", "s3:prefix", "open/*"))))

    answers = [
        Oracle(document, OUR_BUCKET, action).ask(ANYBODY).answer
        for document in (read, prefix)
        for action in (READ, "s3:ListBucket", "s3:PutObject")
    ]

    assert answers == [YES, NO, NO, NO, YES, NO]


def test_what_the_oracle_does_not_know_is_undecided() -> None:
    """A key that it has no model of is no proof of anything."""
    document = json.loads(policy(allow(when=when("StringEquals", "s3:NotInvented", "x"))))

    assert Oracle(document, OUR_BUCKET, READ).ask(ANYBODY).answer is UNDECIDED


def test_variables_that_callers_choose_can_be_witnessed_but_not_refuted() -> None:
    """A variable is tried with a few values: a yes is a yes, a no is none."""
    same = json.loads(policy(allow(when=when("StringEquals", "aws:PrincipalTag/home", "${aws:PrincipalAccount}"))))
    none = json.loads(policy(allow(when=when("StringEquals", "aws:username", "${aws:PrincipalTag/a}:x"))))

    answers = [Oracle(each, OUR_BUCKET, READ).ask(ANYBODY).answer for each in (same, none)]

    assert answers == [YES, UNDECIDED]


# ---------------------------------------------------------------------------------------------- the oracle and itself

SMALL = ("a", "b", ":")


def _words(most: int) -> Iterator[str]:
    for length in range(most + 1):
        yield from map("".join, itertools.product(SMALL, repeat=length))


def _small_language(chance: random.Random, depth: int) -> languages.Language:
    if depth == 0 or chance.random() < 0.3:
        return one(chance.choice((letters("a"), letters("b"), letters("ab"), languages.ANY, letters(":"))))
    parts = [_small_language(chance, depth - 1) for _ in range(chance.choice((1, 2, 3)))]
    return chance.choice((lambda: concat(*parts), lambda: union(*parts), lambda: star(parts[0])))()


def _small_pattern(chance: random.Random) -> languages.Language:
    return language(tokens("".join(chance.choice((*SMALL, "*", "?")) for _ in range(chance.randrange(5)))))


def _is_in(word: str, of: languages.Language) -> bool:
    """Membership by the plainest recursion, without places."""
    if of.made_of == "letter":
        return len(word) == 1 and word in of.letter
    if of.made_of == "or":
        return any(_is_in(word, each) for each in of.of)
    if of.made_of == "star":
        return not word or any(
            _is_in(word[:cut], of.of[0]) and _is_in(word[cut:], of) for cut in range(1, len(word) + 1)
        )
    if not of.of:
        return not word
    rest = languages.Language("then", of.of[1:])
    return any(_is_in(word[:cut], of.of[0]) and _is_in(word[cut:], rest) for cut in range(len(word) + 1))


def test_common_strings_are_those_that_trying_all_short_ones_finds() -> None:
    """Over three letters, whatever short string is common is found, and what is found is common."""
    chance = random.Random(13)
    for _ in range(60):
        within = [chance.choice((_small_pattern, lambda each: _small_language(each, 2)))(chance) for _ in range(2)]
        outside_of = [_small_pattern(chance)]

        found = languages.common(within, outside_of)

        short = next(
            (
                word
                for word in _words(4)
                if all(_is_in(word, each) for each in within) and not any(_is_in(word, each) for each in outside_of)
            ),
            None,
        )
        assert found is not None or short is None
        if found is not None:
            assert all(_is_in(found, each) for each in within)
            assert not any(_is_in(found, each) for each in outside_of)
            assert short is None or len(found) <= len(short)


def _z3_agrees(seeds: Sequence[int]) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        role = concat("AROA", repeat(letters("AZ", "09"), 3), ":", repeat(letters("az", "-"), 2))
        words = ["".join(chance.choice("ARO1:a-*?*") for _ in range(chance.randrange(1, 6))) for _ in range(3)]
        patterns = [language(tokens(f"*{word}*" if chance.random() < 0.5 else word)) for word in words]

        found = languages.common([role, patterns[0]], patterns[1:])

        said = languages.common_by_z3([role, patterns[0]], patterns[1:], milliseconds=5000)
        assert said is None or said == (found is not None), words


def test_z3_agrees_about_strings() -> None:
    """z3's own theory of strings, asked the same, says the same."""
    _z3_agrees(range(12))


@pytest.mark.campaign
def test_z3_agrees_about_many_strings() -> None:
    """The same on more than `make test` has time for."""
    _z3_agrees(range(12, 3000))


@given(policies)
@examples(20)
def test_a_witness_gets_in(document: dict[str, Any]) -> None:
    """Whom the solver finds gets in as one concrete request, evaluated without solver or sets."""
    for action in (READ, "s3:ListBucket", "s3:PutObject"):
        result = Oracle(document, OUR_BUCKET, action).ask(ANYBODY, proof=False)
        if result.answer is YES:
            assert result.witness
            assert gets_in(document, request_of(result.witness), Doubts()), result.witness


@given(policies)
@examples(20)
def test_nobody_gets_in_who_was_proven_away(document: dict[str, Any]) -> None:
    """Callers made by chance from what the policy says never get in where the solver has a proof."""
    action = document["Statement"][0]["Action"]
    oracle = Oracle(document, OUR_BUCKET, action)
    chance = random.Random(json.dumps(document))
    for asked, wanted in ((ANYBODY, None), (anonymous, Identity.ANONYMOUS)):
        if oracle.ask(asked).answer is NO:
            for _ in range(60):
                witness = _caller(chance, document, action, wanted)
                assert not gets_in(document, request_of(witness), Doubts()), witness


def _caller(chance: random.Random, document: dict[str, Any], action: str, identity: Identity | None) -> Witness:
    """A caller from outside whose values are cut from the policy's, wildcards filled in by chance."""
    case = Case(
        identity=identity or chance.choice(tuple(Identity)),
        network=chance.choice((Network.INTERNET, Network.ENDPOINT)),
        through=Through.DIRECT,
        action=action,
        bucket=OUR_BUCKET.name,
        account=OURS,
        organisation=OUR_ORGANISATION,
        region=OUR_BUCKET.region,
        now=OUR_BUCKET.now,
    )
    words = [_filled(chance, word) for word in named_in(document).words]
    account = chance.choice([word for word in words if len(word) == 12 and word.isdigit()] or [THEIRS])
    account = THEIRS if account in OUR_BUCKET.own_accounts else account
    name = chance.choice([word for word in words if word.isalnum() or "-" in word[1:-1]] + ["backup"]).split("/")[-1]
    name = "".join(each for each in name if each.isalnum() or each in "-_.") or "x1"
    kind = {Identity.USER: f"user/{name}", Identity.ROLE: f"role/{name}", Identity.ROOT: "root"}
    values: dict[str, str | int | bool] = {
        "arn": f"arn:aws:sts::{account}:federated-user/{name}"
        if case.identity is Identity.FEDERATED
        else f"arn:aws:iam::{account}:{kind.get(case.identity, '')}",
        "organisation": f"{OTHER_ORGANISATION}/r-ab12/ou-ab12-11111111/",
        "organisation present": chance.random() < 0.5,
        "vpc": f"arn:aws:ec2:eu-west-1:{THEIRS}:vpc/vpc-0a1b2c3d4e5f67890",
        "endpoint": chance.choice(("vpce-1a2b3c4d", "vpce-0a1b2c3d4e5f67890", "vpce-77777777")),
        "address": chance.choice(("203.0.113.7", "198.51.100.88", "52.88.1.1", "9.9.9.9")),
        "aws:referer": chance.choice(words),
        "aws:referer present": chance.random() < 0.5,
        "mfa present": chance.random() < 0.5 and case.identity is not Identity.FEDERATED,
        "mfa": chance.random() < 0.5,
        "secure": chance.random() < 0.5,
    }
    if case.identity in {Identity.USER, Identity.ROLE, Identity.FEDERATED}:
        values |= {
            "aws:principaltag/team": chance.choice(words),
            "aws:principaltag/team present": chance.random() < 0.5,
        }
    if case.identity is Identity.ROLE:
        values["userid"] = f"{ROLE_ID}:{name}xx"
    return Witness(case=case, values=values)


def _filled(chance: random.Random, word: str) -> str:
    filled = "".join(chance.choice("279a-") if each == "?" else each for each in word)
    return filled.replace("*", chance.choice(("", "backup", "22", "x")))


# ------------------------------------------------------------------------------------------ the product and the oracle


def _agree(seeds: Sequence[int]) -> None:
    found = [(seed, each) for seed in seeds for each in disagreements(policy_of(seed))]
    assert not found, f"{len(found)} disagreements; the first:\n" + "\n".join(
        f"[seed {seed}] {each}" for seed, each in found[:5]
    )


@pytest.mark.parametrize("first", range(0, 150, 50))
def test_the_product_agrees(first: int) -> None:
    """The product never says "nobody" where there is a witness, nor somebody where there is a proof of nobody."""
    _agree(range(first, first + 50))


@pytest.mark.campaign
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_product_agrees_on_a_hundred_thousand_policies(shard: int) -> None:
    """The same at length, in shards that can be run one by one."""
    _agree(range(1000 + shard * SEEDS, 1000 + (shard + 1) * SEEDS))


def test_an_evaluator_that_finds_nobody_is_contradicted() -> None:
    """Silence about an open bucket is a disagreement."""
    document = json.loads(policy(allow(when=arn_like("arn:aws:iam:*:role/backup", "StringLike"))))

    found = list(disagreements(document, product=lambda _: ()))

    assert [each.question for each in found] == [NOBODY]
    assert found[0].oracle.witness and ":role/backup" in str(found[0].oracle.witness.values["arn"])


def test_an_evaluator_that_invents_somebody_is_contradicted() -> None:
    """An open path where nobody gets in is a disagreement; one that may be open is not."""
    document = json.loads(policy(allow(when=when("StringEquals", "aws:username", "a:b"))))
    known = paths_of(json.loads(policy(allow())))
    unknown = [replace(each, effective=None) for each in known]

    claimed = [each.question for each in disagreements(document, product=lambda _: known)]
    left_open = [each.question for each in disagreements(document, product=lambda _: unknown)]

    assert (claimed, left_open) == ([SOMEBODY], [])
