"""What public documentation and other people's recordings say, and who gets in by it.

One line: a name; what Drive tells; what is true, as "audience access", with "!" behind it where it is written down and
does not work at the moment, "?" where nobody can tell, and "< id" where it comes from above.

Sources: discovery document of Drive v3 (Permission, File, Drive); Drive guides "Share files, folders, and drives",
"Manage folders with limited and expansive access", "Shared drives overview"; Admin help "Control access to files in
shared drives"; recorded answers in CSSS/csss-site (issues 677 and 679), pipeshub-ai (tests of the Drive connector), demisto/content
(GoogleDrive), GAM-team/GAM (wiki, Users - Drive - Permissions and CloudIdentity policies).
"""

from typing import Any

from tests.connectors.gdrive.other_server import Verbatim

Json = Any

ALICE, BOB, CAROL, DAVE = (f"{name}@kumo.example" for name in ("alice", "bob", "carol", "dave"))
OWNER = {
    "kind": "drive#permission", "id": "07431531268217860255", "type": "user", "emailAddress": ALICE, "role": "owner",
    "displayName": "Alice", "deleted": False, "pendingOwner": False,
}  # fmt: skip


def user(email: str | None, role: str = "reader", identity: str = "", **more: Any) -> Json:
    permission = {
        "kind": "drive#permission",
        "id": identity or f"9{abs(hash_of(email or 'x')):019}",
        "type": "user",
        "role": role,
    }
    return {**permission, **({"emailAddress": email} if email is not None else {}), **more}


def group(email: str, role: str = "reader", **more: Any) -> Json:
    return user(email, role, type="group") | more


def domain(name: str | None, role: str = "reader", **more: Any) -> Json:
    permission = {"id": f"{abs(hash_of(name or 'y')):019}k", "type": "domain", "role": role, "kind": "drive#permission"}
    return {**permission, **({"domain": name} if name is not None else {}), **more}


def anyone(role: str = "reader", discoverable: bool | None = False, **more: Any) -> Json:
    permission = {
        "id": "anyone" if discoverable else "anyoneWithLink",
        "type": "anyone",
        "kind": "drive#permission",
        "role": role,
    }
    return {**permission, **({"allowFileDiscovery": discoverable} if discoverable is not None else {}), **more}


def detail(role: str, inherited: bool = False, kind: str = "file", origin: str = "") -> Json:
    return {
        "permissionType": kind,
        "role": role,
        "inherited": inherited,
        **({"inheritedFrom": origin} if origin else {}),
    }


def details(*entries: Json) -> Json:
    return {"permissionDetails": list(entries)}


def hash_of(text: str) -> int:
    return int.from_bytes(text.lower().encode()[:7].rjust(7, b"\0")) + sum(text.lower().encode()) * 7919


PAST, FUTURE = "2024-02-01T00:00:00.000Z", "2099-02-01T00:00:00.000Z"
LINK, FOUND = "anyone_with_link", "anyone_discoverable"
NAMED, OUT, EXTERNAL, US = "named", "named_external", "external_domain", "organisation"

