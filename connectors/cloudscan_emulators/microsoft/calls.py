"""One parsed request to Graph, and the pages of an answer."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from cloudscan_emulators.kit.local_server import Answer, Request
from cloudscan_emulators.microsoft import errors, filters, ids, odata
from cloudscan_emulators.microsoft.odata import Json, Options
from cloudscan_emulators.microsoft.signin import Token

Resource = TypeVar("Resource")
Result = str | Json | Answer


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request with its route's values, its query options and the caller's token."""

    request: Request
    path: str  # after /v1.0, as the client wrote it
    values: Mapping[str, str] = field(default_factory=dict)
    options: Options
    token: Token

    @property
    def service(self) -> str:
        """The base address of links in answers."""
        return f"{self.request.base}/v1.0"

    @property
    def address(self) -> str:
        """The address of the request, without its query."""
        return f"{self.service}{self.path}"

    def context(self, what: str) -> str:
        """The OData context of an answer."""
        return f"{self.service}/$metadata#{what}"

    def may(self, *roles: str) -> bool:
        """Whether the caller has one of these application permissions."""
        return not self.token.roles.isdisjoint(roles)

    def prefers(self, what: str) -> bool:
        """Whether a Prefer header asks for it."""
        preferences = self.request.header("prefer").lower().replace(";", ",").split(",")
        return what in (preference.strip() for preference in preferences)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How a list of resources behaves."""

    kind: str  # the type's name in the schema
    view: Callable[[Any], Json]
    context: str
    default: int = 100
    most: int = 999
    allowed: filters.Allowed = field(default_factory=dict)
    expansions: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    advanced: bool = False  # ne and not need ConsistencyLevel: eventual
    pages_at: str = ""  # the address of the next page, where that differs
    capped: bool = False


def collection(call: Call, shape: Shape, resources: Sequence[Resource]) -> Json:
    """A page of a list, in the order of the list, with a link to the next page."""
    options = call.options
    if options.skip:
        raise errors.bad("'$skip' is not supported by the service.", "Request_UnsupportedQuery")
    names = odata.wanted(options, shape.kind)
    test = _test(call, shape)
    size = options.size(shape.default, shape.most, capped=shape.capped)
    search = (shape.pages_at or call.path, options.filter, options.select)
    start = skipped(options.skiptoken, search)
    views: list[Json] = []
    index = start
    while index < len(resources) and len(views) < size:
        view = shape.view(resources[index])
        if test is None or test(view):
            views.append(expanded(call, shape, resources[index], odata.trimmed(view, names)))
        index += 1
    body: Json = {"@odata.context": call.context(shape.context)}
    if options.count:
        body["@odata.count"] = sum(test is None or test(shape.view(resource)) for resource in resources)
    if index < len(resources):
        address = f"{call.service}{shape.pages_at}" if shape.pages_at else call.address
        body["@odata.nextLink"] = f"{address}?{options.query(**{'$skiptoken': skip_token(index, search)})}"
    body["value"] = views
    return body


def single(call: Call, shape: Shape, resource: Resource) -> Json:
    """One resource."""
    names = odata.wanted(call.options, shape.kind)
    view = expanded(call, shape, resource, odata.trimmed(shape.view(resource), names))
    return {"@odata.context": call.context(f"{shape.context}/$entity"), **view}


def expanded(call: Call, shape: Shape, resource: Resource, view: Json) -> Json:
    """A resource's view with the relationships that are asked for. Unknown ones are refused."""
    for name, inner in call.options.expand.items():
        expand = shape.expansions.get(name)
        if expand is None:
            message = (
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                f"'microsoft.graph.{shape.kind}' that can be expanded."
            )
            raise errors.bad(message)
        related = expand(resource)
        if related is None:
            continue  # left out, as a relationship to one object is where there is none (guessed)
        view = {
            **view,
            name: [_inner(entry, inner) for entry in related] if isinstance(related, list) else _inner(related, inner),
        }
    return view


def skip_token(at: int, search: Iterable[object]) -> str:
    """A token for the page that starts at an index of this search."""
    return ids.packed(f"{at}:{ids.digest(search)}")


def skipped(text: str, search: Iterable[object]) -> int:
    """The index at which a page starts; a token of another search is refused."""
    if not text:
        return 0
    try:
        at, _, digest = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        start = int(at)
    except (ValueError, binascii.Error):
        raise errors.bad_page() from None
    if digest != str(ids.digest(search)):
        raise errors.bad_page()
    return start


def _test(call: Call, shape: Shape) -> filters.Test | None:
    if not call.options.filter:
        return None
    read = filters.read(call.options.filter, shape.allowed)
    eventual = call.request.header("consistencylevel").lower() == "eventual" and call.options.count
    if shape.advanced and read.advanced and not eventual:
        raise errors.unsupported_filter(min(read.paths, default=""))
    activity = {path for path in read.paths if path.startswith("signInActivity")}
    if activity and activity != read.paths:
        raise errors.unsupported_filter("signInActivity")
    return read.test


def _inner(view: Json | None, select: tuple[str, ...]) -> Json | None:
    if view is None or not select:
        return view
    return {name: value for name, value in view.items() if name in select or "@" in name}
