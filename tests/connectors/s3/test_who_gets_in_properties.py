"""What is true of every configuration, whatever it contains."""

import json
import random
from typing import Any

from hypothesis import HealthCheck, assume, given
from hypothesis import strategies as st

from cloudscan.facts import Audience
from cloudscan_s3.access import actions
from cloudscan_s3.access.access_path import AccessPath
from cloudscan_s3.access.access_paths import access_paths
from cloudscan_s3.access.bucket import Block
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers import anonymous
from cloudscan_s3.access.networks import Networks
from cloudscan_s3.access.policy import parse
from cloudscan_s3.access.policy_literals import PolicyLiterals
from cloudscan_s3.access.request import Caller, Request, allowed, applies_to
from cloudscan_s3.access.shapes import federated_user, fixed, no_organisation, organisation, role, root, user
from tests.connectors.s3.buckets import (
    KEYS,
    NOW,
    OBJECTS,
    OTHER_ORGANISATION,
    OUR_ORGANISATION,
    OURS,
    THEIRS,
    US,
    bucket,
    policy,
    widest,
)
from tests.kit.properties import examples

Json = dict[str, Any]

PRINCIPALS = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": OURS},
        {"AWS": f"arn:aws:iam::{THEIRS}:root"},
        {"AWS": [f"arn:aws:iam::{THEIRS}:role/app", OURS]},
        {"Service": "cloudtrail.amazonaws.com"},
        {"CanonicalUser": "c" * 64},
    ]
)
ACTIONS = st.sampled_from(
    ["s3:GetObject", "s3:Get*", "s3:ListBucket", "s3:*", "*", ["s3:PutObject", "s3:DeleteObject"], "s3:PutBucketPolicy"]
)
RESOURCES = st.sampled_from([[KEYS, OBJECTS], "*", "arn:aws:s3:::b/open/*", OBJECTS, ["arn:aws:s3:::b/open/*", KEYS]])
TEXTS = {
    "aws:PrincipalOrgID": [OUR_ORGANISATION, OTHER_ORGANISATION, "o-*"],
    "aws:PrincipalAccount": [OURS, THEIRS, "2*", "anonymous"],
    "aws:PrincipalArn": [f"arn:aws:iam::{THEIRS}:role/app", "arn:aws:iam::*:role/Admin", f"arn:aws:iam::{OURS}:*"],
    "aws:Referer": ["https://example.com/*", "secret"],
    "aws:SourceVpce": ["vpce-1a2b", "vpce-*"],
    "aws:userid": ["AROAABCDEFGHIJKLMNOPQ:*", "*:backup"],
    "aws:PrincipalTag/team": ["data", "${aws:username}"],
    "s3:prefix": ["open/*", ""],
}
TEXT_OPERATORS = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]


@st.composite
def text_conditions(draw: st.DrawFn) -> tuple[str, str, Any]:
    key = draw(st.sampled_from(sorted(TEXTS)))
    operator = draw(st.sampled_from(["", "", "", "ForAnyValue:", "ForAllValues:"]))
    operator += draw(st.sampled_from(TEXT_OPERATORS)) + draw(st.sampled_from(["", "", "IfExists"]))
    return operator, key, draw(st.lists(st.sampled_from(TEXTS[key]), min_size=1, max_size=2))


OTHER_CONDITIONS = st.one_of(
    st.tuples(
        st.sampled_from(["IpAddress", "NotIpAddress", "IpAddressIfExists"]),
        st.just("aws:SourceIp"),
        st.lists(
            st.sampled_from(["203.0.113.0/24", "0.0.0.0/1", "10.0.0.0/8", "0.0.0.0/0", "::/0"]), min_size=1, max_size=2
        ),
    ),
    st.tuples(
        st.sampled_from(["Bool", "BoolIfExists"]), st.just("aws:SecureTransport"), st.sampled_from(["true", "false"])
    ),
    st.tuples(st.just("Null"), st.sampled_from([*sorted(TEXTS), "aws:SourceIp"]), st.sampled_from(["true", "false"])),
    st.tuples(
        st.sampled_from(["DateLessThan", "DateGreaterThan"]),
        st.just("aws:CurrentTime"),
        st.sampled_from(["2020-01-01T00:00:00Z", "2030-01-01T00:00:00Z"]),
    ),
)


