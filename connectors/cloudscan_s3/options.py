"""The keys of ``[connectors.s3]`` in cloudscan.toml."""

from collections.abc import Iterator, Sequence

import msgspec

from cloudscan.errors import ConfigurationError, check_least, check_url
from cloudscan.sentence import say

_LEAST = {"connections": 1, "patience": 0, "object_requests": 0, "objects_per_bucket": 0, "full_every_days": 1}
_MOST_DAYS = 60  # CloudTrail's event history has 90
_CONFIG = ("config_aggregator", "config_snapshots")


class ProfileOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry of ``[[connectors.s3.profiles]]``: what is left out is as in ``[connectors.s3]``."""

    name: str  # of the AWS configuration
    region: str | None = None
    organisation: bool | None = None
    role_name: str | None = None
    external_id: str | None = None
    accounts: Sequence[str] | None = None
    skip_accounts: Sequence[str] | None = None


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach S3, and how much to read. Credentials come from AWS's own chain, never from here."""

    profile: str = ""  # of the AWS configuration; empty: the default credential chain
    profiles: Sequence[str | ProfileOptions] = ()  # several, in a scan of all; names or tables
    region: str = ""  # where account-wide requests are sent; empty: AWS_REGION's or the profile's, else us-east-1
    endpoint: str = ""  # a local server instead of AWS
    organisation: bool = False  # scan all accounts of the organisation
    role_name: str = "cloudscan"  # assumed in each of them
    external_id: str = ""  # if the role requires one
    accounts: Sequence[str] = ()  # beside our own only these: numbers of the organisation's, or ARNs of roles to assume
    skip_accounts: Sequence[str] = ()  # not these
    object_requests: int = 200  # for object ACLs, per account; 0: read no objects
    objects_per_bucket: int = 20  # of them, per bucket without an inventory
    patience: float = 60.0  # seconds for which a question that AWS throttles is asked again, once in a scan
    connections: int = 32  # kept open per endpoint
    full_every_days: int = 7  # everything is asked at least so often; in between what CloudTrail tells; 1: every time
    config_aggregator: str = ""  # an aggregator of AWS Config, asked in place of each bucket
    config_region: str = ""  # where the aggregator is; empty: as region
    config_snapshots: str = ""  # delivered by AWS Config: a folder, or s3://bucket/prefix

    def __post_init__(self) -> None:
        """Raises `ConfigurationError` for an address that is none, and for a number that is too small."""
        for key, least in _LEAST.items():
            check_least(key, getattr(self, key), least)
        if self.full_every_days > _MOST_DAYS:
            most = say("full_every_days must be at most {most}.", most=_MOST_DAYS)
            raise ConfigurationError(most, key="full_every_days")
        check_url("endpoint", self.endpoint)
        sources = [key for key in _CONFIG if getattr(self, key)]
        if len(sources) > 1:
            raise ConfigurationError(
                say(
                    "[connectors.s3] has both config_aggregator and config_snapshots. Keep the one that is to be read "
                    "in place of a request for each bucket, and remove the other."
                )
            )
        if sources and self.profiles:
            raise ConfigurationError(
                say(
                    "[connectors.s3] has both {key} and profiles. AWS Config is read with one profile's "
                    "credentials: name it in profile, and remove profiles.",
                    key=sources[0],
                )
            )


def by_profile(options: Options) -> Iterator[tuple[str, Options]]:
    """The options of each of several profiles, with its name. Raises `ConfigurationError`."""
    if options.profile:
        raise ConfigurationError(
            say("[connectors.s3] has both profile and profiles. Remove profile, and add its name to profiles.")
        )
    names: set[str] = set()
    for entry in options.profiles:
        table = ProfileOptions(name=entry) if isinstance(entry, str) else entry
        if not table.name or table.name in names:
            twice = say("names {name} twice", name=repr(table.name))
            fault = twice if table.name else say("has an entry without a name")
            raise ConfigurationError(say("profiles in [connectors.s3] {fault}. Correct the list.", fault=fault))
        names.add(table.name)
        given = {name: value for name, value in msgspec.structs.asdict(table).items() if value is not None}
        yield given.pop("name"), msgspec.structs.replace(options, profile=table.name, profiles=(), **given)
