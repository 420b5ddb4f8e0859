"""Permanent ids of Microsoft 365's resources and principals within the estate."""

PLATFORM = "m365"


def tenant(identity: str) -> str:
    """A tenant by its id."""
    return f"{PLATFORM}:tenant/{identity}"


def site(identity: str) -> str:
    """A site collection by its guid; a subsite by both guids, ``<collection>/<web>``."""
    return f"{PLATFORM}:site/{identity}"


def library(drive_id: str) -> str:
    """A document library by the id of its drive."""
    return f"{PLATFORM}:library/{drive_id}"


def onedrive(drive_id: str) -> str:
    """A OneDrive by the id of its drive."""
    return f"{PLATFORM}:onedrive/{drive_id}"


def item(drive_id: str, item_id: str) -> str:
    """A file, folder or shortcut by the ids of its drive and item."""
    return f"{PLATFORM}:item/{drive_id}/{item_id}"


def team(group_id: str) -> str:
    """A team by the id of its group."""
    return f"{PLATFORM}:team/{group_id}"


def channel(channel_id: str) -> str:
    """A channel by its id."""
    return f"{PLATFORM}:channel/{channel_id}"


def user(object_id: str) -> str:
    """A user or guest by the object id."""
    return f"{PLATFORM}:user/{object_id}"


def group(object_id: str) -> str:
    """A group of the directory by its object id."""
    return f"{PLATFORM}:group/{object_id}"


def site_group(site: str, number: str) -> str:
    """A group of a site collection. `site` is the collection's guid; the number means nothing elsewhere."""
    return f"{PLATFORM}:site-group/{site}/{number}"


def application(identity: str) -> str:
    """By the service principal's object id; by the application's id where that is unknown."""
    return f"{PLATFORM}:application/{identity}"


def claim(name: str, tenant: str) -> str:
    """``everyone``, ``everyone-except-external`` or ``anyone``."""
    return f"{PLATFORM}:claim/{name}/{tenant}"


def role(name: str) -> str:
    """A role of administrators, such as ``company-administrator``."""
    return f"{PLATFORM}:role/{name}"


def external_user(email_or_claim: str) -> str:
    """A person without an object in our directory."""
    return f"{PLATFORM}:outsider/{email_or_claim.lower()}"


def deleted(identity: str) -> str:
    """An account that is gone from the directory: by the name that permissions still have for it."""
    return f"{PLATFORM}:deleted/{identity.lower()}"


def site_identity(graph_id: str) -> str:
    """A site collection's part of a uid, from Graph's ``host,collection,web``."""
    parts = graph_id.lower().split(",")
    return parts[1] if len(parts) == 3 else graph_id.lower()


def subsite_identity(graph_id: str) -> str:
    """A subsite's part of a uid, from Graph's ``host,collection,web``."""
    parts = graph_id.lower().split(",")
    return f"{parts[1]}/{parts[2]}" if len(parts) == 3 else graph_id.lower()
