"""Does a statement admit a set of callers? Answered with a request that gets through, or with the proof that none does.

"Yes" comes with a witness: a request that the evaluator in `request.py` lets through and that a person can repeat. "No"
means that of everything that the statements can tell apart one example was tried, and that none got through: callers
(`members.py`), networks (`networks.py`), objects and the keys that a caller may choose (`request_values.py`). Where it
is not certain that each class had its example, the answer is neither: a witness that is not `certain`. The search:

1. Keep of the wanted actions one of each kind that the statements tell apart.
2. For each set of callers, take one caller of each class that the statement may admit.
3. For each caller and each network, collect the keys that they settle (`Situation`). Skip the pair if a condition on a
   settled key fails, or if the statements saw an equal pair before.
4. Sort the Deny statements for this pair: those that stop it whatever the caller chooses, those that some choice may
   evade, and those that cannot apply.
5. For each action and each class of resources, skip the resource if a Deny of the first sort covers it.
6. Choose values for the free keys, one key after the other, depth first. A Deny is evaluated as soon as the last key
   that it depends on has been chosen; where it applies, the search turns back.
7. The first complete choice that the statement and every layer allow is the witness.

Example. {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "b/*", "Condition": {"ArnLike":
{"aws:PrincipalArn": "arn:aws:iam::*:role/n*"}}} and {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource":
"b/*", "Condition": {"StringNotLike": {"aws:PrincipalArn": "*backup*"}}}. The callers: principals of accounts that no
statement mentions. A role is spelled as account, path, name, id and session; its ARN is a reading of the first three.
Read by both patterns at once, the spellings fall into classes; the Deny concerns nothing but the ARN, so only the class
that fits both patterns is of use, and the shortest role in it is role/nbackup in account 999999999999. Users, whose ARN
says :user/, have no such class. Nothing else is free: GET b/any-object by that role is the witness. Had the Deny said
"*:user/backup", the class would have been empty for roles and users alike. That is the proof that nobody gets in.

A policy variable in a condition relates two keys. One is chosen, the other compared with it; since not all choices can
be tried, a search that finds nothing is repeated with every such condition taken as met and every such Deny as evaded.
If that finds nothing either, it is proven that nobody gets in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from cloudscan_s3.access import actions, conditions
from cloudscan_s3.access.actions import LISTINGS, Action
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.forms import Classes
from cloudscan_s3.access.members import Asked, members
from cloudscan_s3.access.networks import Network
from cloudscan_s3.access.policy import Condition, Statement
from cloudscan_s3.access.request import Caller, Request, admits, allowed, applies_to, covers
from cloudscan_s3.access.request_values import BOUNDS, Choice, choices, open_variables, refers, resources
from cloudscan_s3.access.situation import Situation
from cloudscan_s3.access.targets import PolicyLayer, PolicyTarget, seen_at


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A request that gets through."""

    request: Request
    network: Network
    certain: bool = True  # False: nothing got through, yet not everything that could was tried


