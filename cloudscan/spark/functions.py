"""How what DuckDB does is written in Spark's SQL, where the function of the same name does something else.

Each function takes Spark SQL and gives Spark SQL. That both engines give the same is tried on odd values in
`tests/spark/test_dialect.py`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import duckdb

_LAST_WITH_CASE: Final = 0x1FFFF  # no letter beyond the first two planes has a case
_SURROGATES: Final = range(0xD800, 0xE000)
_SPACES: Final = "".join(map(chr, (0x20, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000)))
"""What DuckDB trims unless told: Unicode's category Zs. Spark knows the blank alone."""

_BLANKS: Final = " \t\n\v\f\r"
_SPACE: Final = r"[\t-\r ]*"
_DIGITS: Final = "[0-9]+(_[0-9]+)*"
_NUMBER: Final = rf"^{_SPACE}[+-]?({_DIGITS}[.]?({_DIGITS})?|[.]{_DIGITS})([eE][+-]?[0-9]+)?{_SPACE}\z"
_HEXADECIMAL: Final = rf"^{_SPACE}0[xX][0-9a-fA-F]+(_[0-9a-fA-F]+)*{_SPACE}\z"
_BINARY: Final = rf"^{_SPACE}0[bB][01]+(_[01]+)*{_SPACE}\z"
_PLAIN: Final = r"^[0-9]{1,18}\z"
_TRUE: Final = ("true", "t", "1", "yes", "y")
_FALSE: Final = ("false", "f", "0", "no", "n")

_JAVA_NUMBER: Final = r"^-?[0-9][.][0-9]+E-?[0-9]+\z"

_PAIR: Final = r"[\\]uD[89AB][0-9A-F]{2}[\\]uD[C-F][0-9A-F]{2}"
_AROUND: Final = (
    r"(?<=[:,\[])(?=-?[0-9][.][0-9]{1,20}E-?[0-9]{1,3}[,\]}])|(?<=[0-9]E-?[0-9]{1,3})(?=[,\]}])"
    rf"|(?={_PAIR})|(?<={_PAIR})"
)
_WATCHED: Final = r"[0-9][.eE]|[^\x00-\x7F]|[\\]u"
_MALFORMED: Final = "Malformed JSON"

Step = str | int
"""A key or an index on the way into a JSON text."""


def text(value: str) -> str:
    """A text as a literal. Spark reads backslashes in it, and fills in ``${names}`` of its configuration."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("$", "\\u0024").replace("\0", "\\u0000")
    return f"'{escaped}'"


def name(value: str) -> str:
    """A name as an identifier."""
    return "`" + value.replace("`", "``") + "`"


def lower(of: str) -> str:
    """Small letters, letter by letter: what a letter becomes does not depend on the letters around it."""
    return _each_alone("lower", of)


def upper(of: str) -> str:
    """Capitals, letter by letter."""
    return _each_alone("upper", of)


def trim(of: str, characters: str | None, position: str) -> str:
    """A text without these characters (SQL; None: spaces) at both ends, or at the one that `position` names."""
    return f"trim({position or 'BOTH'} {text(_SPACES) if characters is None else characters} FROM {of})"


def like(of: str, pattern: str) -> str:
    """A text compared with a pattern in which nothing escapes."""
    backslash = text("\\")
    return f"({of} LIKE replace({pattern}, {backslash}, {text(chr(92) * 2)}))"


def to_bigint(of: str) -> str:
    """A text as a number, rounded; NULL if it is none. Both engines have their own idea of what a number looks like."""
    digits = f"replace(trim(BOTH {text(_BLANKS)} FROM {of}), '_', '')"
    rounded = f"try_cast(round(try_cast({digits} AS DECIMAL(38, 19)), 0) AS BIGINT)"
    return (
        f"CASE WHEN {of} RLIKE {text(_PLAIN)} THEN try_cast({of} AS BIGINT) "
        f"WHEN {of} RLIKE {text(_NUMBER)} THEN {rounded} "
        f"WHEN {of} RLIKE {text(_HEXADECIMAL)} THEN try_cast(conv(substring({digits}, 3), 16, 10) AS BIGINT) "
        f"WHEN {of} RLIKE {text(_BINARY)} THEN try_cast(conv(substring({digits}, 3), 2, 10) AS BIGINT) END"
    )


def to_boolean(of: str) -> str:
    """A text as a truth value; NULL if it is none."""
    wanted, unwanted = (", ".join(map(text, words)) for words in (_TRUE, _FALSE))
    return f"CASE WHEN lower({of}) IN ({wanted}) THEN TRUE WHEN lower({of}) IN ({unwanted}) THEN FALSE END"


def json_text(of: str, steps: Sequence[Step]) -> str:
    """What is at a place of a JSON text, as text; NULL if nothing is, or null.

    Spark writes a large or small fraction as Java does, which is fixed here, within a list or an object, too, as are
    the pairs of escapes that it makes of an emoji there.
    """
    found, number = _found_in_json(of, steps, "STRING"), _found_in_json(of, steps, "DOUBLE")
    if (path := _json_path(steps)) is not None:
        found = f"get_json_object({of}, {text(path)})"
    nested = f"left({found}, 1) IN ('[', '{{')"
    rewritten = f"({nested} OR {number} IS NOT NULL)" if steps else nested
    # Most JSON has neither fractions nor other letters, and then there is nothing to look after.
    return (
        f"CASE WHEN NOT ({of} RLIKE {text(_WATCHED)}) THEN {found} "
        f"WHEN {rewritten} THEN {_as_written(found)} ELSE {found} END"
    )


def checked_json(of: str) -> str:
    """A text that has to be JSON: it is an error if it is not."""
    return (
        f"CASE WHEN {of} IS NULL OR try_parse_json({of}) IS NOT NULL THEN {of} ELSE raise_error({text(_MALFORMED)}) END"
    )


def _json_path(steps: Sequence[Step]) -> str | None:
    """The steps as Spark's path; None if its paths cannot say that."""
    parts = ["$"]
    for step in steps:
        if isinstance(step, int):
            if step < 0:
                return None
            parts.append(f"[{step}]")
        elif not step or any(mark in step for mark in "'?*"):
            return None
        else:
            parts.append(f"['{step}']")
    return "".join(parts)


