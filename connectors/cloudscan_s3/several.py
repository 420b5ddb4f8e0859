"""Several AWS profiles in one scan: organisations, single accounts, partitions, each with credentials of its own.

One that cannot be opened is a scope that failed, beside the others. All accounts of one scan are ours.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

import botocore.session
import msgspec
from botocore.exceptions import BotoCoreError

from cloudscan.connector import Cursor, Estate, Once, Permission, Scope, Yielded
from cloudscan.errors import CloudscanError, ConfigurationError, Malformed, ProviderError
from cloudscan_s3 import scopes, selection
from cloudscan_s3.connector import S3Connector
from cloudscan_s3.facts import translate
from cloudscan_s3.options import Options, by_profile
from cloudscan_s3.others import Others, together
from cloudscan_s3.permissions import PERMISSIONS

_PROFILE: Final = "profile"  # of a scope: whose credentials read it


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One profile."""

    name: str
    partition: str  # empty: not known
    options: Options
    connector: S3Connector


class SeveralProfiles:
    """Reads what each of several AWS profiles leads to."""

    name: ClassVar[str] = translate.PLATFORM
    permissions: ClassVar[Sequence[Permission]] = PERMISSIONS

    def __init__(self, options: Options, estate: Estate) -> None:
        self._others = Once[Mapping[str, Others | None]]()
        self._parts = {name: self._part(name, own, estate) for name, own in parts(options)}

    def _part(self, name: str, options: Options, estate: Estate) -> _Part:
        connector = S3Connector(options, estate, others=partial(self._others_than, name))
        return _Part(name=name, partition=_partition(options.region), options=options, connector=connector)

    def scopes(self) -> Iterable[Scope]:
        """The first scopes of all profiles, and one for each that cannot be opened.

        Raises `ConfigurationError` where none can, and where `accounts` or `skip_accounts` name what is not there.
        """
        opened: dict[str, Sequence[Scope]] = {}
        failed: dict[str, ConfigurationError] = {}
        for part in self._parts.values():
            try:
                opened[part.name] = list(part.connector.scopes())
            except ConfigurationError as error:
                failed[part.name] = error
        if not opened:
            raise next(iter(failed.values()))
        if not failed:
            self._check()
        for name, fault in failed.items():
            params = {_PROFILE: name, "error": str(fault)}
            uid = f"{self.name}:profile/{name}"
            yield Scope(uid=uid, platform=self.name, kind="profile", name=f"[profile {name}]", params=params)
        for name, first in opened.items():
            yield from (_tagged(scope, name) for scope in first)

    def collect(self, scope: Scope, since: Cursor | None) -> Iterator[Yielded]:
        """Yield all facts of a scope, with the credentials of its profile."""
        name = scope.params[_PROFILE]
        if scope.kind == "profile":
            raise Malformed("cannot-open", quote=scope.params["error"])
        for item in self._parts[name].connector.collect(scope, since):
            yield _tagged(item, name) if isinstance(item, Scope) else item

    def still_there(self, uids: Sequence[str]) -> Mapping[str, bool]:
        """What any profile finds is there; an account is gone if no profile names it, anything else if one says so."""
        answers: list[Mapping[str, bool]] = []
        for part in self._parts.values():
            try:
                answers.append(part.connector.still_there(uids))
            except CloudscanError:
                answers.append({})
        found: dict[str, bool] = {}
        for uid in uids:
            said = [answer[uid] for answer in answers if uid in answer]
            is_account = uid.startswith(translate.account_uid(""))
            if any(said) or (said and (not is_account or len(said) == len(answers))):
                found[uid] = any(said)
        return found

    def _check(self) -> None:
        """What is configured for one profile may be reached through another."""
        try:
            known = [number for part in self._parts.values() for number in part.connector.known_accounts()]
        except ProviderError:
            return  # the scopes say so
        for part in self._parts.values():
            selection.check(part.options, known)

    def _others_than(self, name: str) -> Others:
        """What is ours through the other profiles. No policy names accounts of another partition."""
        ours, own = self._others.get(self._ask_all), self._parts[name].partition
        near = [one for other, one in ours.items() if other != name and self._parts[other].partition in (own, "")]
        return together((one for one in near if one is not None), complete=None not in near)

    def _ask_all(self) -> Mapping[str, Others | None]:
        return {part.name: _ours(part.connector) for part in self._parts.values()}


def parts(options: Options) -> Iterator[tuple[str, Options]]:
    """The options of each profile: its own region before one for all, since it may be of another partition.

    Raises `ConfigurationError`.
    """
    for name, own in by_profile(options):
        region = own.region
        if region == options.region:
            with contextlib.suppress(BotoCoreError):  # opening it says what is wrong
                region = botocore.session.Session(profile=name).get_scoped_config().get("region") or region
        yield name, msgspec.structs.replace(own, region=region)


def _partition(region: str) -> str:
    try:
        return str(botocore.session.Session().get_partition_for_region(region)) if region else ""
    except BotoCoreError:
        return ""


def _ours(connector: S3Connector) -> Others | None:
    """What is ours through a profile; None where it cannot be opened."""
    try:
        return connector.ours()
    except (ConfigurationError, ProviderError):
        return None


def _tagged(scope: Scope, name: str) -> Scope:
    """The same scope with the profile that reads it."""
    params = {**scope.params, _PROFILE: name}
    if scope.uid != scopes.ORGANISATION.uid:
        return msgspec.structs.replace(scope, params=params)
    uid, called = f"{scope.uid}/{name}", f"{scope.name} ({name})"
    return msgspec.structs.replace(scope, uid=uid, name=called, params=params)