@dataclass(frozen=True)
class Search:
    """The search for a request that `statement` allows and that every layer lets pass.

    The first layer is the statement's own. `networks_complete`: the networks to try are all that can be distinguished.
    """

    statement: Statement
    wanted: Sequence[Action]
    layers: Sequence[PolicyLayer]
    networks_complete: bool = True

    def witness(self, callers: Sequence[CallerSet], networks: Sequence[Network]) -> Witness | None:
        """The first request found from one of these callers in one of these networks; None if there can be none."""
        attempt = _Attempt(self, callers, networks)
        witness = attempt.witness()
        if witness is not None or attempt.example is None:
            return witness
        if not attempt.complete:
            return attempt.example
        if self._relates_keys and self._relaxed.witness(callers, networks) is not None:
            return attempt.example
        return None

    def for_kind(self, kind: Sequence[Action]) -> "Search":
        """The same search for some of the actions."""
        return replace(self, wanted=kind)

    @property
    def target(self) -> PolicyTarget:
        """What the statement is attached to."""
        return self.layers[0].target

    @cached_property
    def kinds(self) -> Sequence[Sequence[Action]]:
        """The wanted actions that the statement names, by the kinds that the other statements tell apart."""
        kinds: dict[object, list[Action]] = {}
        for action in self.wanted:
            if actions.names_action(self.statement, action):
                named_by = tuple(actions.names_action(rival, action) for rival in self.rivals)
                kind = (action.on_objects, action.name in LISTINGS, action.capability, named_by)
                kinds.setdefault(kind, []).append(action)
        return list(kinds.values())

    @cached_property
    def rivals(self) -> tuple[Statement, ...]:
        """The other statements that have a say: every Deny, and the Allows of layers that must allow."""
        return tuple(rival for _, rival in self.placed_rivals)

    @cached_property
    def placed_rivals(self) -> Sequence[tuple[PolicyTarget, Statement]]:
        """The same, each with the target that it is attached to."""
        return [
            (layer.target, rival)
            for layer in self.layers
            for rival in layer.statements
            if layer.must_allow or not rival.allows
        ]

    @cached_property
    def denials(self) -> Sequence["_Denial"]:
        """Every Deny."""
        return [_Denial(layer, denial) for layer in self.layers for denial in layer.statements if not denial.allows]

    @cached_property
    def asked(self) -> Asked:
        """What the statements ask of a caller."""
        concerned = [rival for rival in self.rivals if any(actions.names_action(rival, kind[0]) for kind in self.kinds)]
        decisive = [denial.statement for denial in self.denials if self._is_decisive(denial)]
        return Asked(statement=self.statement, rivals=concerned, decisive=decisive, context=self.target.context)

    @cached_property
    def view(self) -> "_View":
        """What the statements can see of a caller and a network."""
        return _View((self.statement, *self.rivals))

    def _is_decisive(self, denial: "_Denial") -> bool:
        """Does a Deny stop everything that is wanted, of every caller, wherever its one condition holds?"""
        statement = denial.statement
        return (
            len(statement.conditions) == 1
            and not statement.not_principal
            and any(principal.value == "*" for principal in statement.principals if principal.kind == "AWS")
            and all(denial.names(kind[0]) for kind in self.kinds)
            and not statement.not_resource
            and all(denial.layer.target.is_covered(statement.resources, kind[0].on_objects) for kind in self.kinds)
        )

    @cached_property
    def _relates_keys(self) -> bool:
        return any(_relates_keys(statement, self.target) for statement in (self.statement, *self.rivals))

    @cached_property
    def _relaxed(self) -> "Search":
        """The same search with every policy variable taken as whatever suits the caller."""
        layers = [
            replace(
                layer,
                statements=tuple(
                    _relaxed(statement, self.target)
                    for statement in layer.statements
                    if statement.allows or not _relates_keys(statement, self.target)
                ),
            )
            for layer in self.layers
        ]
        return replace(self, statement=_relaxed(self.statement, self.target), layers=layers)


