"""What goes wrong at Kumo Logistics, and what nearly does: people, places and items, each with a name and its id."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.people import ALL_USERS, EVERYONE, INSIDERS
from cloudscan_emulators.microsoft.records import Drive, Extra, Item, Kind, Site
from cloudscan_emulators.microsoft.tenant_state import TenantState

Named = Iterator[tuple[str, str]]
STRANGE_TENANT = ids.guid("tenant", 10_002)
MORI, HAYASHI, AOKI = "mori@kumo.example", "hayashi@kumo.example", "aoki@kumo.example"
TANUKI, SPY = "tanuki@partner.example", "spy@rival.example"
CONFIDENTIAL = "社外秘"
_DAY = 86_400
_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def directory(world: TenantState) -> Named:
    """Users, guests, groups and applications."""
    yield from _users(world)
    yield from _guests(world)
    yield from _groups(world)
    yield from _applications(world)


def places(world: TenantState) -> Named:
    """Sites, teams with channels, and the OneDrives of those who left."""
    yield from _sites(world)
    yield from _channels(world)
    for name, upn in (
        ("onedrive", MORI),
        ("onedrive of former employee", "left@kumo.example"),
        ("onedrive of disabled user", "disabled@kumo.example"),
    ):
        yield name, world.add_onedrive(upn).id


def items(world: TenantState, now: datetime) -> Named:
    """Files and folders, one after the other."""
    yield from _links(world, now)
    yield from _names(world, now)
    yield from _latent(world)
    yield from _scopes(world)
    yield from _oddities(world)


def _users(world: TenantState) -> Named:
    day = world.now
    for name, upn, shown, more in (
        ("user disabled", "disabled@kumo.example", "停止 次郎", {"enabled": False}),
        ("user left", "left@kumo.example", "退職 済子", {"enabled": False, "leaves": day - 60 * _DAY}),
        ("user left and enabled", "away@kumo.example", "退職 未処理", {"leaves": day - 10 * _DAY}),
        ("user leaves soon", "leaving@kumo.example", "転職 予定", {"leaves": day + 20 * _DAY}),
        ("user never signed in", "never@kumo.example", "未 使用", {"signed_in": 0}),
        ("user dormant", "dormant@kumo.example", "休眠 太郎", {"signed_in": day - 400 * _DAY}),
    ):
        enabled = bool(more.get("enabled", True))
        signed_in = more.get("signed_in")
        person = world.add_user(upn, shown, enabled=enabled, signed_in=signed_in, leaves=int(more.get("leaves", 0)))
        yield name, person.id
    gone = world.add_user("gone@kumo.example", "削除 済")
    yield "user deleted", gone.id


def _guests(world: TenantState) -> Named:
    day, mori = world.now, (MORI,)
    yield "guest", world.add_guest(TANUKI, "Tanuki Haulage", sponsors=mori).id
    yield "guest stranger", world.add_guest(SPY, "Rival Freight", sponsors=mori).id
    yield "guest stale", world.add_guest("old@partner.example", "古参", signed_in=day - 400 * _DAY, sponsors=mori).id
    yield "guest never signed in", world.add_guest("silent@partner.example", signed_in=0, sponsors=mori).id
    waiting = "PendingAcceptance"
    late = world.add_guest("late@rival.example", state=waiting, created=day - 120 * _DAY, sponsors=mori)
    yield "guest never accepted", late.id
    fresh = world.add_guest(
        "fresh@partner.example", state=waiting, created=day - 2 * _DAY, sponsors=mori, invited_by=HAYASHI
    )
    yield "guest just invited", fresh.id
    yield "guest without sponsor", world.add_guest("alone@rival.example").id
    left = world.add_guest("orphan@partner.example", sponsors=["disabled@kumo.example"])
    yield "guest whose sponsor is disabled", left.id
    yield "guest of ended partner", world.add_guest("captain@ferry.example", sponsors=mori).id
    yield "guest in many sites", world.add_guest("everywhere@partner.example", sponsors=mori).id
    yield "guest disabled", world.add_guest("off@rival.example", enabled=False, sponsors=mori).id
    yield "guest with consumer mail", world.add_guest("kumo.taro1985@gmail.com", "Taro", sponsors=mori).id
    member = world.add_guest("sister@kumo-sister.example", "Sister company", user_type="Member", sponsors=mori)
    yield "external member", member.id
    hostile = world.add_guest("markup@rival.example", "<img src=x onerror=alert(1)>", sponsors=mori)
    yield "guest with markup in name", hostile.id
    world.add_outsider("gate@nomail.example", "Gatehouse")
    world.add_outsider("fox@strange.example", "狐", tenant=STRANGE_TENANT)
    world.add_outsider("clerk@partner.example", "Clerk", tenant=ids.guid("tenant", 10_001))


def _groups(world: TenantState) -> Named:
    yield "group", world.add_group("営業部", members=[MORI, HAYASHI], owners=[AOKI]).id
    yield "group nested", world.add_group("Nested", members=["営業部", "tanuki@partner.example"], owners=[AOKI]).id
    yield "group without owner", world.add_group("Ownerless", members=[HAYASHI]).id
    dynamic = world.add_group("全社員", rule='user.userType -eq "Member"', members=[MORI, HAYASHI, AOKI])
    yield "group dynamic", dynamic.id
    for name, title, visibility, owners in (
        ("group public", "社内イベント", "Public", [MORI]),
        ("group private", "Projects", "Private", [MORI, HAYASHI]),
        ("group with guest as owner", "Joint venture", "Private", [TANUKI]),
        ("group hidden", "Secret project", "HiddenMembership", [AOKI]),
        ("group with disabled owner", "Left behind", "Private", ["disabled@kumo.example"]),
    ):
        group = world.add_group(
            title,
            kind="unified",
            mail=f"g{len(world.principals)}@kumo.example",
            visibility=visibility,
            owners=owners,
            members=[*owners, SPY] if "guest" in name else owners,
        )
        yield name, group.id


def _applications(world: TenantState) -> Named:
    yield "application", world.add_application("Reader", graph=["Sites.Read.All", "User.Read.All"]).id
    writer = world.add_application("Backup robot", graph=["Sites.ReadWrite.All", "Files.ReadWrite.All"])
    yield "application with write to all sites", writer.id
    full = world.add_application("Old add-in", sharepoint=["Sites.FullControl.All"], home_tenant=STRANGE_TENANT)
    yield "application of others with full control", full.id
    yield "application for one site", world.add_application("Form filler", graph=["Sites.Selected"]).id


def _sites(world: TenantState) -> Named:
    label = world.add_label(CONFIDENTIAL)
    world.add_label("公開")
    home = world.add_site("", "Kumo Logistics", template="SITEPAGEPUBLISHING#0", owner=AOKI, sharing=2)
    yield "site root", home.id
    for name, path, title, sharing, more in (
        ("site", "sites/office", "事務所", 2, ""),
        ("site with sharing off", "sites/board", "取締役会", 0, ""),
        ("site wider than label", "sites/secret", "機密", 2, label.id),
        ("site as wide as label", "sites/quiet", "Quiet", 0, label.id),
        ("site with anyone as default", "sites/handout", "配布資料", 2, ""),
        ("site for existing guests", "sites/guests", "Guests", 3, ""),
    ):
        site = world.add_site(path, title, owner=AOKI, sharing=sharing, label=more)
        world.seat(site, "Owners", AOKI)
        world.seat(site, "Members", "営業部")
        yield name, site.id
        if name == "site with anyone as default":
            site.default_link, site.default_permission, site.link_days, site.overrides_days = 3, 2, 0, True
    office = _site(world, "sites/office")
    world.add_library(office, "Archive")
    world.add_library(office, "Preservation Hold Library", path="PreservationHoldLibrary", hidden=True)
    yield "subsite", world.add_site("sites/office/kaigi", "会議", parent=office, owner=AOKI).id
    office.app_grants[world.named("app:Form filler").number] = "write"
    nested = world.add_site_group(office, "Contractors", "Nested", SPY)
    yield "site group with nested group", nested.name
    world.add_site_group(office, "Hidden circle", HAYASHI, members_only=True)
    everyone = world.add_site("sites/open", "Open house", owner=MORI, sharing=2)
    world.seat(everyone, "Owners", MORI)
    world.seat(everyone, "Visitors", EVERYONE)
    world.seat(everyone, "Members", INSIDERS)
    yield "site with everyone among its visitors", everyone.id
    lost = world.add_site("sites/lost", "Forgotten", sharing=2)
    yield "site without owner", lost.id
    wider = world.add_site("sites/wide", "Wide", owner=MORI, sharing=2)
    wider.domain_mode, wider.allowed_domains = 1, "partner.example rival.example"
    world.set_admin(SharingDomainRestrictionMode=1, SharingAllowedDomainList="partner.example")
    world.seat(wider, "Owners", TANUKI)
    yield "site wider than tenant", wider.id
    yield "site with guest as owner", wider.id
    locked = world.add_site("sites/locked", "Locked", owner=MORI)
    world.lock_site(locked)
    yield "site locked", locked.id
    still = world.add_site("sites/readonly", "Read-only", owner=MORI, sharing=2)
    world.lock_site(still, "ReadOnly")
    yield "site read-only", still.id
    gone = world.add_site("sites/gone", "Gone", owner=MORI)
    world.delete_site(gone)
    yield "site deleted", gone.id
    for group in list(world.groups):
        if group.kind == "unified":
            site = world.add_site(f"sites/g{group.number}", group.name, group=group, sharing=2)
            if group.visibility == "Public":
                yield "site public", site.id
    for path in ("sites/office", "sites/open", "sites/wide", "sites/handout", "sites/guests", "sites/lost"):
        world.seat(_site(world, path), "Visitors", "everywhere@partner.example")


def _channels(world: TenantState) -> Named:
    team = world.add_group(
        "配送チーム",
        kind="unified",
        mail="haiso@kumo.example",
        visibility="Private",
        owners=[MORI],
        members=[MORI, HAYASHI, TANUKI],
        team=True,
    )
    world.add_site("sites/haiso", team.name, group=team, sharing=2)
    yield "team", team.id
    yield "team with guest", team.id
    private = world.add_channel(team, "人事相談", "private", owner=MORI, members=(HAYASHI,))
    yield "channel private", world.sites[private.site].id
    partner = world.add_channel(team, "Tanuki", "shared", owner=MORI, members=("outside:clerk@partner.example",))
    partner.shared_with = (f"{ids.guid('tenant', 10_001)}|Tanuki dispatch",)
    yield "channel shared with partner", world.sites[partner.site].id
    strange = world.add_channel(team, "Joint bid", "shared", owner=MORI, members=("outside:fox@strange.example",))
    strange.shared_with = (f"{STRANGE_TENANT}|狐商会",)
    yield "channel shared with unlisted tenant", world.sites[strange.site].id
    public = world.add_group(
        "全社チーム", kind="unified", mail="all@kumo.example", visibility="Public", owners=[AOKI], team=True
    )
    world.add_site("sites/zensha", public.name, group=public, sharing=2)
    yield "team public", public.id
    lost = world.add_group(
        "Ownerless team", kind="unified", mail="lost@kumo.example", visibility="Private", members=[HAYASHI], team=True
    )
    world.add_site("sites/lostteam", lost.name, group=lost, sharing=1)
    yield "team without owner", lost.id


def _links(world: TenantState, now: datetime) -> Named:
    drive = _library(world, "sites/office")

    def file(name: str) -> Item:
        return world.create(name, drive=drive, mime=_DOCUMENT, size=20_000, author=MORI)

    def told(item: Item) -> str:
        return world.id_of(item)

    soon, past = now + timedelta(days=20), now - timedelta(days=20)
    for kind in ("view", "edit", "review", "embed", "createOnly", "blocksDownload"):
        item = file(f"誰でも {kind}.docx")
        world.link(item, kind, prevents_download=kind == "blocksDownload")
        yield f"anyone {kind}", told(item)
    item = file("料金表.docx")
    world.link(item, "view", expires=soon, password=True)
    yield "anyone until soon with password", told(item)
    item = file("Old price list.docx")
    world.link(item, "edit", expires=past)
    yield "anyone expired", told(item)
    item = file("Revoked.docx")
    world.unlink(world.link(item, "view"))
    yield "anyone revoked", told(item)
    folder = world.folder("展示会資料", drive=drive, author=MORI)
    world.link(folder, "edit")
    yield "anyone folder", told(folder)
    inside = world.create("panel.png", parent=folder, mime="image/png", size=90_000)
    yield "in anyone folder", told(inside)
    for kind in ("view", "edit"):
        item = file(f"社内 {kind}.docx")
        world.link(item, kind, "organization")
        yield f"organisation {kind}", told(item)
    for name, people in (
        ("people colleague", [HAYASHI]),
        ("people guest", [TANUKI]),
        ("people stranger", [HAYASHI, SPY]),
        ("people passcode", ["outside:gate@nomail.example"]),
        ("people nobody", []),
        ("people group", ["Nested"]),
        ("people ended partner", ["captain@ferry.example"]),
    ):
        item = file(f"{name}.docx")
        world.link(item, "edit", "users", people=people)
        yield name, told(item)
    item = file("existing access.docx")
    world.link(item, "view", "existingAccess")
    yield "existing access", told(item)
    item = file("made by an application.docx")
    world.link(item, "view", application="app:Backup robot")
    yield "anyone by application", told(item)
    item = file("anyone and a group.docx")
    world.link(item, "view", people=["Nested"])
    yield "anyone listing a group", told(item)
    item = file("many links.docx")
    for kind, scope in (("view", "anonymous"), ("edit", "anonymous"), ("view", "organization"), ("edit", "users")):
        world.link(item, kind, scope)
    yield "many links", told(item)


def _names(world: TenantState, now: datetime) -> Named:
    drive = _library(world, "sites/office")
    soon = now + timedelta(days=20)
    for name, to, role, until in (
        ("everyone", EVERYONE, "read", None),
        ("everyone except external users", INSIDERS, "write", None),
        ("all users", ALL_USERS, "read", None),
        ("guest direct", TANUKI, "write", None),
        ("stranger direct", SPY, "read", None),
        ("stranger until soon", SPY, "read", soon),
        ("guest never accepted direct", "late@rival.example", "read", None),
        ("consumer direct", "kumo.taro1985@gmail.com", "read", None),
        ("disabled holds", "disabled@kumo.example", "write", None),
        ("colleague direct", HAYASHI, "write", None),
        ("colleague full control", HAYASHI, "sp.full control", None),
        ("group direct", "営業部", "read", None),
        ("group with guests direct", "Nested", "write", None),
        ("external member direct", "sister@kumo-sister.example", "write", None),
        ("application direct", "app:Backup robot", "write", None),
        ("unified group direct", "Joint venture", "write", None),
    ):
        item = world.create(f"{name}.xlsx", drive=drive, size=9000, author=HAYASHI)
        world.share(item, to, role, expires=until)
        yield name, world.id_of(item)
    item = world.create("Site group.xlsx", drive=drive, author=HAYASHI)
    world.share_with_site_group(item, "Contractors", "write")
    yield "site group direct", world.id_of(item)
    item = world.create("Invited.xlsx", drive=drive, author=HAYASHI)
    world.invite(item, "newcomer@rival.example", "write")
    yield "invitation not redeemed", world.id_of(item)
    item = world.create("Invited without sign-in.xlsx", drive=drive, author=HAYASHI)
    world.invite(item, "passer@rival.example", sign_in=False)
    yield "invitation without sign-in", world.id_of(item)
    item = world.create("Left to nobody.xlsx", drive=drive, author=HAYASHI)
    world.share(item, "gone@kumo.example", "write")
    world.delete_user("gone@kumo.example")
    yield "deleted user direct", world.id_of(item)
    item = world.create("Many readers.xlsx", drive=drive, author=HAYASHI)
    for index in range(120):
        mail = f"reader{index:03}@partner.example"
        world.add_guest(mail, sponsors=[MORI])
        world.share(item, mail)
    yield "many permissions", world.id_of(item)


def _latent(world: TenantState) -> Named:
    for name, path in (
        ("anyone where sharing is off", "sites/board"),
        ("anyone where label is narrow", "sites/secret"),
        ("anyone on read-only site", "sites/readonly"),
        ("anyone in handouts", "sites/handout"),
    ):
        item = world.create(f"{name}.pdf", drive=_library(world, path), author=AOKI)
        world.link(item, "view")
        yield name, world.id_of(item)
    for name, upn in (
        ("anyone in onedrive", MORI),
        ("former employee still shares", "left@kumo.example"),
        ("disabled user still shares", "disabled@kumo.example"),
    ):
        drive = world.drives[world.person(upn).drive]
        item = world.create(f"{name}.docx", drive=drive, author=upn)
        world.link(item, "edit")
        yield name, world.id_of(item)


def _scopes(world: TenantState) -> Named:
    drive = _library(world, "sites/office")
    item = world.create("Plain.docx", drive=drive, author=MORI)
    yield "private", world.id_of(item)
    item = world.create("Closed.docx", drive=drive, author=MORI)
    world.stop_inheriting(item, keep=False)
    world.share(item, MORI, "owner")
    yield "own scope for one", world.id_of(item)
    item = world.create("Once shared.docx", drive=drive, author=MORI)
    world.share(item, SPY)
    world.unshare(item, SPY)
    yield "own scope with nothing shared", world.id_of(item)
    outer = world.folder("Campaign", drive=drive, author=MORI)
    world.share(outer, TANUKI)
    inner = world.folder("2026", parent=outer)
    deep = world.create("Poster.pdf", parent=inner, size=300_000)
    yield "inherits from shared folder", world.id_of(deep)
    closed = world.folder("Closed bids", parent=outer)
    world.stop_inheriting(closed, keep=False)
    world.share(closed, HAYASHI)
    yield "closed folder in shared one", world.id_of(closed)
    yield "in closed folder", world.id_of(world.create("Sealed bid.pdf", parent=closed))
    linked = world.folder("Linked", drive=drive, author=MORI)
    world.link(linked, "view")
    copied = world.create("Copied link.pdf", parent=linked)
    world.share(copied, HAYASHI)
    yield "own scope with its folder's link", world.id_of(copied)


def _oddities(world: TenantState) -> Named:
    drive = _library(world, "sites/office")
    for name, label in (
        ("markup in name", "<script>alert('kumo')</script>.txt"),
        ("right-to-left name", "invoice\u202efdp.exe"),
        ("formula in name", "=1+1.csv"),
        ("newline in name", "two\nlines\tand a tab"),
        ("long name", "長" * 200),
        ("emoji name", "🚚 配送 🗾.txt"),
        ("quote in name", 'it\'s 100% "fine" #1 & more.txt'),
        ("broken name", "half a pair \ud83d.txt"),
    ):
        item = world.create(label, drive=drive, mime="text/plain", size=10)
        world.link(item, "view")
        yield name, world.id_of(item)
    item = world.create("契約書.docx", drive=drive, mime=_DOCUMENT, extra=Extra(label=world.labels[0].id))
    world.link(item, "view")
    yield "labelled", world.id_of(item)
    kept = world.create("Kept.docx", drive=drive, mime=_DOCUMENT, extra=Extra(retention="10 years"))
    yield "retained", world.id_of(kept)
    yield "notebook", world.id_of(world.create("Notebook", drive=drive, kind=Kind.PACKAGE, mime=""))
    onedrive = world.drives[world.person(MORI).drive]
    yield "shortcut", world.id_of(world.shortcut(item, drive=onedrive))
    thrown = world.create("Thrown away.docx", drive=drive)
    world.link(thrown, "edit")
    world.trash(thrown)
    yield "trashed", world.id_of(thrown)


def _site(world: TenantState, path: str) -> Site:
    site = world.site_at(world.host, path)
    if site is None:
        raise LookupError(path)
    return site


def _library(world: TenantState, path: str) -> Drive:
    return world.drives[_site(world, path).drives[0]]
