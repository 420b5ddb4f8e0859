"""Variations of the service's behaviour, where documentation leaves it open or recordings differ."""

from dataclasses import dataclass


@dataclass(kw_only=True)
class Quirks:
    """The variations in effect. May be changed while the emulator runs."""

    # delta
    delta_page: int = 200  # items on a page by default
    delta_most: int = 1000  # items on a page at most
    empty_delta_pages: bool = False  # every second page is empty and has a next link
    repeats_in_delta: bool = False  # a changed item comes twice, first in its earlier state
    empty_deleted: bool = False  # `deleted: {}` instead of a state
    deleted_children: bool = False  # the contents of a deleted folder are listed too
    resync_on_library_change: bool = False  # a changed permission of a library ends in 410 instead of a changed root
    resync: str = "resyncChangesApplyDifferences"  # or resyncChangesUploadDifferences, or resyncRequired
    sharing_changes_need_full_control: bool = False
    retention_needs_full_control: bool = False  # a library with a retention label refuses delta without it
    # permissions
    inherited_from: str = "full"  # "empty": `{}`; "never": left out
    sharepoint_group: bool = True  # the newer identity beside siteGroup
    split_identities: bool = False  # one person as several entries of one list, as recordings have it
    year_one: bool = True  # every second link without an expiry has the year 1 there
    claims_raise_shared: bool = True  # a grant to everyone makes an item `shared`
    short_lists_without_full_control: bool = False  # direct grants to others are left out
    permissions_page: int = 200
    expand_permissions: bool = False  # $expand=permissions on single items and children
    # lists of items, sites, directory objects
    children_page: int = 200
    sites_page: int = 100
    directory_page: int = 100
    teams_page: int = 100
