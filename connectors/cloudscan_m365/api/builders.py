"""The addresses of questions to Graph, as Microsoft's own client builds them.

A path or an option that it does not know is an error, not a guess. msgraph-sdk's request builders are used, and nothing
else of it. They take about sixty microseconds a request, so what they build is kept for each question with its options;
only ids differ. They are loaded with the first question.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from cloudscan_m365 import questions as asked
from cloudscan_m365.questions import GraphQuestion

Builder = Callable[[Any, Sequence[str]], Any]
"""From Microsoft's client and the ids in a question to the builder of its request."""

_BUILDERS: Final[Mapping[str, Builder]] = {
    asked.ORGANISATION.name: lambda graph, _: graph.organization,
    asked.USERS.name: lambda graph, _: graph.users,
    asked.MANAGERS.name: lambda graph, _: graph.users,
    asked.SIGN_INS.name: lambda graph, _: graph.users,
    asked.AUDITS.name: lambda graph, _: graph.audit_logs.directory_audits,
    asked.GROUPS.name: lambda graph, _: graph.groups,
    asked.GROUP_MEMBERS.name: lambda graph, ids: graph.groups.by_group_id(ids[0]).members,
    asked.GROUP_OWNERS.name: lambda graph, ids: graph.groups.by_group_id(ids[0]).owners,
    asked.SERVICE.name: lambda graph, ids: graph.service_principals_with_app_id(ids[0]),
    asked.ASSIGNMENTS.name: lambda graph, ids: (
        graph.service_principals.by_service_principal_id(ids[0]).app_role_assigned_to
    ),
    asked.APPLICATION.name: lambda graph, ids: graph.service_principals.by_service_principal_id(ids[0]),
    asked.LABELS.name: lambda graph, _: graph.security.data_security_and_governance.sensitivity_labels,
    asked.SHARING.name: lambda graph, _: graph.admin.sharepoint.settings,
    asked.AUTHORIZATION.name: lambda graph, _: graph.policies.authorization_policy,
    asked.PARTNERS.name: lambda graph, _: graph.policies.cross_tenant_access_policy.partners,
    asked.TENANT.name: lambda graph, ids: (
        graph.tenant_relationships.find_tenant_information_by_tenant_id_with_tenant_id(ids[0])
    ),
    asked.CHANNELS.name: lambda graph, ids: graph.teams.by_team_id(ids[0]).channels,
    asked.PRIVATE_MEMBERS.name: lambda graph, ids: _channel(graph, ids).members,
    asked.SHARED_MEMBERS.name: lambda graph, ids: _channel(graph, ids).all_members,
    asked.SHARED_WITH.name: lambda graph, ids: _channel(graph, ids).shared_with_teams,
    asked.ALL_SITES.name: lambda graph, _: graph.sites.get_all_sites,
    asked.CHOSEN_SITE.name: lambda graph, ids: graph.sites.by_site_id(f"{ids[0]}:/{ids[1]}"),
    asked.SUBSITES.name: lambda graph, ids: graph.sites.by_site_id(ids[0]).sites,
    asked.DRIVES.name: lambda graph, ids: graph.sites.by_site_id(ids[0]).drives,
    asked.LISTS.name: lambda graph, ids: graph.sites.by_site_id(ids[0]).lists,
    asked.SITE_APPLICATIONS.name: lambda graph, ids: graph.sites.by_site_id(ids[0]).permissions,
    asked.SITE_APPLICATION.name: lambda graph, ids: graph.sites.by_site_id(ids[0]).permissions.by_permission_id(ids[1]),
    asked.ROOT_SITE.name: lambda graph, _: graph.sites.by_site_id("root"),
    asked.ITEMS.name: lambda graph, ids: graph.drives.by_drive_id(ids[0]).items.by_drive_item_id("root").delta,
    asked.CHANGES.name: lambda graph, ids: graph.drives.by_drive_id(ids[0]).items.by_drive_item_id("root").delta,
    asked.ITEM.name: lambda graph, ids: graph.drives.by_drive_id(ids[0]).items.by_drive_item_id(ids[1]),
    asked.CHILDREN.name: lambda graph, ids: _item(graph, ids).children,
    asked.PERMISSIONS.name: lambda graph, ids: _item(graph, ids).permissions,
    asked.FILE_LABELS.name: lambda graph, ids: _item(graph, ids).extract_sensitivity_labels,
    asked.USER.name: lambda graph, ids: graph.users.by_user_id(ids[0]),
    asked.GROUP.name: lambda graph, ids: graph.groups.by_group_id(ids[0]),
    asked.SITE.name: lambda graph, ids: graph.sites.by_site_id(ids[0]),
    asked.DRIVE.name: lambda graph, ids: graph.drives.by_drive_id(ids[0]),
}
_SHORT: Final = (("/items/root/", "/root/"), ("()", ""), ("%3A%2F", ":/"))
"""Forms of Microsoft's client, and the documented shorter ones that mean the same."""

