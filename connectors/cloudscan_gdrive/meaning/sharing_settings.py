"""What the sharing settings come to for the tenant and each unit or group for which one was made. Pure functions.

A policy says what was made for one place; a unit inherits the rest from above. Some settings have no effect where
another one closes the door: with a service switched off nothing of it applies, and what goes outside has no effect
where nothing may be shared outside. Each mode of sharing has warnings and exceptions of its own.

Sources: Policy API, "Settings available in the API"; Admin help, "Manage external sharing for your organization";
baselines GWS.DRIVEDOCS of CISA's SCuBA project and how ScubaGoggles reads the Policy API for them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cloudscan.connector import SettingType
from cloudscan_gdrive.settings import SETTINGS

_SHARING: Final = "drive_and_docs.external_sharing"
MODE: Final = f"{_SHARING}.externalSharingMode"
_SERVICE: Final = ".service_status.serviceState"
_NOTHING_OUTSIDE: Final[Mapping[str, str | None]] = {
    f"{_SHARING}.allowNonGoogleInvites": "false",
    f"{_SHARING}.allowNonGoogleInvitesInAllowlistedDomains": "false",
    f"{_SHARING}.allowPublishingFiles": "false",
    f"{_SHARING}.allowedPartiesForDistributingContent": "NONE",
    "drive_and_docs.shared_drive_creation.allowExternalUserAccess": "false",
    f"{_SHARING}.allowReceivingFilesOutsideAllowlistedDomains": None,
    f"{_SHARING}.warnForExternalSharing": None,
    f"{_SHARING}.warnForSharingOutsideAllowlistedDomains": None,
}
_WITHOUT_EFFECT: Final[Mapping[str, Mapping[str, str | None]]] = {
    "DISALLOWED": _NOTHING_OUTSIDE,
    "ALLOWLISTED_DOMAINS": {
        f"{_SHARING}.allowNonGoogleInvites": "false",
        f"{_SHARING}.allowReceivingExternalFiles": "false",
        f"{_SHARING}.warnForExternalSharing": None,
    },
    "ALLOWED": {
        f"{_SHARING}.allowNonGoogleInvitesInAllowlistedDomains": "false",
        f"{_SHARING}.allowReceivingFilesOutsideAllowlistedDomains": "false",
        f"{_SHARING}.warnForSharingOutsideAllowlistedDomains": None,
    },
}
"""By mode: what a setting comes to that has no effect there; None: there is nothing to say of it."""
_BEHIND_THE_MODE: Final = frozenset(name for names in _WITHOUT_EFFECT.values() for name in names)
_SPECS: Final = {spec.name: spec for spec in SETTINGS}


@dataclass(frozen=True, kw_only=True)
class Made:
    """The settings as they were made, by the uid of their place and their name. None: it is not known."""

    values: Mapping[tuple[str, str], str | None]
    above: Mapping[str, str]  # the place that a place inherits from; the tenant has none


def value_of(name: str, value: Any) -> str | None:
    """A setting's value as text. None where it is none of the values that are documented for this setting."""
    spec = _SPECS.get(name)
    text = None if value is None else value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if text is None or spec is None:
        return text
    if spec.type is SettingType.SWITCH:
        return text.lower() if text.lower() in ("true", "false") else None
    return text if spec.type is not SettingType.CHOICE or text in spec.choices else None


def camel(name: str) -> str:
    """A field's name as the API writes it; its documentation writes it with underscores."""
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)


def effective(made: Made) -> Iterator[tuple[str, str, str | None]]:
    """Place, name and value of each setting that applies where it, or the door before it, was set."""
    own: dict[str, set[str]] = {}
    for uid, name in made.values:
        own.setdefault(uid, set()).add(name)
    for uid, names in own.items():
        known = _inherited(made, uid)
        wanted = set(names)
        if MODE in names:
            wanted |= _BEHIND_THE_MODE & known.keys()
        switched = {_app_of(name) for name in names if name.endswith(_SERVICE)}
        wanted |= {name for name in known if _app_of(name) in switched}
        for name in sorted(wanted):
            if known.get(_app_of(name) + _SERVICE) == "DISABLED" and not name.endswith(_SERVICE):
                continue
            value = known[name]
            instead = _WITHOUT_EFFECT.get(known.get(MODE) or "", {})
            if value is not None and name in instead:
                value = instead[name]
                if value is None:
                    continue
            yield uid, name, value


def _app_of(name: str) -> str:
    """The service that a setting belongs to."""
    return name.partition(".")[0]


def _inherited(made: Made, uid: str) -> Mapping[str, str | None]:
    """Everything that is set for a place, by itself or above."""
    places = [uid]
    while (above := made.above.get(places[-1])) and above not in places:
        places.append(above)
    result: dict[str, str | None] = {}
    for place in reversed(places):
        result.update({name: value for (at, name), value in made.values.items() if at == place})
    return result
