"""Sentences that remember what they were made of."""

from cloudscan.errors import AccessDenied, ConfigurationError
from cloudscan.sentence import in_language, say


def test_a_sentence_is_its_english() -> None:
    assert say("{path} cannot be read.", path="a.toml") == "a.toml cannot be read."


def test_a_value_is_never_read_as_a_field() -> None:
    assert say("{path} cannot be read.", path="{path}") == "{path} cannot be read."


def test_an_error_inside_a_sentence_is_put_into_the_language_too() -> None:
    error = ConfigurationError(say("Not scanned: {problem}", problem=AccessDenied("no-answer", host="kumo.example")))

    assert str(error) == f"Not scanned: {AccessDenied('no-answer', host='kumo.example')}"
    assert "kumo.example" in in_language(error, "ja")
    assert str(AccessDenied("no-answer", host="kumo.example").in_language("ja")) in in_language(error, "ja")


def test_what_no_catalogue_has_is_shown_in_english() -> None:
    assert in_language(say("Nobody translated {this}.", this="that"), "ja") == "Nobody translated that."


def test_what_is_no_sentence_is_shown_as_it_is() -> None:
    assert in_language(12, "ja") == "12"
