"""What the service may do one way or the other, where documentation leaves it open or recordings differ."""

from dataclasses import dataclass


@dataclass(kw_only=True)
class Quirks:
    """How the service behaves where it is free to. May be changed while it runs."""

    # delta
    delta_page: int = 200  # items on a page when nothing is asked for
    delta_most: int = 1000  # items on a page whatever is asked for
    empty_delta_pages: bool = False  # every second page is empty and has a next link
    repeats_in_delta: bool = False  # a changed item comes twice, first as it was told before
    empty_deleted: bool = False  # `deleted: {}` instead of a state
    deleted_children: bool = False  # what was below a deleted folder is told too
    resync_on_library_change: bool = False  # a changed right on a library ends in 410 instead of a changed root
    resync: str = "resyncChangesApplyDifferences"  # or resyncChangesUploadDifferences, or resyncRequired
    sharing_changes_need_full_control: bool = False
    retention_needs_full_control: bool = False  # a library with a retention label refuses delta without it
    # permissions
    inherited_from: str = "told"  # "empty": `{}`; "never": left out
    sharepoint_group: bool = True  # the newer identity beside siteGroup
    split_identities: bool = False  # one person as several entries of one list, as recordings have it
    year_one: bool = True  # every second link without an expiry says so with the year 1
    claims_raise_shared: bool = True  # a grant to everyone makes an item `shared`
    short_lists_without_full_control: bool = False  # others' direct grants are left out
    permissions_page: int = 200
    expand_permissions: bool = False  # $expand=permissions on single items and children
    # lists of items, sites, directory objects
    children_page: int = 200
    sites_page: int = 100
    directory_page: int = 100
    teams_page: int = 100
