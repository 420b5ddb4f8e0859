"""Which callers one statement admits, from the widest class to the narrowest.

`AccessPathFinder` takes an Allow statement (an ACL entry is translated into one) and yields access paths. First all
that is open now, then what opens at a future moment. Within each, capability by capability (in alphabetical order), and
within one capability three steps in this order:

1. `_everyone`: callers that anyone can be. If one of them gets in, nothing narrower is reported.
2. `_through_named_networks`: anyone, from a network that the text names.
3. `_named_callers`: accounts, principals, organisations, services; external ones first. A member of something that
   already gets in as a whole is not reported again.

A path that only a Deny stops is yielded too, with `effective` False. The examples below leave out what does not matter.

Sources: Amazon S3 User Guide, "How Amazon S3 authorizes a request"; IAM User Guide, "Policy evaluation logic".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby

from cloudscan.facts import Access, Audience, Via
from cloudscan_s3.access import actions, addresses, conditions
from cloudscan_s3.access.access_path import AccessPath, Denial
from cloudscan_s3.access.actions import Action, Capability
from cloudscan_s3.access.callers import CallerClass, by_source_arn
from cloudscan_s3.access.candidates import EVERYONE, Candidates
from cloudscan_s3.access.networks import Network
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.request import applies_to
from cloudscan_s3.access.request_search import Search, Witness, could_stop
from cloudscan_s3.access.targets import CLOCK_KEYS, PolicyLayer, PolicyTarget, seen_at
from cloudscan_s3.access.unknown_conditions import opposing, suiting, unknown_conditions, without_unknown

_OPEN_FIRST = (True, None, False)
_WHOLE_KINDS = ("account", "organisation", "unique_id")
_NO_NETWORK = (Network(name="", context={}),)  # AWS services call from networks of their own


@dataclass(frozen=True, kw_only=True)
class _CapabilityGrant:
    """What a statement grants of one capability, and the searches for a caller that it admits."""

    statement: Statement
    via: Via
    capability: Capability
    access: Access
    actions: tuple[Action, ...]
    layers: tuple[PolicyLayer, ...]
    networks_complete: bool

    @cached_property
    def search(self) -> Search:
        """The search that takes what is not known as whatever suits the caller."""
        return self._search(tuple(map(suiting, self.layers)))

    @cached_property
    def search_ignoring_denials(self) -> Search:
        """The same as if there were no Deny."""
        return self._search(tuple(layer.without_denials() for layer in map(suiting, self.layers)))

    @cached_property
    def search_assuming_the_worst(self) -> Search:
        """The search that takes what is not known as whatever keeps the caller out."""
        return self._search(tuple(map(opposing, self.layers)))

    @cached_property
    def unknown_conditions(self) -> tuple[Condition, ...]:
        """Conditions that have a say, and of which it is not known whether they are met."""
        rivals = (
            one
            for layer in self.layers
            for rival in layer.statements
            if layer.must_allow or not rival.allows
            for one in unknown_conditions(rival, layer.target)
        )
        return tuple(dict.fromkeys((*unknown_conditions(self.statement, self.layers[0].target), *rivals)))

    @property
    def itself_unknown(self) -> bool:
        """Does the statement itself have such a condition?"""
        return bool(unknown_conditions(self.statement, self.layers[0].target))

    def _search(self, layers: tuple[PolicyLayer, ...]) -> Search:
        statement = without_unknown(self.statement, self.layers[0].target)
        return Search(statement, self.actions, layers, self.networks_complete)


@dataclass(frozen=True, kw_only=True)
class AccessPathFinder:
    """Finds the access paths that a statement opens through `layers`; the first layer is the statement's own."""

    layers: tuple[PolicyLayer, ...]
    candidates: Candidates

    @property
    def target(self) -> PolicyTarget:
        """The target that the statement is attached to."""
        return self.layers[0].target

    def paths(self, statement: Statement, via: Via, catalogue: Sequence[Action]) -> Iterator[AccessPath]:
        """Every path that a statement opens, now or at a future moment.

        A statement with the condition {"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}} yields its paths with
        `not_before` 2030-01-01 and `effective` False: nothing has to be changed for them to open.
        """
        yield from self._open_now(statement, via, catalogue)
        opening = _opening_moment(statement, self.target)
        if opening is not None:
            layers = tuple(layer.at(opening + timedelta(seconds=1)) for layer in self.layers)
            for path in replace(self, layers=layers)._open_now(statement, via, catalogue):
                yield replace(path, effective=False, not_before=opening.isoformat())

    def _open_now(self, statement: Statement, via: Via, catalogue: Sequence[Action]) -> Iterator[AccessPath]:
        """The paths at the moment that the layers' context states, capability by capability."""
        matching = [action for action in catalogue if actions.names_action(statement, action)]
        matching.sort(key=lambda action: (action.capability, action.access))
        for (capability, access), group in groupby(matching, key=lambda action: (action.capability, action.access)):
            yield from self._paths_for_capability(
                _CapabilityGrant(
                    statement=statement,
                    via=via,
                    capability=capability,
                    access=access,
                    actions=tuple(group),
                    layers=self.layers,
                    networks_complete=self.candidates.networks.complete,
                )
            )

    def _paths_for_capability(self, grant: _CapabilityGrant) -> Iterator[AccessPath]:
        """The three steps. If everyone gets in, the first is the last: no narrower access is reported."""
        for path in self._everyone(grant):
            yield path
            if path.effective:
                return
        admitted = self._admitted_networks(grant)
        yield from _through_named_networks(admitted)
        # Where a network admits anyone, a caller who is named elsewhere is not a wider audience for being inside it.
        open_networks = {network.name for network, path in admitted if path.effective}
        others = (network for network in self.candidates.networks.named if network.name not in open_networks)
        yield from self._named_callers(grant, (*self.candidates.networks.open_to_anyone, *others))

    def _everyone(self, grant: _CapabilityGrant) -> Iterator[AccessPath]:
        """Callers that anyone can be: unsigned ones, then any AWS account, then customers of public providers.

        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"} yields one path with the audience
        ANYONE_WITH_LINK. With {"Effect": "Deny", "Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalType":
        "Anonymous"}}} beside it, that path is latent and a second, effective one has the audience ANY_ACCOUNT. At most
        one latent path is yielded, for the widest class, and at most one effective path, which is the last. Where it is
        not known whether a class gets in, its path is yielded too.
        """
        latent = False
        for caller_class in self.candidates.everyone:
            path = self._path(grant, caller_class, self.candidates.networks.open_to_anyone)
            if path is None:
                continue
            if path.effective:
                yield path
                return
            if path.effective is None or not latent:
                yield path
            latent = latent or path.effective is False

    def _admitted_networks(self, grant: _CapabilityGrant) -> Sequence[tuple[Network, AccessPath]]:
        """Each named network from which anyone gets in (or would, but for a Deny), with the path.

        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}} gives that range, with a
        path whose audience is NAMED and whose kind is "network". Whoever sits behind an endpoint of a stranger's is
        external: {"StringEquals": {"aws:VpceAccount": "222222222222"}}.
        """
        return [
            (network, self._of_network(network, path))
            for network in self.candidates.networks.named
            if (path := self._path(grant, self.candidates.in_named_network, (network,))) is not None
        ]

    def _of_network(self, network: Network, path: AccessPath) -> AccessPath:
        """A path through a network, with whose network it is."""
        own_estate = self.candidates.literals.own_estate
        if network.account and not own_estate.owns(network.account):
            known = own_estate.knows_whose(network.account)
            return replace(path, audience=Audience.NAMED_EXTERNAL, account=network.account, affiliation_known=known)
        if network.organisation and not own_estate.is_our_organisation(network.organisation):
            known = own_estate.knows_whose_organisation(network.organisation)
            return replace(path, audience=Audience.EXTERNAL_DOMAIN, affiliation_known=known)
        return path

    def _named_callers(self, grant: _CapabilityGrant, places: Sequence[Network]) -> Iterator[AccessPath]:
        """Callers that the text names, external ones first.

        {"Principal": {"AWS": "222222222222"}} yields a path for the account. A role of that account that another
        statement names gets no path of its own through this statement: the account as a whole gets in.
        """
        admitted: set[str] = set()  # accounts, organisations and services that get in as a whole
        for caller_class in self.candidates.named:
            if not admitted.isdisjoint((caller_class.account, caller_class.name, caller_class.within)):
                continue
            path = self._path(grant, caller_class, _NO_NETWORK if _is_service(caller_class) else places)
            if path is None or (caller_class.within and not path.effective):
                continue
            yield path
            if path.effective and (caller_class.kind in _WHOLE_KINDS or caller_class.confused_deputy):
                admitted.add(caller_class.name)
            elif path.effective and caller_class.kind == "service" and not caller_class.account:
                admitted.add(by_source_arn(caller_class.name))

    def _path(self, grant: _CapabilityGrant, caller_class: CallerClass, places: Sequence[Network]) -> AccessPath | None:
        """The path of one caller class: open, or latent where only a Deny stops it; None if it is not admitted."""
        witness = grant.search.witness(caller_class.callers, places)
        denied = witness is None
        if witness is None:
            witness = grant.search_ignoring_denials.witness(caller_class.callers, places)
            if witness is None:
                return None
        unknown: tuple[Condition, ...] = ()
        if not denied and grant.unknown_conditions:
            worst = None
            if not grant.itself_unknown:
                worst = grant.search_assuming_the_worst.witness(caller_class.callers, places)
            unknown = () if worst is not None and worst.certain else grant.unknown_conditions
        effective = None if unknown or not witness.certain else not denied
        return AccessPath(
            audience=caller_class.audience,
            kind=caller_class.kind,
            names=(caller_class.name,) if caller_class.name else (),
            account=caller_class.account,
            confused_deputy=caller_class.confused_deputy,
            affiliation_known=caller_class.affiliation_known,
            access=grant.access,
            capability=grant.capability,
            actions=self._admitted_actions(grant, caller_class, places, denied=denied),
            via=grant.via,
            statement=grant.statement,
            witness=witness,
            policy_public=False,
            denied_by=self._denying_statements(witness) if denied else (),
            unknown_conditions=unknown,
            effective=effective,
        )

    def _admitted_actions(
        self, grant: _CapabilityGrant, caller_class: CallerClass, places: Sequence[Network], *, denied: bool
    ) -> tuple[str, ...]:
        """The actions for which the callers get in, or would but for a Deny."""
        search = grant.search_ignoring_denials if denied else grant.search
        kinds = search.kinds
        if len(kinds) > 1:
            kinds = [kind for kind in kinds if search.for_kind(kind).witness(caller_class.callers, places) is not None]
        admitted = {action.name for kind in kinds for action in kind}
        return tuple(action.name for action in grant.actions if action.name in admitted)

    def _denying_statements(self, witness: Witness) -> tuple[Denial, ...]:
        """The Deny statements that stop a request which gets in without them."""
        certain: list[Denial] = []
        possible: list[Denial] = []
        for layer in self.layers:
            request = seen_at(layer.target, witness.request, self.target)
            for statement in layer.statements:
                if could_stop(statement, request):
                    stops = certain if applies_to(statement, request) else possible
                    stops.append(
                        Denial(
                            statement=statement.number,
                            of_bucket_behind=layer is not self.layers[0] and not statement.control_policy,
                            control_policy=statement.control_policy,
                        )
                    )
        # Where each of them could be evaded, it is all of them together that cannot.
        return tuple(dict.fromkeys(certain or possible))