_IN_PLACE_OF_IDS: Final = ("cloudscan-id-0", "cloudscan-id-1")
_MARK: Final = re.compile("cloudscan-id-[01]")
_LISTS: Final = frozenset({"select", "expand", "orderby"})


class Addresses:
    """Addresses after the version, by question, ids and options. May be used from any thread."""

    def __init__(self) -> None:
        self._built: dict[tuple[object, ...], Sequence[str]] = {}  # addresses, cut where the ids are
        self._client: Any = None
        self._lock = threading.Lock()

    def of(self, question: GraphQuestion, ids: Sequence[str], options: Mapping[str, object]) -> str:
        """The address of a question, such as ``users?%24top=999``. Raises `TypeError` for an unknown option."""
        key = (question.name, *options.items())
        pieces = self._built.get(key)
        if pieces is None:
            with self._lock:
                pieces = self._built[key] = _MARK.split(self._build(question, options))
        if len(pieces) == 1:
            return pieces[0]
        filled = [pieces[0]]
        for identity, piece in zip(ids, pieces[1:], strict=True):
            filled += quote(identity, safe=",!:/"), piece
        return "".join(filled)

    def _build(self, question: GraphQuestion, options: Mapping[str, object]) -> str:
        from kiota_abstractions.base_request_configuration import RequestConfiguration

        builder = _BUILDERS[question.name](self._graph(), _IN_PLACE_OF_IDS)
        request = getattr(builder, f"to_{question.method.lower()}_request_information")
        parameters = getattr(type(builder), f"{type(builder).__name__}GetQueryParameters", None)
        if options and parameters is None:
            raise TypeError(f"{question.name} takes no options")
        values = {name: _value(name, str(value)) if name in _LISTS else value for name, value in options.items()}
        configuration = RequestConfiguration(query_parameters=parameters(**values)) if parameters and values else None
        address = str(request(request_configuration=configuration).url).lstrip("/")
        for long, short in _SHORT:
            address = address.replace(long, short)
        return address

    def _graph(self) -> Any:
        """Microsoft's client, without credentials: it sends nothing."""
        if self._client is None:
            from kiota_abstractions.authentication import AnonymousAuthenticationProvider
            from msgraph import GraphServiceClient
            from msgraph.graph_request_adapter import GraphRequestAdapter

            self._client = GraphServiceClient(request_adapter=GraphRequestAdapter(AnonymousAuthenticationProvider()))
            self._client.request_adapter.base_url = ""
        return self._client


def _value(name: str, text: str) -> Sequence[str]:
    """A list as Microsoft's client takes it; what is expanded may have commas of its own."""
    return [text] if name == "expand" else text.split(",")


def _channel(graph: Any, ids: Sequence[str]) -> Any:
    return graph.teams.by_team_id(ids[0]).channels.by_channel_id(ids[1])


def _item(graph: Any, ids: Sequence[str]) -> Any:
    return graph.drives.by_drive_id(ids[0]).items.by_drive_item_id(ids[1])
