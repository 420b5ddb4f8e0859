"""What a platform's answers were translated by: the connector's meaning, and what it was told of us."""

import hashlib

import msgspec

from cloudscan.connector import ConnectorPlugin, Estate


class Translation(msgspec.Struct, frozen=True, kw_only=True):
    """What one platform's answers were translated by. Where it differs, the same answers may be other facts."""

    meaning: int  # `cloudscan.connector.ConnectorPlugin.meaning`
    configuration: str  # digest of who we are, and of the options that decide what is read or what it means


def translation_of(plugin: ConnectorPlugin, options: msgspec.Struct, estate: Estate) -> Translation:
    """What this connector translates by with these options. An option that is left out equals its default."""
    chosen = {name: getattr(options, name) for name in plugin.basis_options}
    us = {
        "domains": estate.domains,
        "accounts": estate.accounts,
        "organisations": estate.organisations,
        "timezone": estate.timezone,
        "partners": {msgspec.json.encode(partner, order="deterministic") for partner in estate.partners},
    }
    content = msgspec.json.encode({"options": chosen, "estate": us}, order="deterministic")
    return Translation(meaning=plugin.meaning, configuration=hashlib.sha256(content).hexdigest()[:16])