# what is said · the permissions beside the owner's · who gets in
MINE: list[tuple[str, Json, set[str]]] = [
    # Anyone
    ("nothing but the owner", [], set()),
    ("anyone can find", [anyone(discoverable=True)], {f"{FOUND} read"}),
    ("anyone can find and write", [anyone("writer", discoverable=True)], {f"{FOUND} write"}),
    ("anyone with the link", [anyone()], {f"{LINK} read"}),
    ("anyone with the link may comment", [anyone("commenter")], {f"{LINK} comment"}),
    ("anyone with the link may write", [anyone("writer")], {f"{LINK} write"}),
    ("a link, and whether it is found is not said", [anyone(discoverable=None)], {f"{LINK} read"}),
    ("the id of a public file, and whether it is found is not said", [anyone(discoverable=None, id="anyone")], {f"{FOUND} read"}),
    ("a link of which discovery is null", [{**anyone(), "allowFileDiscovery": None}], {f"{LINK} read"}),
    ("recorded: csss-site 679", [{"id": "anyoneWithLink", "type": "anyone", "kind": "drive#permission", "permissionDetails": [{"permissionType": "file", "role": "reader", "inherited": False}], "role": "reader", "allowFileDiscovery": False, "teamDrivePermissionDetails": [{"teamDrivePermissionType": "file", "role": "reader", "inherited": False}]}], {f"{LINK} read"}),
    ("a link with an expiry that Drive does not have", [anyone(expirationTime=FUTURE)], {f"{LINK} read"}),
    ("a link named by a long id", [anyone(id="12345678901234567890i")], {f"{LINK} read"}),
    ("a link, in capitals that no documentation has", [anyone(type="ANYONE", role="READER")], {"?"}),
    # Published, metadata
    ("published only", [anyone(discoverable=True, view="published")], {f"{FOUND} read"}),
    ("published to anyone who has the address", [anyone(view="published")], {f"{LINK} read"}),
    ("published to us", [domain("kumo.example", view="published")], {f"{US} read"}),
    ("published, by the role that was once told", [anyone("publishedReader", view="published")], {f"{LINK} read"}),
    ("the same id published and plain", [anyone("writer"), anyone("reader", view="published")], {f"{LINK} write", f"{LINK} read"}),
    ("the same id plain and published, the same role", [anyone(), anyone(view="published")], {f"{LINK} read"}),
    ("an external user sees that it is there", [user("eve@rival.example", view="metadata")], {f"{OUT} list"}),
    ("anyone sees that it is there", [anyone(view="metadata")], {f"{LINK} list"}),
    ("we see that it is there, as writers above", [domain("kumo.example", "writer", view="metadata")], {f"{US} list"}),
    ("a view that nobody knows yet", [anyone(view="thumbnail")], {f"{LINK} read"}),
    ("a view that is empty", [anyone(view="")], {f"{LINK} read"}),
    ("a view that is null", [anyone(view=None)], {f"{LINK} read"}),
    # People
    ("a colleague", [user(BOB, "writer")], {f"{NAMED} write"}),
    ("a colleague in capitals", [user("BOB@KUMO.EXAMPLE", "commenter")], {f"{NAMED} comment"}),
    ("a colleague by another of their addresses", [user("robert@kumo.example")], {f"{NAMED} read"}),
    ("a colleague by the alias of our domain", [user("bob@kumo-alias.example")], {f"{NAMED} read"}),
    ("a colleague of a second domain", [user("kate@kumo2.example")], {f"{NAMED} read"}),
    ("a colleague's old name", [user("carol.old@kumo.example")], {f"{NAMED} read"}),
    ("a suspended colleague", [user(DAVE)], {f"{NAMED} read"}),
    ("an external user", [user("eve@rival.example")], {f"{OUT} read"}),
    ("an external user may write", [user("eve@rival.example", "writer")], {f"{OUT} write"}),
    ("an external user in capitals", [user("EVE@Rival.Example", "writer")], {f"{OUT} write"}),
    ("a partner", [user("pat@partner.example", "commenter")], {f"{OUT} comment"}),
    ("somebody below our domain", [user("x@sub.kumo.example")], {f"{OUT} read"}),
    ("a domain that ends like ours", [user("x@notkumo.example")], {f"{OUT} read"}),
    ("a domain that begins like ours", [user("x@kumo.example.rival.example")], {f"{OUT} read"}),
    ("a consumer account", [user("somebody@gmail.com")], {f"{OUT} read"}),
    ("a consumer account of the same name", [user("alice@gmail.com")], {f"{OUT} read"}),
    ("a consumer account at googlemail", [user("bob@googlemail.com", "writer")], {f"{OUT} write"}),
    ("a service account", [user("robot@project-1.iam.gserviceaccount.com", "writer")], {f"{OUT} write"}),
    ("a visitor with a PIN", [user("visitor@elsewhere.example", displayName="visitor@elsewhere.example", photoLink=None)], {f"{OUT} read"}),
    ("an address with a plus", [user("bob+x@rival.example")], {f"{OUT} read"}),
    ("an address in another script", [user("名前@例え.example")], {f"{OUT} read"}),
    ("an address within quotes", [user('"a@kumo.example"@rival.example')], {f"{OUT} read"}),
    ("an address that has no domain", [user("eve")], {f"{OUT} read"}),
    ("no address", [user(None)], {"?"}),
    ("an empty address", [user("")], {"?"}),
    ("an address that is null", [user(None, emailAddress=None)], {"?"}),
    ("expired, and still listed", [user("eve@rival.example", expirationTime=PAST)], {f"{OUT} read!"}),
    ("expires one day", [user("eve@rival.example", expirationTime=FUTURE)], {f"{OUT} read"}),
    ("expires with an offset", [user("eve@rival.example", expirationTime="2099-02-01T09:00:00+09:00")], {f"{OUT} read"}),
    ("expiry is null", [user("eve@rival.example", expirationTime=None)], {f"{OUT} read"}),
    ("a group's time is over", [group("friends@rival.example", expirationTime=PAST)], {f"{OUT} read!"}),
    ("pending owner", [user(BOB, "writer", pendingOwner=True)], {f"{NAMED} write"}),
    ("pending owner from outside", [user("eve@gmail.com", "writer", pendingOwner=True)], {f"{OUT} write"}),
    ("a deleted account without an address", [user("", deleted=True)], {f"{NAMED} read!"}),
    ("a deleted account, address left out", [user(None, "writer", deleted=True)], {f"{NAMED} write!"}),
    ("a deleted external user", [user("gone@rival.example", deleted=True)], {f"{OUT} read!"}),
    ("a deleted colleague", [user("gone@kumo.example", deleted=True)], {f"{NAMED} read!"}),
    ("a deleted group", [group("", deleted=True)], {f"{NAMED} read!"}),
    ("deleted is null", [user("eve@rival.example", deleted=None)], {f"{OUT} read"}),
    # Groups
    ("a group of ours", [group("team@kumo.example", "writer")], {f"{NAMED} write"}),
    ("a group with an external user", [group("mixed@kumo.example")], {f"{OUT} read"}),
    ("a group in capitals, with an external user", [group("MIXED@kumo.example", "writer")], {f"{OUT} write"}),
    ("a group with an external user by its other name", [group("mixed.old@kumo.example")], {f"{OUT} read"}),
    ("a group by the alias of our domain", [group("mixed@kumo-alias.example")], {f"{OUT} read"}),
    ("a group with a group with an external user", [group("outer@kumo.example")], {f"{OUT} read"}),
    ("a group in itself", [group("loop@kumo.example")], {f"{NAMED} read"}),
    ("two groups in each other, an external user in one", [group("ring1@kumo.example")], {f"{OUT} read"}),
    ("a group with an external group in it", [group("withforeign@kumo.example")], {f"{OUT} read"}),
    ("the whole company as a group", [group("all@kumo.example")], {f"{US} read"}),
    ("a group that holds the whole company's group", [group("everyone2@kumo.example")], {f"{US} read"}),
    ("the whole company and an external user", [group("allplus@kumo.example")], {f"{OUT} read"}),
    ("a group whose members nobody may see", [group("secret@kumo.example")], {"?"}),
    ("a group that the directory does not know", [group("unknown@kumo.example")], {"?"}),
    ("an empty group", [group("empty@kumo.example")], {f"{NAMED} read"}),
    ("a group with a deleted member", [group("oddmember@kumo.example")], {f"{OUT} read"}),
    ("an external group", [group("friends@rival.example", "commenter")], {f"{OUT} comment"}),
    ("a public list", [group("list@googlegroups.com")], {f"{OUT} read"}),
    ("a group without an address", [group("")], {"?"}),
    # Domains
    ("all of us with the link", [domain("kumo.example", allowFileDiscovery=False)], {f"{US} read"}),
    ("all of us can find it", [domain("kumo.example", "writer", allowFileDiscovery=True)], {f"{US} write"}),
    ("all of us in capitals", [domain("Kumo.Example")], {f"{US} read"}),
    ("our second domain", [domain("kumo2.example")], {f"{US} read"}),
    ("our alias", [domain("kumo-alias.example")], {f"{US} read"}),
    ("a domain below ours", [domain("sub.kumo.example")], {f"{EXTERNAL} read"}),
    ("a domain that looks like ours", [domain("kumo.example.evil.example")], {f"{EXTERNAL} read"}),
    ("an external domain", [domain("rival.example", "writer")], {f"{EXTERNAL} write"}),
    ("a partner's domain", [domain("partner.example")], {f"{EXTERNAL} read"}),
    ("a target audience", [domain("c03abc.audience.googledomains.com")], {f"{US} read"}),
    ("a target audience in capitals", [domain("C03ABC.audience.GoogleDomains.com", "commenter")], {f"{US} comment"}),
    ("what looks like a target audience", [domain("audience.googledomains.com.rival.example")], {f"{EXTERNAL} read"}),
    ("a domain without a name", [domain(None)], {"?"}),
    ("a domain whose name is empty", [domain("")], {"?"}),
    ("recorded: pipeshub, all of us", [{"id": "09046145022669542625", "type": "domain", "permissionDetails": [{"permissionType": "file", "role": "reader", "inherited": False}], "role": "reader", "allowFileDiscovery": False, "domain": "kumo.example"}], {f"{US} read"}),
    # What is not in the documentation
    ("a role of the future", [user("eve@rival.example", "superEditor")], {f"{OUT} None"}),
    ("a public role of the future", [anyone("superEditor")], {f"{LINK} None"}),
    ("no role", [{"id": "anyoneWithLink", "type": "anyone"}], {f"{LINK} None"}),
    ("an empty role", [anyone("")], {f"{LINK} None"}),
    ("a type of the future", [user("eve@rival.example", type="robot")], {"?"}),
    ("no type, the id of a link", [{"id": "anyoneWithLink", "role": "reader"}], {"?"}),
    ("a shared drive's role on one's own file", [user("eve@rival.example", "organizer")], {f"{OUT} manage"}),
    ("content manager", [user("eve@rival.example", "fileOrganizer")], {f"{OUT} write"}),
    ("members unknown to us", [anyone(futureField={"deep": [1, {"er": None}]}, selfLink="x", etag='"y"', withLink=True)], {f"{LINK} read"}),
    ("many at once", [anyone(), user(BOB, "writer"), user("eve@rival.example"), domain("kumo.example")], {f"{LINK} read", f"{NAMED} write", f"{OUT} read", f"{US} read"}),
    ("one person twice, with two roles", [user("eve@rival.example", "reader", "1"), user("eve@rival.example", "writer", "2")], {f"{OUT} read", f"{OUT} write"}),
    ("six hundred people, and one of them from outside", [*(user(f"n{number}@kumo.example") for number in range(600)), user("eve@rival.example")], {f"{NAMED} read", f"{OUT} read", "?"}),
    ("a broken one beside a link", [anyone(), {"id": 7, "type": ["user"]}], {f"{LINK} read", "?"}),
    ("one without an id beside a link", [{"type": "anyone", "role": "writer"}], {f"{LINK} write"}),
    ("a time that is none", [user("eve@rival.example", expirationTime="soon")], {"?"}),
]  # fmt: skip