class _Attempt:
    """One run of a search."""

    def __init__(self, search: Search, callers: Sequence[CallerSet], networks: Sequence[Network]) -> None:
        self.complete = True
        self.example: Witness | None = None  # a request that shows what was tried, whether it gets through or not
        self._search = search
        self._callers = callers
        self._tries = 0  # complete combinations of chosen values
        self._networks = networks

    def witness(self) -> Witness | None:
        """The first request that gets through."""
        seen: set[object] = set()
        for caller in self._admitted():
            for network in self._networks:
                context = {**self._search.target.context, **network.context, **caller.context}
                situation = Situation(caller=caller, context=context, target=self._search.target)
                if not self._settled_conditions_hold(situation):
                    continue
                fingerprint = self._search.view.fingerprint(situation)
                if fingerprint in seen:
                    continue
                seen.add(fingerprint)
                if len(seen) > BOUNDS.situations or self._tries >= BOUNDS.combinations:
                    self.complete = False
                    return None
                witness = self._from(situation, network)
                if witness is not None:
                    return witness
        return None

    def _admitted(self) -> Iterator[Caller]:
        """One caller of each class, as far as the statement names it; those first that the statement asks for."""
        if not self._search.kinds:
            return
        statement, asked = self._search.statement, self._search.asked
        self.complete = self._search.networks_complete
        for callers in self._callers:
            if callers.kind != "principal" and not admits(statement, Caller(kind=callers.kind, names=callers.names)):
                continue
            for others_asked in (False, True):
                drawn = members(callers, asked if others_asked else replace(asked, rivals=()))
                if self.example is None and (drawn.callers or not drawn.complete):
                    self._remember(drawn.callers[0] if drawn.callers else callers.example())
                yield from (caller for caller in drawn.callers if admits(statement, caller))
                if not asked.rivals or (drawn.complete and not drawn.callers):
                    break
            self.complete = self.complete and drawn.complete

    def _remember(self, caller: Caller) -> None:
        target = self._search.target
        action = self._search.kinds[0][0]
        network = self._networks[0] if self._networks else Network(name="", context={})
        request = Request(
            caller=caller,
            action=action,
            resource=target.objects + (target.key or "any-object") if action.on_objects else target.root,
            context={**target.context, **network.context, **caller.context},
        )
        self.example = Witness(request=request, network=network, certain=False)

    def _settled_conditions_hold(self, situation: Situation) -> bool:
        """Cheap refusal: a condition on a key that the caller cannot choose is not met."""
        statement = self._search.statement
        return all(
            conditions.is_met(condition, situation.context, statement.variables)
            for condition in statement.conditions
            if not situation.may_choose(condition.key)
            if not refers(condition)
        )

    def _from(self, situation: Situation, network: Network) -> Witness | None:
        """A request of this caller in this network that gets through."""
        evadable, unavoidable = self._sorted_denials(situation)
        tried: dict[bool, Classes] = {}
        for action in (kind[0] for kind in self._search.kinds):
            if action.on_objects not in tried:
                tried[action.on_objects] = resources(
                    self._search.statement, self._search.placed_rivals, action, situation
                )
            self.complete = self.complete and tried[action.on_objects].complete
            stops = [denial for denial in unavoidable if denial.names(action)]
            evading = [denial for denial in evadable if denial.names(action)]
            for (resource,) in tried[action.on_objects].spellings:
                request = Request(caller=situation.caller, action=action, resource=resource, context=situation.context)
                if not any(denial.covers(request, self._search.target) for denial in stops):
                    witness = self._choose(request, network, situation, evading)
                    if witness is not None:
                        return witness
        return None

    def _sorted_denials(self, situation: Situation) -> tuple[Sequence["_Denial"], Sequence["_Denial"]]:
        """The denials that a choice of the caller's may evade, and those that apply whatever the caller chooses.

        Those that cannot apply are in neither.
        """
        evadable: list[_Denial] = []
        unavoidable: list[_Denial] = []
        for denial in self._search.denials:
            statement = denial.statement
            if not admits(statement, situation.caller):
                continue
            context = {**situation.context, **denial.layer.target.context}
            there = Situation(caller=situation.caller, context=context, target=denial.layer.target)
            if any(there.may_choose(key) for key in denial.condition_keys):
                evadable.append(denial)
            elif all(conditions.is_met(condition, context, statement.variables) for condition in statement.conditions):
                # A variable in a Resource may still be the caller's to choose.
                (evadable if open_variables((statement,), there) else unavoidable).append(denial)
        return evadable, unavoidable

    def _choose(
        self, request: Request, network: Network, situation: Situation, denials: Sequence["_Denial"]
    ) -> Witness | None:
        """Try what the caller may choose, key by key, and turn back as soon as a denial applies."""
        search = self._search
        relevant = [search.statement, *(denial.statement for denial in denials)]
        relevant += [allow for layer in search.layers if layer.must_allow for allow in layer.statements if allow.allows]
        chosen_from = choices(search.statement, relevant, situation, request.action)
        self.complete = self.complete and chosen_from.complete
        plan = _plan(chosen_from.by_key, denials)
        stack: list[tuple[int, Context]] = [(0, situation.context)]
        while stack:
            chosen, context = stack.pop()
            candidate = replace(request, context=context)
            if any(denial.applies_to(candidate, search.target) for denial in plan.due[chosen]):
                continue
            if chosen < len(plan.keys):
                key = plan.keys[chosen]
                stack += [
                    (chosen + 1, {**context, key: choice} if choice is not None else context)
                    for choice in reversed(plan.choices[key])
                ]
                continue
            if self._passes(candidate):
                return Witness(request=candidate, network=network)
            self._tries += 1
            if self._tries >= BOUNDS.combinations:
                self.complete = False
                return None
        return None

    def _passes(self, request: Request) -> bool:
        """Do the statement and every layer that must allow say yes to a complete request?"""
        search = self._search
        return applies_to(search.statement, request) and all(
            allowed(layer.statements, seen_at(layer.target, request, search.target))
            for layer in search.layers
            if layer.must_allow
        )


def _relates_keys(statement: Statement, target: PolicyTarget) -> bool:
    """Does a statement compare two keys of a request of which neither is the target's own?"""
    if not statement.variables:
        return False
    texts = [*statement.resources, *(value for each in statement.conditions if each.refers for value in each.values)]
    names = (name for text in texts if "${" in text for name in conditions.variables_in(text))
    return any(name not in target.context for name in names)


