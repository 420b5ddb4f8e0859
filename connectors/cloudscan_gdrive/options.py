"""The keys of ``[connectors.gdrive]`` in cloudscan.toml."""

from collections.abc import Mapping, Sequence

import msgspec

from cloudscan.errors import check_least, check_url

_LEAST = {"connections": 1, "patience": 0, "audit_days": 0, "look_again_days": 0, "quota_units_per_minute": 1}


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach Google Drive, and what to read there.

    Credentials are found the way Google's libraries do (GOOGLE_APPLICATION_CREDENTIALS, workload identity). A service
    account needs domain-wide delegation of the scopes that `cloudscan permissions` lists.
    """

    admin: str = ""  # the administrator to act as; empty: scan only the drive of the credentials' own user
    key_file: str = ""  # path of the service account's key, instead of what Google's libraries find
    customer: str = "my_customer"  # the Workspace customer id; the default is the administrator's own
    endpoint: str = ""  # URL of a local server instead of Google
    users: Sequence[str] = ()  # read only the drives of these users
    skip_users: Sequence[str] = ()  # leave out the drives of these users
    shared_drives: bool = True  # read shared drives too
    only_shared: bool = False  # list only files that are open beyond named people
    audit_days: int = 180  # how many days of the Drive log to read, 0 for none; Google keeps 180
    look_again_days: int = 7  # ask a drive that the Drive log calls untouched at least that often; 0: every night
    inventory_export: str = ""  # a folder with the Drive inventory export, as BigQuery wrote it, in place of all lists
    external_files: bool = False  # read files that external people share with ours: one more list per user
    group_settings: bool = True  # read who may join each group: one more request per group
    labels: Mapping[str, str] = {}  # Drive labels to look for, titles by id
    quota_units_per_minute: int = 900_000  # of a project's 1,000,000; a page of a list costs 100
    patience: float = 600.0  # seconds for which a question that Google throttles is asked again, once in a scan
    connections: int = 32  # the maximum number of connections to Google

    def __post_init__(self) -> None:
        """Raises `ConfigurationError` for an address that is none, and for a number that is too small."""
        for key, least in _LEAST.items():
            check_least(key, getattr(self, key), least)
        check_url("endpoint", self.endpoint, needs_https=True)