# the id · what else Drive says about it · all its permissions · who gets in
TREE: list[tuple[str, Json, Json, set[str]]] = [
    ("asana", {"folder": True}, [OWNER, user(BOB, "reader", "b", **details(detail("reader"))), user("eve@rival.example", "writer", "e", **details(detail("writer")))], {f"{NAMED} read", f"{OUT} write"}),
    ("hidden", {"folder": True, "parents": ["asana"], "inheritedPermissionsDisabled": True}, [user(BOB, "reader", "b", view="metadata", **details(detail("reader", True))), OWNER, user("eve@rival.example", "reader", "e", view="metadata", **details(detail("writer", True)))], {f"{NAMED} list < asana", f"{OUT} list < asana"}),
    ("hidden-s1", {"folder": True, "parents": ["hidden"]}, [OWNER], set()),
    ("hidden-file", {"parents": ["hidden-s1"]}, [OWNER], set()),
    ("in-asana", {"parents": ["asana"]}, [OWNER, user(BOB, "reader", "b", **details(detail("reader", True))), user("eve@rival.example", "writer", "e", **details(detail("writer", True)))], {f"{NAMED} read < asana", f"{OUT} write < asana"}),
    ("in-asana-more", {"parents": ["asana"]}, [OWNER, user(BOB, "writer", "b", **details(detail("reader", True), detail("writer")))], {f"{NAMED} write"}),
    ("in-asana-order", {"parents": ["asana"]}, [user(BOB, "writer", "b", **details(detail("writer"), detail("reader", True))), OWNER], {f"{NAMED} write"}),
    ("in-asana-no-more", {"parents": ["asana"]}, [OWNER, user(BOB, "reader", "b", **details(detail("reader", True), detail("reader")))], {f"{NAMED} read"}),
    ("plain", {"folder": True}, [OWNER, anyone()], {f"{LINK} read"}),
    ("plain-sub", {"folder": True, "parents": ["plain"]}, [anyone(), OWNER], {f"{LINK} read < plain"}),
    ("plain-file", {"parents": ["plain-sub"]}, [OWNER, anyone()], {f"{LINK} read < plain"}),
    ("plain-more", {"parents": ["plain-sub"]}, [OWNER, anyone("writer")], {f"{LINK} write"}),
    ("plain-own", {"parents": ["plain-sub"]}, [OWNER, anyone(), user("eve@rival.example")], {f"{LINK} read < plain", f"{OUT} read"}),
    ("plain-empty-details", {"parents": ["plain-sub"]}, [OWNER, anyone(permissionDetails=[])], {f"{LINK} read < plain"}),
    ("plain-null-details", {"parents": ["plain-sub"]}, [OWNER, anyone(permissionDetails=None)], {f"{LINK} read < plain"}),
    ("from-named", {"parents": ["plain-sub"]}, [OWNER, anyone(**details(detail("reader", True, origin="plain")))], {f"{LINK} read < plain"}),
    ("two-parents", {"parents": ["hidden", "plain"]}, [OWNER, anyone()], {f"{LINK} read < plain"}),
    ("loop-a", {"folder": True, "parents": ["loop-b"]}, [OWNER, anyone("writer")], {f"{LINK} write"}),
    ("loop-b", {"folder": True, "parents": ["loop-a"]}, [OWNER, anyone("writer")], {f"{LINK} write < loop-a"}),
    ("loop-self", {"folder": True, "parents": ["loop-self"]}, [OWNER, anyone()], {f"{LINK} read"}),
    ("in-loop", {"parents": ["loop-a"]}, [OWNER, anyone("writer")], {f"{LINK} write < loop-a"}),
    ("orphan", {"parents": []}, [OWNER, anyone()], {f"{LINK} read"}),
    ("null-parents", {"parents": None}, [OWNER, anyone()], {f"{LINK} read"}),
    ("elsewhere", {"parents": ["a-folder-of-eve"]}, [OWNER, user("eve@rival.example", "writer", "e", **details(detail("writer", True)))], {f"{OUT} write"}),
    ("trashed", {"trashed": True, "explicitlyTrashed": True}, [OWNER, anyone()], {f"{LINK} read"}),
    ("shortcut", {"mimeType": "application/vnd.google-apps.shortcut", "shortcutDetails": {"targetId": "plain", "targetMimeType": "application/vnd.google-apps.folder", "targetResourceKey": "0-x"}}, [OWNER, anyone()], {f"{LINK} read"}),
    ("resource-key", {"resourceKey": "0-abc", "linkShareMetadata": {"securityUpdateEligible": True, "securityUpdateEnabled": True}}, [OWNER, anyone()], {f"{LINK} read"}),
    ("no-owners", {"owners": []}, [anyone()], {f"{LINK} read", "?"}),
    ("null-owners", {"owners": None}, [anyone()], {f"{LINK} read", "?"}),
    ("owner-without-address", {"owners": [{"kind": "drive#user", "displayName": "x", "me": True}]}, [OWNER, anyone()], {f"{LINK} read"}),
    ("owner-in-capitals", {"owners": [{"emailAddress": "ALICE@Kumo.Example"}]}, [OWNER, anyone()], {f"{LINK} read"}),
    ("no-name", {"name": None}, [OWNER, anyone()], {f"{LINK} read"}),
    ("size-is-a-number", {"size": 12}, [OWNER, anyone()], {f"{LINK} read"}),
    ("no-times", {"createdTime": None, "modifiedTime": ""}, [OWNER, anyone()], {f"{LINK} read"}),
    ("odd-time", {"modifiedTime": "yesterday"}, [OWNER, anyone()], {f"{LINK} read"}),
    ("odd-flag", {"trashed": "no", "copyRequiresWriterPermission": "x"}, [OWNER, anyone()], {f"{LINK} read"}),
    ("not-told", {}, Ellipsis, {"?"}),
    ("told-null", {"shared": True}, None, {"?"}),
    ("told-as-object", {}, {"0": anyone()}, {"?"}),
    ("told-as-nothing", {"ownedByMe": True}, [], {"?"}),
    ("told-with-a-null", {}, [None, OWNER, anyone()], {f"{LINK} read", "?"}),
    ("limited-with-link", {"folder": True, "parents": ["plain"], "inheritedPermissionsDisabled": True}, [OWNER, anyone("reader", view="metadata"), user("eve@rival.example")], {f"{LINK} list", f"{OUT} read"}),
    ("in-limited", {"parents": ["limited-with-link"]}, [OWNER, user("eve@rival.example")], {f"{OUT} read < limited-with-link"}),
    ("in-limited-link", {"parents": ["limited-with-link"]}, [OWNER, anyone()], {f"{LINK} read"}),
]  # fmt: skip