def _relaxed(statement: Statement, target: PolicyTarget) -> Statement:
    """A statement as if the keys that its conditions compare had suitable values, as far as a request carries them."""
    return replace(
        statement,
        conditions=tuple(kept for condition in statement.conditions for kept in _as_if_it_fitted(condition, target)),
        resources=tuple(map(conditions.with_wildcards, statement.resources)),
    )


def _as_if_it_fitted(condition: Condition, target: PolicyTarget) -> tuple[Condition, ...]:
    """What is left of a condition if its policy variables suit the caller: a comparison still needs its key.

    {"StringEquals": {"aws:PrincipalTag/team": "${aws:username}"}} keeps out callers without any tag.
    """
    if all(name in target.context for name in conditions.variables_of(condition)):
        return (condition,)
    return conditions.key_presence(condition)


def could_stop(statement: Statement, request: Request) -> bool:
    """Is this a Deny that names such a request's caller and action, whatever its conditions say?"""
    return (
        not statement.allows and admits(statement, request.caller) and actions.names_action(statement, request.action)
    )


@dataclass(frozen=True)
class _Denial:
    """A Deny statement in its layer, which sees a request under its own target's name of the resource."""

    layer: PolicyLayer
    statement: Statement

    @cached_property
    def condition_keys(self) -> frozenset[str]:
        """The keys on which the statement's conditions depend."""
        values = (value for condition in self.statement.conditions if condition.refers for value in condition.values)
        names = (name for value in values for name in conditions.variables_in(value))
        return frozenset((*(condition.key for condition in self.statement.conditions), *names))

    @cached_property
    def keys(self) -> frozenset[str]:
        """All the keys on which the statement depends, those in its Resource element included."""
        in_resources = (name for text in self.statement.resources for name in conditions.variables_in(text))
        return self.condition_keys.union(in_resources)

    def names(self, action: Action) -> bool:
        return actions.names_action(self.statement, action)

    def covers(self, request: Request, origin: PolicyTarget) -> bool:
        seen = seen_at(self.layer.target, request, origin)
        return covers(self.statement, seen.resource, seen.context)

    def applies_to(self, request: Request, origin: PolicyTarget) -> bool:
        return applies_to(self.statement, seen_at(self.layer.target, request, origin))


@dataclass(frozen=True)
class _Plan:
    """In which order keys are chosen, and which denials can be evaluated after each choice."""

    keys: Sequence[str]
    choices: Mapping[str, Sequence[Choice]]
    due: Sequence[Sequence[_Denial]]  # due[n]: the last key that the denial depends on is the n-th chosen


def _plan(choices_by_key: Mapping[str, Sequence[Choice]], denials: Iterable[_Denial]) -> _Plan:
    """Denials that depend on the fewest choices come first, so that each is evaluated as early as possible."""
    by_breadth = sorted(
        ((denial.keys & choices_by_key.keys(), denial) for denial in denials), key=lambda pair: len(pair[0])
    )
    keys = list(dict.fromkeys((*(key for needed, _ in by_breadth for key in sorted(needed)), *choices_by_key)))
    due: list[list[_Denial]] = [[] for _ in range(len(keys) + 1)]
    for needed, denial in by_breadth:
        due[max((keys.index(key) + 1 for key in needed), default=0)].append(denial)
    return _Plan(keys, choices_by_key, due)


class _View:
    """What a set of statements can see of a caller and a network."""

    def __init__(self, statements: Sequence[Statement]) -> None:
        self._statements = statements
        all_conditions = [condition for statement in statements for condition in statement.conditions]
        compared = {condition.key for condition in all_conditions if condition.refers}
        self._visible_keys = sorted(_variables(statements) | compared)

    def fingerprint(self, situation: Situation) -> object:
        """Two situations with the same fingerprint get the same answers, whatever their callers choose."""
        caller, context = situation.caller, situation.context
        verdicts = tuple(
            (
                admits(statement, caller),
                *(
                    conditions.is_met(condition, context, statement.variables)
                    for condition in statement.conditions
                    if not situation.may_choose(condition.key)
                ),
            )
            for statement in self._statements
        )
        claims = tuple(sorted(caller.context)) if caller.kind == "federated" else ()
        visible = tuple(context.get(key) for key in self._visible_keys)
        return caller.kind, claims, "aws:sourcevpce" in context, verdicts, visible


def _variables(statements: Iterable[Statement]) -> set[str]:
    """The keys that policy variables of these statements refer to."""
    texts = [text for statement in statements for text in statement.resources]
    texts += [
        value
        for statement in statements
        for condition in statement.conditions
        if condition.refers
        for value in condition.values
    ]
    return {name for text in texts if "${" in text for name in conditions.variables_in(text)}
