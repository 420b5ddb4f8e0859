"""Graph's answers about sites, libraries, items and permissions, as far as they are asked for.

Unknown members are ignored. Enumerations that may grow (roles, link types, scopes) are kept as text. Sources: site,
drive, driveItem, permission, sharingLink and sharePointIdentitySet resources of Graph v1.0.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

Text = str | None
"""Text for which Graph may write null."""


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel", gc=False, omit_defaults=True):
    """A record whose members are in camel case on the wire, and left out where they are empty."""


class Identity(Answer, frozen=True, kw_only=True):
    """A principal in one of the forms in which Microsoft knows it. Numbers of a site are text or numbers."""

    id: Text | int = ""
    display_name: Text = ""
    email: Text = ""
    user_principal_name: Text = ""
    login_name: Text = ""  # SharePoint's claim
    principal_id: Text | int = ""  # of a site group: its number within the site
    title: Text = ""

    @property
    def says_anything(self) -> bool:
        """Whether any of its members is there."""
        return any(map(self.__getattribute__, self.__struct_fields__))


class IdentitySet(Answer, frozen=True, kw_only=True):
    """One principal in all the forms in which Microsoft knows it."""

    user: Identity | None = None
    group: Identity | None = None
    application: Identity | None = None
    device: Identity | None = None
    site_user: Identity | None = None
    site_group: Identity | None = None
    share_point_group: Identity | None = None

    @property
    def forms(self) -> Sequence[Identity]:
        """The forms that say anything."""
        forms = (
            self.user,
            self.group,
            self.application,
            self.device,
            self.site_user,
            self.site_group,
            self.share_point_group,
        )
        return [form for form in forms if form is not None and form.says_anything]


class SharingLink(Answer, frozen=True, kw_only=True):
    """A link without its address, which would let anyone in who has it."""

    type: Text = ""
    scope: Text = ""
    prevents_download: bool | None = False


class Invitation(Answer, frozen=True, kw_only=True):
    """An invitation that was sent to a mail address."""

    email: Text = ""
    redeemed_by: Text = ""
    sign_in_required: bool | None = True


class Reference(Answer, frozen=True, kw_only=True):
    """The place of an item: its folder and drive."""

    id: Text = ""
    drive_id: Text = ""


class Permission(Answer, frozen=True, kw_only=True):
    """A permission on an item or a site, as Graph returns it."""

    id: Text = ""
    roles: tuple[Text, ...] | None = ()
    link: SharingLink | None = None
    invitation: Invitation | None = None
    granted_to_v2: IdentitySet | None = None
    granted_to_identities_v2: tuple[IdentitySet, ...] | None = None
    granted_to: IdentitySet | None = None
    granted_to_identities: tuple[IdentitySet, ...] | None = None
    inherited_from: Reference | None = None  # may be there and empty
    expiration_date_time: Text = ""
    has_password: bool | None = False


class Shared(Answer, frozen=True, kw_only=True):
    """The facet of an item that is shared."""

    scope: Text = ""


class Facet(Answer, frozen=True, kw_only=True):
    """A facet that means something by being present."""


class File(Answer, frozen=True, kw_only=True):
    """The facet of a file."""

    mime_type: Text = ""


class Remote(Answer, frozen=True, kw_only=True):
    """The target of a shortcut."""

    id: Text = ""
    parent_reference: Reference | None = None


class Item(Answer, frozen=True, kw_only=True):
    """A file, folder, notebook or shortcut, or the root of a library."""

    id: str
    name: Text = ""
    parent_reference: Reference | None = None
    size: int | None = 0
    created_date_time: datetime | None = None
    last_modified_date_time: datetime | None = None
    web_url: Text = ""
    file: File | None = None
    folder: Facet | None = None
    package: Facet | None = None
    remote_item: Remote | None = None
    root: Facet | None = None
    shared: Shared | None = None  # with hierarchicalsharing: None, it inherits; empty, it is not shared
    deleted: Facet | None = None

    @property
    def is_folder(self) -> bool:
        """Whether it may contain items: a notebook is a package with sections in it, with or without a folder facet."""
        return self.folder is not None or self.package is not None

    @property
    def parent(self) -> str:
        """The id of the folder that contains it; empty for the root."""
        return (self.parent_reference and self.parent_reference.id) or ""


class Site(Answer, frozen=True, kw_only=True):
    """A site collection or a subsite. Its times are read with `moment`."""

    id: str
    display_name: Text = ""
    name: Text = ""
    web_url: Text = ""
    created_date_time: Text = ""
    last_modified_date_time: Text = ""
    is_personal_site: bool | None = None

    @property
    def is_personal(self) -> bool:
        """Whether it is a personal site, with a OneDrive in it. Where Graph leaves that out, the address decides."""
        if self.is_personal_site is not None:
            return self.is_personal_site
        return "-my.sharepoint." in (self.web_url or "") and "/personal/" in (self.web_url or "")


class Drive(Answer, frozen=True, kw_only=True):
    """A document library or a OneDrive. Its times are read with `moment`."""

    id: str
    name: Text = ""
    drive_type: Text = ""
    web_url: Text = ""
    created_date_time: Text = ""
    last_modified_date_time: Text = ""
    owner: IdentitySet | None = None


class FileLabel(Answer, frozen=True, kw_only=True):
    """A sensitivity label that was assigned to a file."""

    sensitivity_label_id: Text = ""


class FileLabels(Answer, frozen=True, kw_only=True):
    """The answer of extractSensitivityLabels."""

    labels: tuple[FileLabel, ...]