ORGANIZER = user(BOB, "organizer", "bob", **details(detail("organizer", kind="member")))
EVE_MEMBER = user("eve@rival.example", "writer", "eve", **details(detail("writer", kind="member")))
EVE_MANAGES = user("eve@rival.example", "organizer", "eve", **details(detail("organizer", kind="member")))
US_NAMED = f"{NAMED} manage < "


def handed_down(permission: Json, drive: str) -> Json:
    return {**permission, **details(detail(permission["role"], True, "member", drive))}


def drive(identity: str, **more: Any) -> Json:
    restrictions = {
        "adminManagedRestrictions": False,
        "copyRequiresWriterPermission": False,
        "domainUsersOnly": False,
        "driveMembersOnly": False,
    }
    return {
        "kind": "drive#drive",
        "id": identity,
        "name": identity,
        "restrictions": {**restrictions, **more},
        "capabilities": {"canListChildren": True},
    }


# the drive · its members · what is in it: id, what Drive says about it, its permissions, who gets in
SHARED: list[tuple[Json, Json, set[str], list[tuple[str, Json, Json, set[str]]]]] = [
    (drive("d1"), [ORGANIZER], {f"{NAMED} manage"}, [
        ("d1-plain", {}, 404, {"named manage < d1"}),
        ("d1-link", {"hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d1"), anyone(**details(detail("reader")))], {"named manage < d1", f"{LINK} read"}),
        ("d1-eve", {"hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d1"), user("eve@rival.example", "writer", "eve", **details(detail("writer")))], {"named manage < d1", f"{OUT} write"}),
        ("d1-raised", {"hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d1"), user("eve@rival.example", "writer", "eve", **details(detail("commenter", True, "file", "d1-box"), detail("writer")))], {"named manage < d1", f"{OUT} write"}),
        ("d1-box", {"folder": True, "hasAugmentedPermissions": True}, [user("eve@rival.example", "commenter", "eve", **details(detail("commenter"))), handed_down(ORGANIZER, "d1")], {"named manage < d1", f"{OUT} comment"}),
        ("d1-in-box", {"parents": ["d1-box"], "hasAugmentedPermissions": False}, 404, {"named manage < d1", f"{OUT} comment < d1-box"}),
        ("d1-in-box-more", {"parents": ["d1-box"], "hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d1"), user("eve@rival.example", "writer", "eve", **details(detail("commenter", True, "file", "d1-box"), detail("writer")))], {"named manage < d1", f"{OUT} comment < d1-box", f"{OUT} write"}),
        ("d1-unsaid", {"hasAugmentedPermissions": Ellipsis}, [handed_down(ORGANIZER, "d1"), anyone(**details(detail("writer")))], {"named manage < d1", f"{LINK} write"}),
        ("d1-null", {"hasAugmentedPermissions": None}, [handed_down(ORGANIZER, "d1"), anyone(**details(detail("writer")))], {"named manage < d1", f"{LINK} write"}),
        ("d1-bare-details", {"hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d1"), anyone(permissionDetails=[{"inherited": False}])], {"named manage < d1", f"{LINK} read"}),
        ("d1-role-details", {"hasAugmentedPermissions": True}, [anyone("writer", permissionDetails=[{"id": "PERMISSIONID1", "role": "writer"}])], {"named manage < d1", f"{LINK} write"}),
        ("d1-empty-details", {"hasAugmentedPermissions": True}, [anyone(permissionDetails=[])], {"named manage < d1", f"{LINK} read"}),
        ("d1-no-details", {"hasAugmentedPermissions": True}, [anyone(teamDrivePermissionDetails=[{"teamDrivePermissionType": "file", "role": "reader", "inherited": False}])], {"named manage < d1", f"{LINK} read"}),
        ("d1-published", {"hasAugmentedPermissions": True}, [anyone(discoverable=True, view="published", **details(detail("reader")))], {"named manage < d1", f"{FOUND} read"}),
        ("d1-refused", {"hasAugmentedPermissions": True}, 403, {"named manage < d1", "?"}),
        ("d1-gone", {"hasAugmentedPermissions": True}, 404, {"named manage < d1", "?"}),
        ("d1-garbage", {"hasAugmentedPermissions": True}, Verbatim("<html>"), {"named manage < d1", "?"}),
        ("d1-broken-one", {"hasAugmentedPermissions": True}, [{"id": 5}, anyone(**details(detail("reader")))], {"named manage < d1", f"{LINK} read", "?"}),
        ("d1-refused-box", {"folder": True, "hasAugmentedPermissions": True}, 403, {"named manage < d1", "?"}),
        ("d1-in-refused-box", {"parents": ["d1-refused-box"]}, 404, {"named manage < d1", "? < d1-refused-box"}),
        ("d1-limited", {"folder": True, "inheritedPermissionsDisabled": True, "hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d1"), user("eve@rival.example", "reader", "eve", **details(detail("reader")))], {"named manage < d1", f"{OUT} read"}),
        ("d1-in-limited", {"parents": ["d1-limited"]}, 404, {"named manage < d1", f"{OUT} read < d1-limited"}),
        ("d1-loop-a", {"folder": True, "parents": ["d1-loop-b"], "hasAugmentedPermissions": True}, [anyone(**details(detail("reader")))], {"named manage < d1", f"{LINK} read", "?"}),
        ("d1-loop-b", {"folder": True, "parents": ["d1-loop-a"]}, 404, {"named manage < d1", f"{LINK} read < d1-loop-a", "?"}),
        ("d1-trashed", {"trashed": True, "trashedTime": "2026-01-01T00:00:00Z", "hasAugmentedPermissions": True}, [anyone(**details(detail("reader")))], {"named manage < d1", f"{LINK} read"}),
        ("d1-expired", {"hasAugmentedPermissions": True}, [user("eve@rival.example", "reader", "eve", expirationTime=PAST, **details(detail("reader")))], {"named manage < d1", f"{OUT} read!"}),
    ]),
    (drive("d2"), [ORGANIZER, EVE_MEMBER], {f"{NAMED} manage", f"{OUT} write"}, [
        ("d2-plain", {}, 404, {"named manage < d2", f"{OUT} write < d2"}),
        ("d2-limited", {"folder": True, "inheritedPermissionsDisabled": True}, 404, {"named manage < d2"}),
        ("d2-in-limited", {"parents": ["d2-limited"]}, 404, {"named manage < d2"}),
        ("d2-limited-view", {"folder": True, "inheritedPermissionsDisabled": True, "hasAugmentedPermissions": True}, [handed_down(ORGANIZER, "d2"), user("eve@rival.example", "reader", "eve", view="metadata", **details(detail("writer", True, "member", "d2")))], {"named manage < d2"}),
    ]),
    (drive("d3"), [ORGANIZER, EVE_MANAGES], {f"{NAMED} manage", f"{OUT} manage"}, [
        ("d3-plain", {}, 404, {"named manage < d3", f"{OUT} manage < d3"}),
        ("d3-limited", {"folder": True, "inheritedPermissionsDisabled": True}, 404, {"named manage < d3", f"{OUT} manage < d3"}),
        ("d3-in-limited", {"parents": ["d3-limited"]}, 404, {"named manage < d3", f"{OUT} manage < d3"}),
    ]),
    (drive("d4", domainUsersOnly=True), [ORGANIZER, EVE_MEMBER], {f"{NAMED} manage", f"{OUT} write!"}, [
        ("d4-plain", {}, 404, {"named manage < d4", f"{OUT} write! < d4"}),
        ("d4-link", {"hasAugmentedPermissions": True}, [anyone(**details(detail("reader")))], {"named manage < d4", f"{OUT} write! < d4", f"{LINK} read!"}),
        ("d4-colleague", {"hasAugmentedPermissions": True}, [user(CAROL, "reader", **details(detail("reader")))], {"named manage < d4", f"{OUT} write! < d4", f"{NAMED} read"}),
        ("d4-us", {"hasAugmentedPermissions": True}, [domain("kumo.example", **details(detail("reader")))], {"named manage < d4", f"{OUT} write! < d4", f"{US} read"}),
    ]),
    (drive("d5", driveMembersOnly=True), [ORGANIZER, EVE_MEMBER], {f"{NAMED} manage", f"{OUT} write"}, [
        ("d5-plain", {}, 404, {"named manage < d5", f"{OUT} write < d5"}),
        ("d5-link", {"hasAugmentedPermissions": True}, [anyone(**details(detail("reader")))], {"named manage < d5", f"{OUT} write < d5", f"{LINK} read!"}),
        ("d5-mallory", {"hasAugmentedPermissions": True}, [user("mallory@gmail.com", **details(detail("reader")))], {"named manage < d5", f"{OUT} write < d5", f"{OUT} read!"}),
        ("d5-colleague", {"hasAugmentedPermissions": True}, [user(CAROL, "reader", **details(detail("reader")))], {"named manage < d5", f"{OUT} write < d5", f"{NAMED} read!"}),
    ]),
    (drive("d6"), [group("friends@rival.example", "organizer", **details(detail("organizer", kind="member")))], {f"{OUT} manage"}, []),
    (drive("d7"), [], {"?"}, []),
    (drive("d8"), [domain("kumo.example", "fileOrganizer", **details(detail("fileOrganizer", kind="member")))], {f"{US} write"}, [
        ("d8-plain", {}, 404, {"named write < d8", f"{US} write < d8"}),
    ]),
    (drive("d9"), [ORGANIZER, anyone("writer", **details(detail("writer")))], {f"{NAMED} manage", f"{LINK} write"}, [
        ("d9-plain", {}, 404, {"named manage < d9", f"{LINK} write < d9"}),
    ]),
    (drive("d10"), [user(CAROL, "reader", "carol", **details(detail("reader", kind="member")))], {f"{NAMED} read"}, [
        ("d10-plain", {}, 404, {"named read < d10"}),
        ("d10-shared", {"hasAugmentedPermissions": True}, 403, {"named read < d10", "?"}),
    ]),
    (drive("d11"), [ORGANIZER, user(DAVE, "writer", "dave"), user("", "writer", "gone", deleted=True)], {f"{NAMED} manage", f"{NAMED} write", f"{NAMED} write!"}, [
        ("d11-plain", {}, 404, {"named manage < d11"}),
    ]),
    (drive("d12"), [ORGANIZER, {"id": 5, "role": "organizer"}, group("mixed@kumo.example", "reader")], {f"{NAMED} manage", f"{OUT} read", "?"}, [
        ("d12-plain", {}, 404, {"named manage < d12", f"{OUT} read < d12", "? < d12"}),
    ]),
    ({"id": "d13", "name": None, "createdTime": "", "restrictions": None, "unknown": {"x": 1}}, [ORGANIZER], {f"{NAMED} manage"}, [
        ("d13-plain", {"name": None, "mimeType": None}, 404, {"named manage < d13"}),
    ]),
    (drive("d14"), [user("eve@rival.example", "organizer", "eve", expirationTime=PAST), ORGANIZER], {f"{NAMED} manage", f"{OUT} manage!"}, [
        ("d14-plain", {}, 404, {"named manage < d14", f"{OUT} manage! < d14"}),
    ]),
]  # fmt: skip

