"""The faults and near misses at Kumo Logistics: people, sites and items, each with a name and its id."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from cloudscan_emulators.kit.staff import member_of_staff
from cloudscan_emulators.microsoft import ids
from cloudscan_emulators.microsoft.people import ALL_USERS, EVERYONE, INSIDERS
from cloudscan_emulators.microsoft.records import Drive, Extra, Item, Kind, Site
from cloudscan_emulators.microsoft.tenant_state import TenantState

Named = Iterator[tuple[str, str]]
UNLISTED_TENANT = ids.guid("tenant", 10_002)
MORI, HAYASHI, AOKI = "mori@kumo.example", "hayashi@kumo.example", "aoki@kumo.example"
TANUKI, SPY = "tanuki@partner.example", "spy@rival.example"
CONFIDENTIAL = "社外秘"
_DAY = 86_400
_DOCUMENT = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def directory(state: TenantState) -> Named:
    """Users, guests, groups and applications."""
    yield from _users(state)
    yield from _guests(state)
    yield from _groups(state)
    yield from _applications(state)


def sites_and_teams(state: TenantState) -> Named:
    """Sites, teams with channels, and the OneDrives of former employees."""
    yield from _sites(state)
    yield from _channels(state)
    for name, upn in (
        ("onedrive", MORI),
        ("onedrive of former employee", "left@kumo.example"),
        ("onedrive of disabled user", "disabled@kumo.example"),
    ):
        yield name, state.add_onedrive(upn).id


def items(state: TenantState, now: datetime) -> Named:
    """Files and folders."""
    yield from _links(state, now)
    yield from _names(state, now)
    yield from _latent(state)
    yield from _scopes(state)
    yield from _oddities(state)


def _users(state: TenantState) -> Named:
    day = state.now
    for name, upn, more in (
        ("user disabled", "disabled@kumo.example", {"enabled": False}),
        ("user left", "left@kumo.example", {"enabled": False, "leaves": day - 60 * _DAY}),
        ("user left and enabled", "away@kumo.example", {"leaves": day - 10 * _DAY}),
        ("user leaves soon", "leaving@kumo.example", {"leaves": day + 20 * _DAY}),
        ("user never signed in", "never@kumo.example", {"signed_in": 0}),
        ("user dormant", "dormant@kumo.example", {"signed_in": day - 400 * _DAY}),
    ):
        enabled = bool(more.get("enabled", True))
        signed_in = more.get("signed_in")
        leaves = int(more.get("leaves", 0))
        staff = member_of_staff(upn)
        person = state.add_user(upn, enabled=enabled, signed_in=signed_in, leaves=leaves, employee=staff)
        yield name, person.id
    gone = state.add_user("gone@kumo.example", employee=member_of_staff("gone@kumo.example"))
    yield "user deleted", gone.id


def _guests(state: TenantState) -> Named:
    day, mori = state.now, (MORI,)
    yield "guest", state.add_guest(TANUKI, "Tanuki Haulage", sponsors=mori).id
    yield "guest of no partner", state.add_guest(SPY, "Rival Freight", sponsors=mori).id
    yield "guest stale", state.add_guest("old@partner.example", "古参", signed_in=day - 400 * _DAY, sponsors=mori).id
    yield "guest never signed in", state.add_guest("silent@partner.example", signed_in=0, sponsors=mori).id
    waiting = "PendingAcceptance"
    late = state.add_guest("late@rival.example", state=waiting, created=day - 120 * _DAY, sponsors=mori)
    yield "guest never accepted", late.id
    fresh = state.add_guest(
        "fresh@partner.example", state=waiting, created=day - 2 * _DAY, sponsors=mori, invited_by=HAYASHI
    )
    yield "guest just invited", fresh.id
    yield "guest without sponsor", state.add_guest("alone@rival.example").id
    left = state.add_guest("orphan@partner.example", sponsors=["disabled@kumo.example"])
    yield "guest whose sponsor is disabled", left.id
    yield "guest of ended partner", state.add_guest("captain@ferry.example", sponsors=mori).id
    yield "guest in many sites", state.add_guest("everywhere@partner.example", sponsors=mori).id
    yield "guest disabled", state.add_guest("off@rival.example", enabled=False, sponsors=mori).id
    yield "guest with consumer mail", state.add_guest("kumo.taro1985@gmail.com", "Taro", sponsors=mori).id
    member = state.add_guest("sister@kumo-sister.example", "Sister company", user_type="Member", sponsors=mori)
    yield "external member", member.id
    hostile = state.add_guest("markup@rival.example", "<img src=x onerror=alert(1)>", sponsors=mori)
    yield "guest with markup in name", hostile.id
    state.add_external_user("gate@nomail.example", "Gatehouse")
    state.add_external_user("fox@strange.example", "狐", tenant=UNLISTED_TENANT)
    state.add_external_user("clerk@partner.example", "Clerk", tenant=ids.guid("tenant", 10_001))


def _groups(state: TenantState) -> Named:
    yield "group", state.add_group("営業部", members=[MORI, HAYASHI], owners=[AOKI]).id
    yield "group nested", state.add_group("Nested", members=["営業部", "tanuki@partner.example"], owners=[AOKI]).id
    yield "group without owner", state.add_group("Ownerless", members=[HAYASHI]).id
    dynamic = state.add_group("全社員", rule='user.userType -eq "Member"', members=[MORI, HAYASHI, AOKI])
    yield "group dynamic", dynamic.id
    for name, title, visibility, owners in (
        ("group public", "社内イベント", "Public", [MORI]),
        ("group private", "Projects", "Private", [MORI, HAYASHI]),
        ("group with guest as owner", "Joint venture", "Private", [TANUKI]),
        ("group hidden", "Secret project", "HiddenMembership", [AOKI]),
        ("group with disabled owner", "Left behind", "Private", ["disabled@kumo.example"]),
    ):
        group = state.add_group(
            title,
            kind="unified",
            mail=f"g{len(state.principals)}@kumo.example",
            visibility=visibility,
            owners=owners,
            members=[*owners, SPY] if "guest" in name else owners,
        )
        yield name, group.id


def _applications(state: TenantState) -> Named:
    yield "application", state.add_application("Reader", graph=["Sites.Read.All", "User.Read.All"]).id
    writer = state.add_application("Backup robot", graph=["Sites.ReadWrite.All", "Files.ReadWrite.All"])
    yield "application with write to all sites", writer.id
    full = state.add_application("Old add-in", sharepoint=["Sites.FullControl.All"], home_tenant=UNLISTED_TENANT)
    yield "application of others with full control", full.id
    yield "application for one site", state.add_application("Form filler", graph=["Sites.Selected"]).id


def _sites(state: TenantState) -> Named:
    label = state.add_label(CONFIDENTIAL)
    state.add_label("公開")
    home = state.add_site("", "Kumo Logistics", template="SITEPAGEPUBLISHING#0", owner=AOKI, sharing=2)
    yield "site root", home.id
    for name, path, title, sharing, more in (
        ("site", "sites/office", "事務所", 2, ""),
        ("site with sharing off", "sites/board", "取締役会", 0, ""),
        ("site wider than label", "sites/secret", "機密", 2, label.id),
        ("site as wide as label", "sites/quiet", "Quiet", 0, label.id),
        ("site with anyone as default", "sites/handout", "配布資料", 2, ""),
        ("site for existing guests", "sites/guests", "Guests", 3, ""),
    ):
        site = state.add_site(path, title, owner=AOKI, sharing=sharing, label=more)
        state.seat(site, "Owners", AOKI)
        state.seat(site, "Members", "営業部")
        yield name, site.id
        if name == "site with anyone as default":
            site.default_link, site.default_permission, site.link_days, site.overrides_days = 3, 2, 0, True
    office = _site(state, "sites/office")
    state.add_library(office, "Archive")
    state.add_library(office, "Preservation Hold Library", path="PreservationHoldLibrary", hidden=True)
    state.add_list(office, "備品一覧")
    state.add_list(office, "Web Part Gallery", template="webPartCatalog", hidden=True)
    yield "subsite", state.add_site("sites/office/kaigi", "会議", parent=office, owner=AOKI).id
    office.app_grants[state.named("app:Form filler").number] = "write"
    nested = state.add_site_group(office, "Contractors", "Nested", SPY)
    yield "site group with nested group", nested.name
    state.add_site_group(office, "Hidden circle", HAYASHI, members_only=True)
    everyone = state.add_site("sites/open", "Open house", owner=MORI, sharing=2)
    state.seat(everyone, "Owners", MORI)
    state.seat(everyone, "Visitors", EVERYONE)
    state.seat(everyone, "Members", INSIDERS)
    yield "site with everyone among its visitors", everyone.id
    lost = state.add_site("sites/lost", "Forgotten", sharing=2)
    yield "site without owner", lost.id
    wider = state.add_site("sites/wide", "Wide", owner=MORI, sharing=2)
    wider.domain_mode, wider.allowed_domains = 1, "partner.example rival.example"
    state.set_admin(SharingDomainRestrictionMode=1, SharingAllowedDomainList="partner.example")
    state.seat(wider, "Owners", TANUKI)
    yield "site wider than tenant", wider.id
    yield "site with guest as owner", wider.id
    locked = state.add_site("sites/locked", "Locked", owner=MORI)
    state.lock_site(locked)
    yield "site locked", locked.id
    still = state.add_site("sites/readonly", "Read-only", owner=MORI, sharing=2)
    state.lock_site(still, "ReadOnly")
    yield "site read-only", still.id
    gone = state.add_site("sites/gone", "Gone", owner=MORI)
    state.delete_site(gone)
    yield "site deleted", gone.id
    for group in list(state.groups):
        if group.kind == "unified":
            site = state.add_site(f"sites/g{group.number}", group.name, group=group, sharing=2)
            if group.visibility == "Public":
                yield "site public", site.id
    for path in ("sites/office", "sites/open", "sites/wide", "sites/handout", "sites/guests", "sites/lost"):
        state.seat(_site(state, path), "Visitors", "everywhere@partner.example")


def _channels(state: TenantState) -> Named:
    team = state.add_group(
        "配送チーム",
        kind="unified",
        mail="haiso@kumo.example",
        visibility="Private",
        owners=[MORI],
        members=[MORI, HAYASHI, TANUKI],
        team=True,
    )
    state.add_site("sites/haiso", team.name, group=team, sharing=2)
    yield "team", team.id
    yield "team with guest", team.id
    private = state.add_channel(team, "人事相談", "private", owner=MORI, members=(HAYASHI,))
    yield "channel private", state.sites[private.site].id
    partner = state.add_channel(team, "Tanuki", "shared", owner=MORI, members=("external:clerk@partner.example",))
    partner.shared_with = (f"{ids.guid('tenant', 10_001)}|Tanuki dispatch",)
    yield "channel shared with partner", state.sites[partner.site].id
    strange = state.add_channel(team, "Joint bid", "shared", owner=MORI, members=("external:fox@strange.example",))
    strange.shared_with = (f"{UNLISTED_TENANT}|狐商会",)
    yield "channel shared with unlisted tenant", state.sites[strange.site].id
    public = state.add_group(
        "全社チーム", kind="unified", mail="all@kumo.example", visibility="Public", owners=[AOKI], team=True
    )
    state.add_site("sites/zensha", public.name, group=public, sharing=2)
    yield "team public", public.id
    lost = state.add_group(
        "Ownerless team", kind="unified", mail="lost@kumo.example", visibility="Private", members=[HAYASHI], team=True
    )
    state.add_site("sites/lostteam", lost.name, group=lost, sharing=1)
    yield "team without owner", lost.id


def _links(state: TenantState, now: datetime) -> Named:
    drive = _library(state, "sites/office")

    def file(name: str) -> Item:
        return state.create(name, drive=drive, mime=_DOCUMENT, size=20_000, author=MORI)

    def uid(item: Item) -> str:
        return state.id_of(item)

    soon, past = now + timedelta(days=20), now - timedelta(days=20)
    for kind in ("view", "edit", "review", "embed", "createOnly", "blocksDownload"):
        item = file(f"誰でも {kind}.docx")
        state.link(item, kind, prevents_download=kind == "blocksDownload")
        yield f"anyone {kind}", uid(item)
    item = file("料金表.docx")
    state.link(item, "view", expires=soon, password=True)
    yield "anyone until soon with password", uid(item)
    item = file("Old price list.docx")
    state.link(item, "edit", expires=past)
    yield "anyone expired", uid(item)
    item = file("Revoked.docx")
    state.unlink(state.link(item, "view"))
    yield "anyone revoked", uid(item)
    folder = state.folder("展示会資料", drive=drive, author=MORI)
    state.link(folder, "edit")
    yield "anyone folder", uid(folder)
    inside = state.create("panel.png", parent=folder, mime="image/png", size=90_000)
    yield "in anyone folder", uid(inside)
    for kind in ("view", "edit"):
        item = file(f"社内 {kind}.docx")
        state.link(item, kind, "organization")
        yield f"organisation {kind}", uid(item)
    for name, people in (
        ("people colleague", [HAYASHI]),
        ("people guest", [TANUKI]),
        ("people of no partner", [HAYASHI, SPY]),
        ("people passcode", ["external:gate@nomail.example"]),
        ("people nobody", []),
        ("people group", ["Nested"]),
        ("people ended partner", ["captain@ferry.example"]),
    ):
        item = file(f"{name}.docx")
        state.link(item, "edit", "users", people=people)
        yield name, uid(item)
    item = file("existing access.docx")
    state.link(item, "view", "existingAccess")
    yield "existing access", uid(item)
    item = file("made by an application.docx")
    state.link(item, "view", application="app:Backup robot")
    yield "anyone by application", uid(item)
    item = file("anyone and a group.docx")
    state.link(item, "view", people=["Nested"])
    yield "anyone listing a group", uid(item)
    item = file("many links.docx")
    for kind, scope in (("view", "anonymous"), ("edit", "anonymous"), ("view", "organization"), ("edit", "users")):
        state.link(item, kind, scope)
    yield "many links", uid(item)


def _names(state: TenantState, now: datetime) -> Named:
    drive = _library(state, "sites/office")
    soon = now + timedelta(days=20)
    for name, to, role, until in (
        ("everyone", EVERYONE, "read", None),
        ("everyone except external users", INSIDERS, "write", None),
        ("all users", ALL_USERS, "read", None),
        ("guest direct", TANUKI, "write", None),
        ("external direct", SPY, "read", None),
        ("external until soon", SPY, "read", soon),
        ("guest never accepted direct", "late@rival.example", "read", None),
        ("consumer direct", "kumo.taro1985@gmail.com", "read", None),
        ("disabled direct", "disabled@kumo.example", "write", None),
        ("colleague direct", HAYASHI, "write", None),
        ("colleague full control", HAYASHI, "sp.full control", None),
        ("group direct", "営業部", "read", None),
        ("group with guests direct", "Nested", "write", None),
        ("external member direct", "sister@kumo-sister.example", "write", None),
        ("application direct", "app:Backup robot", "write", None),
        ("unified group direct", "Joint venture", "write", None),
    ):
        item = state.create(f"{name}.xlsx", drive=drive, size=9000, author=HAYASHI)
        state.share(item, to, role, expires=until)
        yield name, state.id_of(item)
    item = state.create("Site group.xlsx", drive=drive, author=HAYASHI)
    state.share_with_site_group(item, "Contractors", "write")
    yield "site group direct", state.id_of(item)
    item = state.create("Invited.xlsx", drive=drive, author=HAYASHI)
    state.invite(item, "newcomer@rival.example", "write")
    yield "invitation not redeemed", state.id_of(item)
    item = state.create("Invited without sign-in.xlsx", drive=drive, author=HAYASHI)
    state.invite(item, "passer@rival.example", sign_in=False)
    yield "invitation without sign-in", state.id_of(item)
    item = state.create("Left to nobody.xlsx", drive=drive, author=HAYASHI)
    state.share(item, "gone@kumo.example", "write")
    state.delete_user("gone@kumo.example")
    yield "deleted user direct", state.id_of(item)
    item = state.create("Many readers.xlsx", drive=drive, author=HAYASHI)
    for index in range(120):
        mail = f"reader{index:03}@partner.example"
        state.add_guest(mail, sponsors=[MORI])
        state.share(item, mail)
    yield "many permissions", state.id_of(item)


def _latent(state: TenantState) -> Named:
    for name, path in (
        ("anyone where sharing is off", "sites/board"),
        ("anyone where label is narrow", "sites/secret"),
        ("anyone on read-only site", "sites/readonly"),
        ("anyone in handouts", "sites/handout"),
    ):
        item = state.create(f"{name}.pdf", drive=_library(state, path), author=AOKI)
        state.link(item, "view")
        yield name, state.id_of(item)
    for name, upn in (
        ("anyone in onedrive", MORI),
        ("former employee still shares", "left@kumo.example"),
        ("disabled user still shares", "disabled@kumo.example"),
    ):
        drive = state.drives[state.person(upn).drive]
        item = state.create(f"{name}.docx", drive=drive, author=upn)
        state.link(item, "edit")
        yield name, state.id_of(item)


def _scopes(state: TenantState) -> Named:
    drive = _library(state, "sites/office")
    item = state.create("Plain.docx", drive=drive, author=MORI)
    yield "private", state.id_of(item)
    item = state.create("Closed.docx", drive=drive, author=MORI)
    state.stop_inheriting(item, keep=False)
    state.share(item, MORI, "owner")
    yield "own scope for one", state.id_of(item)
    item = state.create("Once shared.docx", drive=drive, author=MORI)
    state.share(item, SPY)
    state.unshare(item, SPY)
    yield "own scope with nothing shared", state.id_of(item)
    outer = state.folder("Campaign", drive=drive, author=MORI)
    state.share(outer, TANUKI)
    inner = state.folder("2026", parent=outer)
    deep = state.create("Poster.pdf", parent=inner, size=300_000)
    yield "inherits from shared folder", state.id_of(deep)
    closed = state.folder("Closed bids", parent=outer)
    state.stop_inheriting(closed, keep=False)
    state.share(closed, HAYASHI)
    yield "closed folder in shared one", state.id_of(closed)
    yield "in closed folder", state.id_of(state.create("Sealed bid.pdf", parent=closed))
    linked = state.folder("Linked", drive=drive, author=MORI)
    state.link(linked, "view")
    copied = state.create("Copied link.pdf", parent=linked)
    state.share(copied, HAYASHI)
    yield "own scope with its folder's link", state.id_of(copied)


def _oddities(state: TenantState) -> Named:
    drive = _library(state, "sites/office")
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
        item = state.create(label, drive=drive, mime="text/plain", size=10)
        state.link(item, "view")
        yield name, state.id_of(item)
    item = state.create("契約書.docx", drive=drive, mime=_DOCUMENT, extra=Extra(label=state.labels[0].id))
    state.link(item, "view")
    yield "labelled", state.id_of(item)
    retained = state.create("Kept.docx", drive=drive, mime=_DOCUMENT, extra=Extra(retention="10 years"))
    yield "retained", state.id_of(retained)
    yield "notebook", state.id_of(state.create("Notebook", drive=drive, kind=Kind.PACKAGE, mime=""))
    onedrive = state.drives[state.person(MORI).drive]
    yield "shortcut", state.id_of(state.shortcut(item, drive=onedrive))
    thrown = state.create("Thrown away.docx", drive=drive)
    state.link(thrown, "edit")
    state.trash(thrown)
    yield "trashed", state.id_of(thrown)


def _site(state: TenantState, path: str) -> Site:
    site = state.site_at(state.host, path)
    if site is None:
        raise LookupError(path)
    return site


def _library(state: TenantState, path: str) -> Drive:
    return state.drives[_site(state, path).drives[0]]
