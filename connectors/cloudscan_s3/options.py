"""The keys of ``[connectors.s3]`` in cloudscan.toml."""

from collections.abc import Sequence

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach S3, and how much to read. Credentials come from AWS's own chain, never from here."""

    profile: str = ""  # of the AWS configuration; empty: the default credential chain
    region: str = ""  # where account-wide requests are sent; empty: AWS_REGION's or the profile's, else us-east-1
    endpoint: str = ""  # a local server instead of AWS
    organisation: bool = False  # scan all accounts of the organisation
    role_name: str = "cloudscan"  # assumed in each of them
    external_id: str = ""  # if the role requires one
    accounts: Sequence[str] = ()  # beside our own only these; enough where the organisation's may not be listed
    skip_accounts: Sequence[str] = ()  # not these
    object_requests: int = 200  # for object ACLs, per account; 0: read no objects
    objects_per_bucket: int = 20  # of them, per bucket without an inventory
    patience: float = 60.0  # seconds for which a question that AWS throttles is asked again, once in a scan
    connections: int = 32  # kept open per endpoint