USERS: list[Json] = [
    {"kind": "admin#directory#user", "id": "u1", "primaryEmail": "Alice@kumo.example", "name": {"givenName": "Alice", "fullName": "Alice A."}, "isAdmin": True, "lastLoginTime": "1970-01-01T00:00:00.000Z", "emails": [{"address": "alice@gmail.com", "type": "home"}, {"address": ALICE, "primary": True}]},
    {"id": "u2", "primaryEmail": BOB, "name": {"fullName": "Bob"}, "aliases": ["robert@kumo.example"], "nonEditableAliases": ["bob@kumo-alias.example", "robert@kumo-alias.example"], "suspended": False, "relations": None, "organizations": []},
    {"id": "u3", "primaryEmail": CAROL, "aliases": ["Carol.Old@kumo.example"], "name": None, "lastLoginTime": None, "phones": "x"},
    {"id": "u4", "primaryEmail": DAVE, "suspended": True, "suspensionReason": "ADMIN", "archived": False, "recoveryEmail": ""},
    {"id": "u5", "primaryEmail": "kate@kumo2.example", "orgUnitPath": None, "customSchemas": {"a": {"b": 1}}},
    {"id": "u6", "primaryEmail": "odd@kumo.example", "lastLoginTime": "never", "emails": "none"},
    {"id": "u7"},
    *({"id": f"n{number}", "primaryEmail": f"n{number}@kumo.example"} for number in range(3)),
]  # fmt: skip
GROUPS: list[Json] = [
    {"kind": "admin#directory#group", "id": f"g-{name}", "email": f"{name}@kumo.example", "name": name, "directMembersCount": "0" if name == "empty" else "1", "adminCreated": True}
    for name in ("team", "outer", "loop", "ring1", "ring2", "withforeign", "all", "everyone2", "allplus", "secret", "empty", "oddmember")
] + [
    {"id": "g-mixed", "email": "Mixed@kumo.example", "name": None, "aliases": ["mixed.old@kumo.example"], "nonEditableAliases": ["mixed@kumo-alias.example"]},
    {"id": "g-noname"},
]  # fmt: skip
MEMBERS: dict[str, Json] = {
    "g-team": [{"kind": "admin#directory#member", "id": "u2", "email": BOB, "role": "MEMBER", "type": "USER", "status": "ACTIVE"}],
    "g-mixed": [{"id": "u2", "email": BOB, "role": "OWNER", "type": "USER"}, {"id": "x1", "email": "EVE@rival.example", "role": "MEMBER", "type": "USER", "delivery_settings": "NONE"}],
    "g-outer": [{"id": "g-mixed", "email": "mixed@kumo.example", "role": "MEMBER", "type": "GROUP"}],
    "g-loop": [{"id": "g-loop", "email": "loop@kumo.example", "role": "MEMBER", "type": "GROUP"}, {"id": "u2", "email": BOB, "type": "USER"}],
    "g-ring1": [{"id": "g-ring2", "email": "ring2@kumo.example", "role": "MEMBER", "type": "GROUP"}],
    "g-ring2": [{"id": "g-ring1", "email": "ring1@kumo.example", "type": "GROUP"}, {"id": "x2", "email": "mallory@gmail.com", "type": "USER", "role": None}],
    "g-withforeign": [{"id": "x3", "email": "friends@rival.example", "type": "GROUP", "role": "MEMBER"}],
    "g-all": [{"kind": "admin#directory#member", "id": "C0123", "role": "MEMBER", "type": "CUSTOMER", "status": "ACTIVE"}],
    "g-everyone2": [{"id": "g-all", "email": "all@kumo.example", "type": "GROUP", "role": "MEMBER"}],
    "g-allplus": [{"id": "C0123", "role": "MEMBER", "type": "CUSTOMER"}, {"id": "x1", "email": "eve@rival.example", "type": "USER"}],
    "g-secret": 403,
    "g-empty": {"kind": "admin#directory#members", "etag": '"x"'},
    "g-oddmember": [{"id": "x9"}, {"id": 4, "email": [1]}, {"id": "x1", "email": "eve@rival.example", "type": "EXTERNAL", "role": "MEMBER"}],
}  # fmt: skip
DOMAINS: list[Json] = [
    {"kind": "admin#directory#domain", "domainName": "kumo.example", "isPrimary": True, "verified": True, "creationTime": "1586464166558", "domainAliases": [{"kind": "admin#directory#domainAlias", "domainAliasName": "Kumo-Alias.example", "parentDomainName": "kumo.example", "verified": True, "creationTime": "1586464166558"}]},
    {"domainName": "KUMO2.example", "isPrimary": False, "verified": True},
]  # fmt: skip
