"""A company in three clouds, joined with its roster, for tests of what people can reach."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from cloudscan.connector import Connector, Cursor, Permission, Scope, Yielded
from cloudscan.engine.judge import Verdicts, judge
from cloudscan.engine.loader import load
from cloudscan.engine.rule_file import Rule
from cloudscan.errors import AccessDenied
from cloudscan.facts import Access, Affiliation, AnyFact, Audience, Grant, Membership, Principal, Resource, Via
from cloudscan.finding import Verdict
from cloudscan.organisation.joining import joiner
from cloudscan.organisation.knowledge import Knowledge
from cloudscan.snapshot.collect import CollectOptions, collect
from cloudscan.snapshot.seal import SealOptions
from cloudscan.snapshot.snapshot import Snapshot
from tests.kit.organisation import NIGHT, user

RULES = Path(__file__).parents[2] / "rules"

ROSTER = """\
社員番号,氏名,メールアドレス,個人メール,部署,上長,退職日
00101,佐藤 花子,hanako@acme.example,,営業部,,
00102,鈴木 一郎,ichiro@acme.example,ichi@mail.example,営業部,00101,2026-03-31
00103,鈴木 一郎,suzuki@acme.example,,経理部,00101,
"""


def cloud(platform: str, facts: Sequence[AnyFact], *, refuses: bool = False) -> Connector:
    """A connector of one platform that yields facts, or is refused all of them."""

    class Cloud:
        name: ClassVar[str] = platform
        permissions: ClassVar[Sequence[Permission]] = ()

        def scopes(self) -> Iterator[Scope]:
            yield Scope(uid=f"{platform}:all", platform=platform, kind="tenant", name="all", account="acme")

        def collect(self, _scope: Scope, _since: Cursor | None) -> Iterator[Yielded]:
            if refuses:
                raise AccessDenied("refused tonight")
            yield from facts

    return Cloud()


def clouds(facts: Sequence[AnyFact], refusing: str = "") -> list[Connector]:
    """The facts by the platform that their ids begin with."""
    by_platform: dict[str, list[AnyFact]] = {}
    for fact in facts:
        by_platform.setdefault(_uid_of(fact).partition(":")[0], []).append(fact)
    return [cloud(name, told, refuses=name == refusing) for name, told in by_platform.items()]


def _uid_of(fact: AnyFact) -> str:
    return str(getattr(fact, "uid", "") or getattr(fact, "group_uid", ""))


def night(
    folder: Path, knowledge: Knowledge, facts: Sequence[AnyFact], *, now: datetime = NIGHT, refusing: str = ""
) -> Snapshot:
    """The snapshot of a night; `refusing` is a platform that cannot be read."""
    options = CollectOptions(clock=lambda: now, seal=SealOptions(join=joiner(knowledge)), concurrency=1)
    return collect(clouds(facts, refusing), folder, options=options)


@lru_cache
def _shipped() -> tuple[Rule, ...]:
    return load([RULES])


def rules(*ids: str) -> tuple[Rule, ...]:
    """Shipped rules by id."""
    return tuple(rule for rule in _shipped() if rule.id in ids)


def judged(snapshot: Snapshot, *ids: str, timezone: str = "UTC", **params: int) -> Verdicts:
    """What these rules say."""
    return judge(snapshot, rules(*ids), timezone=timezone, params={ids[0]: params} if params else {})


def of_people(verdicts: Sequence[Verdict]) -> list[tuple[str, str]]:
    """Rule and person, or whatever each verdict is about."""
    return sorted((one.rule_id, one.identity[0].removeprefix("organisation:person/")) for one in verdicts)


def thing(uid: str, kind: str = "file", **more: Any) -> Resource:
    """Something in a cloud."""
    platform, _, name = uid.partition(":")
    return Resource(uid=uid, platform=platform, account="acme", kind=kind, name=name, **more)


def given(to: str, resource: str, access: Access = Access.WRITE, **more: Any) -> Grant:
    """A grant to an account or a group."""
    fields: dict[str, Any] = {"audience": Audience.NAMED, "via": Via.DIRECT, **more}
    return Grant(uid=f"{resource}#{to}", resource_uid=resource, principal_uid=to, access=access, **fields)


def opened(resource: str, audience: Audience = Audience.ANYONE_WITH_LINK) -> Grant:
    """A link."""
    uid = f"{resource}#link"
    return Grant(uid=uid, resource_uid=resource, audience=audience, access=Access.READ, via=Via.LINK)


def group(uid: str, *members: Principal | str) -> list[AnyFact]:
    """A group and its members."""
    platform, _, name = uid.partition(":")
    told = Principal(uid=uid, platform=platform, account="acme", kind="group", name=name, status="active")
    uids = [one if isinstance(one, str) else one.uid for one in members]
    return [told, *(Membership(group_uid=uid, member_uid=one) for one in uids)]


def in_three_clouds() -> list[AnyFact]:
    """What 00102 has on all platforms, and 00103, whose name is the same, on one."""
    drive = user("ichiro", "ichiro@acme.example", platform="gdrive", detail={"employee_number": "00102"})
    entra = user("ichiro", "ichiro@acme.example", platform="m365")
    aws = user("ichiro", platform="s3", detail={"employee_number": "102", "sign_in": "true"})
    private = user("ichi", "ichi@mail.example", platform="m365", kind="guest", affiliation=Affiliation.EXTERNAL)
    other = user("suzuki", "suzuki@acme.example", platform="gdrive")
    return [
        *(drive, entra, aws, private, other),
        thing("gdrive:plan"), given(drive.uid, "gdrive:plan"), given(other.uid, "gdrive:plan"),
        thing("gdrive:own", owner_uid=drive.uid), opened("gdrive:own"),
        thing("m365:site", "site"), given(private.uid, "m365:site", audience=Audience.NAMED_EXTERNAL),
        *group("m365:team", entra),
        thing("s3:bucket", "bucket"), given(aws.uid, "s3:bucket"),
    ]  # fmt: skip