def _opening_moment(statement: Statement, target: PolicyTarget) -> datetime | None:
    """The future moment before which a statement allows nothing; None where there is none."""
    openings = [
        min((moment for value in condition.values if (moment := conditions.moment(value)) is not None), default=None)
        for condition in statement.conditions
        if condition.key in CLOCK_KEYS
        and "GreaterThan" in condition.operator
        and not conditions.is_met(condition, target.context)
    ]
    return max((opening for opening in openings if opening is not None), default=None)


def _is_service(caller_class: CallerClass) -> bool:
    return caller_class.callers[0].kind == "service"


def _through_named_networks(admitted: Sequence[tuple[Network, AccessPath]]) -> Iterator[AccessPath]:
    """One path for all networks that are open, then one for all that a Deny stops.

    {"IpAddress": {"aws:SourceIp": ["52.0.0.0/8", "54.0.0.0/8"]}} yields one path that names both ranges. Each is narrow
    enough for AWS to count as fixed, yet together they cover more than the broadest range that is: its audience is
    ANYONE_WITH_LINK, or ANY_ACCOUNT if the requests must be signed.
    """
    groups: dict[tuple[int, str], list[tuple[Network, AccessPath]]] = {}
    for network, path in admitted:
        owner = "" if path.audience is Audience.NAMED else network.name
        groups.setdefault((_OPEN_FIRST.index(path.effective), owner), []).append((network, path))
    for _, group in sorted(groups.items(), key=lambda item: item[0][0]):
        names = tuple(dict.fromkeys(name for network, _ in group for name in network.alike))
        path = group[0][1]
        audience = Audience.ANYONE_WITH_LINK if addresses.share(names) > 1 else path.audience
        if audience in EVERYONE and path.witness.request.caller.kind != "anonymous":
            audience = Audience.ANY_ACCOUNT
        yield replace(path, names=names, audience=audience)
