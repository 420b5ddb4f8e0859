"""What the service may do one way or the other."""

from dataclasses import dataclass

from cloudscan_emulators.google.tenant_state import FIRST_CHANGE


@dataclass(kw_only=True)
class Quirks:
    """How the service behaves where it is free to. May be changed while it runs."""

    parents_cap: int | None = 460  # files on a page that asks for parents
    permissions_cap: int | None = 100  # files on a page that asks for permissions
    search_budget: int = 1_000_000  # files looked at for one page: a rare match gives short and empty pages
    details_in_files: bool = False  # permissionDetails of My Drive items within files, not only in permissions.list
    incomplete_beyond: int | None = None  # allDrives over more files than this is an incomplete search
    page_epoch: int = 0  # raise it, and all page tokens of lists are worthless
    log_delay: int = 0  # seconds until something is found in the Drive log
    oldest_change: int = FIRST_CHANGE  # raise it, and older change tokens are refused
