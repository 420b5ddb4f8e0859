"""Days that are written as options."""

from datetime import date

import click

from cloudscan.cli.language import spoken
from cloudscan.sentence import say


def as_day(_context: click.Context, _option: click.Parameter, value: str | None) -> date | None:
    """The day of an option, as click's callback. Raises `click.BadParameter` with the form to write it in."""
    try:
        return date.fromisoformat(value) if value else None
    except ValueError as error:
        raise click.BadParameter(
            spoken(say("{value} is not a date; write it as 2027-03-31.", value=repr(value)))
        ) from error
