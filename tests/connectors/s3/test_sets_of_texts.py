"""Sets of texts and forms of values agree with what is said of single texts, and leave out no class."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscan_s3.access import conditions, forms
from cloudscan_s3.access.condition_texts import arn_like, like, texts_named
from cloudscan_s3.access.forms import Classes, Comparison, Form, Segment, classes, read
from cloudscan_s3.access.shapes import any_account, role, user
from cloudscan_s3.access.texts import EVERYTHING, expression, many, one_of, words

PATTERNS = st.text("ab*?:", max_size=7)
TEXTS = st.text("ab:", max_size=7)
ARN_PATTERNS = st.lists(st.text("ab*?", max_size=2), min_size=4, max_size=7).map(":".join)
ARNS = st.lists(st.text("ab", max_size=2), min_size=4, max_size=7).map(":".join)


@given(PATTERNS, TEXTS)
def test_a_pattern_is_the_set_of_texts_that_it_matches(pattern: str, text: str) -> None:
    """StringLike of one text, and of all."""
    assert (text in expression(like(pattern))) == conditions.like(pattern, text)


@given(ARN_PATTERNS, ARNS)
def test_a_pattern_of_arns_is_the_set_of_arns_that_it_matches(pattern: str, arn: str) -> None:
    """ArnLike of one text, and of all: a wildcard does not reach over a colon."""
    assert (arn in expression(arn_like(pattern))) == conditions.arn_like(pattern, arn)


@given(st.lists(st.text("aB", max_size=3), max_size=4), st.text("aAbB", max_size=3))
def test_a_list_without_regard_to_case(listed: list[str], text: str) -> None:
    """StringEqualsIgnoreCase of one text, and of all."""
    expected = any(one.casefold() == text.casefold() for one in listed)

    assert (text in words(frozenset(listed), ignore_case=True)) == expected


SMALL = expression(many(one_of("ab")))
LETTERS = ["".join(letters) for length in range(4) for letters in product("ab", repeat=length)]


@given(st.lists(st.text("ab*?", min_size=1, max_size=4), min_size=1, max_size=3), st.sampled_from([None, True, False]))
def test_every_class_that_some_spelling_has_is_returned(patterns: list[str], first: bool | None) -> None:
    """All spellings of up to three letters in each of two segments, against the walk."""
    form = Form((Segment(SMALL), Segment(SMALL)), (("whole", (0, "a", 1)), ("first", (0,))))
    readings = [form.readings[number % 2][1] for number in range(len(patterns))]
    tests = [
        Comparison(((reading, expression(like(pattern))),), first if number == 0 else None)
        for number, (pattern, reading) in enumerate(zip(patterns, readings, strict=True))
    ]

    returned = classes(form, tests)

    possible = {tuple(test.is_met_by(spelling) for test in tests) for spelling in product(LETTERS, LETTERS)}
    possible = {answers for answers in possible if first in (None, answers[0])}
    assert returned.complete
    assert possible <= {tuple(test.is_met_by(spelling) for test in tests) for spelling in returned.spellings}
    assert all(first in (None, tests[0].is_met_by(spelling)) for spelling in returned.spellings)


def _asked(key: str, operator: str, *values: str) -> Comparison:
    reading = role("aws", any_account("900000000001")).form.reading(key)
    assert reading is not None
    return Comparison(tuple((reading, texts) for texts in texts_named(operator, values) or ()), wanted=True)


def _roles(*tests: Comparison) -> Classes:
    return classes(role("aws", any_account("900000000001")).form, tests)


def test_a_spelling_fits_two_patterns_at_once() -> None:
    """The shortest role that both admit."""
    found = _roles(
        _asked("aws:principalarn", "StringLike", "*backup*"),
        _asked("aws:principalarn", "ArnLike", "arn:aws:iam::*:role/n*"),
    )

    shape = role("aws", any_account("900000000001"))
    assert [shape.context(spelling)["aws:principalarn"] for spelling in found.spellings] == [
        ("arn:aws:iam::999999999999:role/nbackup",)
    ]


@pytest.mark.parametrize(
    ("operator", "pattern"),
    [
        ("ArnLike", "arn:aws:iam::*:user/n*"),
        ("StringLike", "arn:aws:sts::*"),
        ("StringEquals", "arn:aws:iam::*:role/Admin"),
        ("StringLike", "*:role/*:*:role/? ?"),
    ],
)
def test_no_spelling_fits_what_no_role_is_called(operator: str, pattern: str) -> None:
    """An empty set, and complete: a proof."""
    assert _roles(_asked("aws:principalarn", operator, pattern)) == Classes(())


def test_the_account_in_an_arn_is_the_account() -> None:
    """Two keys of one thing cannot say different things."""
    found = _roles(
        _asked("aws:principalaccount", "StringLike", "1*"), _asked("aws:principalarn", "ArnLike", "arn:aws:iam::2*:*")
    )

    assert found == Classes(())


def test_a_user_is_named_by_the_end_of_the_arn() -> None:
    """aws:username and aws:PrincipalArn hang together."""
    shape = user("aws", any_account("900000000001"))
    name, arn = shape.form.reading("aws:username"), shape.form.reading("aws:principalarn")
    assert name is not None
    assert arn is not None
    on_name = Comparison(((name, words(frozenset(("eve",)))),), wanted=True)

    fitting = classes(shape.form, (on_name, Comparison(((arn, expression(like("*:user/team/e*"))),), wanted=True)))
    empty = classes(shape.form, (on_name, Comparison(((arn, expression(like("*:user/*/bob"))),), wanted=True)))

    assert [read(arn, spelling).rpartition("/")[2] for spelling in fitting.spellings] == ["eve"]
    assert empty == Classes(())


def test_too_many_classes_are_no_proof() -> None:
    """Where not all could be looked at, that is said."""
    form = Form((Segment(EVERYTHING, "x"),), (("key", (0,)),))
    tests = [Comparison((((0,), expression(like(f"*{letter}*"))),)) for letter in "abcdefghijkl"]

    found = classes(form, tests)

    assert not found.complete
    assert len(found.spellings) <= forms.MOST_CLASSES + 1
