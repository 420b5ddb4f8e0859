"""The keys of ``[connectors.gdrive]`` in cloudscan.toml."""

from collections.abc import Mapping, Sequence

import msgspec


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How to reach Google Drive, and how far to look.

    Credentials are found as Google's libraries find them (GOOGLE_APPLICATION_CREDENTIALS, workload identity). A
    service account needs domain-wide delegation for the scopes that `cloudscan permissions` lists.
    """

    admin: str = ""  # the administrator who is impersonated; empty: the credentials' own user, own drive only
    key_file: str = ""  # of the service account, instead of what Google's libraries find
    customer: str = "my_customer"
    endpoint: str = ""  # a local server instead of Google
    users: Sequence[str] = ()  # only the drives of these users
    skip_users: Sequence[str] = ()  # not the drives of these users
    shared_drives: bool = True  # shared drives too
    only_shared: bool = False  # ask Google for files that are open beyond named people, and for nothing else
    audit_days: int = 180  # of the Drive log to read, 0 for none; Google keeps 180
    external_files: bool = False  # files of outsiders that were shared with ours: a list more for each user
    labels: Mapping[str, str] = {}  # Drive labels to look for: id and title
    quota_units_per_minute: int = 900_000  # of a project's 1,000,000; a page of a list costs 100
    connections: int = 32  # kept open to Google
