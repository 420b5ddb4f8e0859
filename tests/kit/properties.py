"""How many examples a property is tried on."""

from typing import Any

from hypothesis import settings

_MORE = {"ci": 1, "campaign": 50}


def examples(number: int, **more: Any) -> settings:
    """Settings of an expensive property: `number` examples in `make test`, many times that in a campaign."""
    return settings(max_examples=number * _MORE.get(settings.get_current_profile_name(), 1), **more)