def _found_in_json(of: str, steps: Sequence[Step], shape: str) -> str:
    for step in reversed(steps):
        shape = f"ARRAY<{shape}>" if isinstance(step, int) else f"STRUCT<{name(step)}: {shape}>"
    found = f"from_json({of}, {text(shape)})"
    for step in steps:
        if isinstance(step, int):
            found = f"try_element_at({found}, {step + 1 if step >= 0 else step})"
        else:
            found = f"{found}.{name(step)}"
    return found


def _as_in_json(number: str) -> str:
    """A number as Java writes it (1.5E7), written as in JSON: 15000000.0, and 1.5e-7 where that would be long."""
    power = f"CAST(split_part({number}, 'E', 2) AS INT)"
    plain = f"rtrim('0', CAST(CAST({number} AS DECIMAL(38, 16)) AS STRING))"
    short = f"replace(replace({number}, '.0E', 'E'), 'E', 'e')"
    small = f"rtrim('0', CAST(CAST({number} AS DECIMAL(38, 24)) AS STRING))"
    return (
        f"CASE WHEN {power} BETWEEN 0 AND 20 THEN regexp_replace({plain}, '[.]\\\\z', '.0') "
        f"WHEN {power} BETWEEN -6 AND -1 THEN {small} ELSE {short} END"
    )


def _as_written(of: str) -> str:
    """A number, a list or an object, with numbers and letters as in JSON. It is cut around them and put together."""
    letter = "from_json(concat('[\"', piece, '\"]'), 'ARRAY<STRING>')[0]"
    piece = (
        f"CASE WHEN piece RLIKE {text(_JAVA_NUMBER)} THEN {_as_in_json('piece')} "
        f"WHEN piece RLIKE {text(f'^{_PAIR}')} THEN {letter} ELSE piece END"
    )
    return f"array_join(transform(split({of}, {text(_AROUND)}), piece -> {piece}), '')"


def _each_alone(function: str, of: str) -> str:
    before, after = _variables(function)
    return (
        f"CASE WHEN octet_length({of}) = char_length({of}) THEN {function}({of}) "
        f"ELSE translate({of}, {before}, {after}) END"
    )


def declarations() -> Iterator[str]:
    """The statements that give a session the letters: `lower` and `upper` speak of them by name."""
    for function in ("lower", "upper"):
        for variable, letters in zip(_variables(function), _letters(function), strict=True):
            yield f"DECLARE OR REPLACE VARIABLE {variable} STRING DEFAULT {text(letters)}"


def _variables(function: str) -> tuple[str, str]:
    return f"cloudscan_before_{function}", f"cloudscan_after_{function}"


def _letters(function: str) -> tuple[str, str]:
    """The letters that DuckDB changes, and what each becomes."""
    every = [chr(number) for number in range(1, _LAST_WITH_CASE) if number not in _SURROGATES]
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            f"""SELECT letter, {function}(letter) FROM (SELECT unnest($every::VARCHAR[]) AS letter)
                WHERE {function}(letter) <> letter ORDER BY letter""",
            {"every": every},
        ).fetchall()
    return "".join(letter for letter, _ in rows), "".join(changed for _, changed in rows)