@st.composite
def statements(draw: st.DrawFn, effect: str | None = None) -> Json:
    written: Json = {"Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    written[draw(st.sampled_from(["Principal"] * 5 + ["NotPrincipal"]))] = draw(PRINCIPALS)
    written[draw(st.sampled_from(["Action"] * 5 + ["NotAction"]))] = draw(ACTIONS)
    written[draw(st.sampled_from(["Resource"] * 5 + ["NotResource"]))] = draw(RESOURCES)
    conditions: dict[str, dict[str, Any]] = {}
    for operator, key, values in draw(st.lists(st.one_of(text_conditions(), OTHER_CONDITIONS), max_size=2)):
        conditions.setdefault(operator, {})[key] = values
    if conditions:
        written["Condition"] = conditions
    return written


POLICIES = st.lists(statements(), min_size=1, max_size=3)
BLOCKS = st.builds(Block, restrict_public_buckets=st.booleans(), ignore_public_acls=st.booleans())
quick = examples(60, suppress_health_check=list(HealthCheck))


def _paths(written: list[Json], **more: Any) -> tuple[AccessPath, ...]:
    return access_paths(bucket(policy=policy(*written), **more), US, NOW).open


def _reach(written: list[Json], **more: Any) -> set[tuple[str, str]]:
    """Everyone who effectively has access, and to what; a wider class stands for the narrower ones."""
    result = set()
    for path in _paths(written, **more):
        if path.effective:
            result |= {(name, path.capability.value) for name in (path.names or (path.kind,))}
    return result


def _covered(wide: set[tuple[str, str]], narrow: set[tuple[str, str]]) -> bool:
    by_anyone = {what for who, what in wide if who == "anyone"}
    accounts = by_anyone | {what for who, what in wide if who == "any_account"}
    return all(pair in wide or pair[1] in by_anyone or (pair[0] != "anyone" and pair[1] in accounts) for pair in narrow)


@quick
@given(POLICIES, statements(effect="Allow"))
def test_adding_an_allow_never_narrows(written: list[Json], more: Json) -> None:
    """Callers who had access keep it."""
    before, after = _reach(written), _reach([*written, more])

    assert widest(_paths([*written, more])) >= widest(_paths(written))
    external = {pair for pair in before if pair[0] in ("anyone", "any_account", THEIRS, OTHER_ORGANISATION)}
    assert _covered(after, external)


@quick
@given(POLICIES, statements(effect="Deny"))
def test_adding_a_denial_never_widens(written: list[Json], more: Json) -> None:
    """No caller gains access. A service is looked at only if a statement names it, so both policies name the same."""
    naming = {"Effect": "Deny", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*"}
    known = [*written, {**naming, "Resource": "arn:aws:s3:::another/*"}]

    assert widest(_paths([*known, more])) <= widest(_paths(known))


@quick
@given(POLICIES, BLOCKS)
def test_adding_a_block_never_widens(written: list[Json], block: Block) -> None:
    """A block takes away, or leaves as it is."""
    assert widest(_paths(written, block=block)) <= widest(_paths(written))


@quick
@given(POLICIES, st.randoms(use_true_random=False))
def test_order_of_statements_changes_nothing(written: list[Json], shuffler: random.Random) -> None:
    """A policy is a set of statements."""
    shuffled = list(written)
    shuffler.shuffle(shuffled)

    assert _reach(shuffled) == _reach(written)


@quick
@given(POLICIES, st.sampled_from([str.upper, str.lower, str.title]))
def test_case_of_keys_changes_nothing(written: list[Json], respell: Any) -> None:
    """Condition keys are case-insensitive, and so are actions."""
    respelt = json.loads(json.dumps(written))
    for statement in respelt:
        for operator, keys in statement.get("Condition", {}).items():
            statement["Condition"][operator] = {respell(key): value for key, value in keys.items()}

    assert _reach(respelt) == _reach(written)


@quick
@given(POLICIES)
def test_every_answer_has_a_witness_that_gets_in(written: list[Json]) -> None:
    """A caller who is said to have access can repeat the example request."""
    text = policy(*written)

    for path in access_paths(bucket(policy=text), US, NOW).open:
        if path.effective:
            assert allowed(parse(text).statements, path.witness.request)
        elif path.witness.certain:
            assert applies_to(path.statement, path.witness.request)


CONTEXTS = st.fixed_dictionaries(
    {},
    optional={
        "aws:referer": st.sampled_from([("https://example.com/x",), ("secret",), ("other",)]),
        "aws:securetransport": st.sampled_from([("true",), ("false",)]),
        "aws:principaltag/team": st.sampled_from([("data",), ("somebody",)]),
        "s3:prefix": st.sampled_from([("open/a",), ("",), ("shut/",)]),
    },
)


@st.composite
def strangers(draw: st.DrawFn) -> Caller:
    """Somebody in an account that no policy here mentions, or somebody who does not sign."""
    if draw(st.integers(0, 3)) == 0:
        return anonymous().member()
    shape = draw(st.sampled_from([role, user, root, federated_user]))("aws", fixed("900000000001"))
    home = draw(st.sampled_from([no_organisation(), organisation(fixed("o-elsewhere1"))]))
    names = st.sampled_from(["app", "Admin", "backup", "somebody"])
    spelling = tuple(
        segment.example if draw(st.booleans()) or segment.example[:4] in ("AROA", "AIDA", "9000") else draw(names)
        for segment in shape.form.segments
    )
    spelling = tuple("" if segment.rare else one for segment, one in zip(shape.form.segments, spelling, strict=True))
    abode = tuple(segment.example for segment in home.form.segments)
    return CallerSet(kind="principal").member((shape, spelling), (home, abode))


@quick
@given(
    POLICIES,
    strangers(),
    CONTEXTS,
    st.sampled_from(actions.ACTIONS),
    st.sampled_from(["open/x", "x", "secret/y"]),
    st.data(),
)
def test_a_simulated_request_that_passes_is_announced(
    written: list[Json], caller: Caller, chosen: Any, action: actions.Action, key: str, data: st.DataObject
) -> None:
    """The evaluator admits a stranger's request only where the analysis says that strangers have access."""
    text = policy(*written)
    literals = PolicyLiterals(parse(text).statements, US)
    network = data.draw(st.sampled_from(Networks(literals).open_to_anyone))
    if caller.kind == "anonymous":
        chosen = {name: value for name, value in chosen.items() if "principal" not in name}
    if action.name not in ("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"):
        chosen = {name: value for name, value in chosen.items() if name != "s3:prefix"}
    now = {"aws:currenttime": (NOW.isoformat(),), "aws:resourceaccount": (OURS,), "s3:resourceaccount": (OURS,)}
    request = Request(
        caller=caller,
        action=action,
        resource=f"arn:aws:s3:::b/{key}" if action.on_objects else KEYS,
        context={**chosen, **now, **network.context, **caller.context},
    )
    assume(allowed(parse(text).statements, request))

    announced = [path for path in _paths(written) if path.capability is action.capability and path.effective]

    expected = Audience.ANYONE_WITH_LINK if caller.kind == "anonymous" else Audience.ANY_ACCOUNT
    assert max((path.audience for path in announced), default=Audience.NOBODY) >= expected
