"""Does a statement admit a class of callers? Answered by looking for one concrete request that gets through.

"Yes" comes with a witness: a request that the evaluator in `request.py` lets through and that a person can repeat. "No"
means that no combination of what the caller may choose makes a difference that the statements can see. The search:

1. Keep of the wanted actions one of each kind that the statements tell apart.
2. For each caller and each network, collect the keys that they settle (`Situation`). Skip the pair if the statement
   does not name the caller, if a condition on a settled key fails, or if the statements saw an equal pair before.
3. Sort the Deny statements for this pair: those that stop it whatever the caller chooses, those that some choice may
   evade, and those that cannot apply.
4. For each action and each resource worth trying, skip the resource if a Deny of the first sort covers it.
5. Choose values for the free keys, one key after the other, depth first. A Deny is evaluated as soon as the last key
   that it depends on has been chosen; where it applies, the search turns back.
6. The first complete choice that the statement and every layer allow is the witness.

Example: {"Allow": s3:GetObject on b/*, if aws:Referer is like "https://a/*"} and {"Deny": s3:* on b/secret/*}. The
caller: unsigned, from an address that is not mentioned. Settled: aws:SourceIp, aws:PrincipalType, …; free: aws:Referer.
The Deny depends on no free key, so it stops what it covers: of the resources b/any-object, b/secret/any-object, …
the first is not covered. Choices for aws:Referer that the condition allows: "https://a/x", "https://a/". The first one
passes: GET b/any-object with that referer is the witness.

How much is tried is bounded (`request_values.Bounds`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cloudscan_s3.access import actions, conditions
from cloudscan_s3.access.actions import LISTINGS, Action
from cloudscan_s3.access.conditions import Context
from cloudscan_s3.access.networks import Network
from cloudscan_s3.access.policy import Statement
from cloudscan_s3.access.request import Caller, Request, admits, allowed, applies_to, covers
from cloudscan_s3.access.request_values import BOUNDS, Choice, choices, open_variables, refers, resources
from cloudscan_s3.access.situation import Situation
from cloudscan_s3.access.targets import PolicyLayer, PolicyTarget, seen_at


@dataclass(frozen=True, kw_only=True)
class Witness:
    """A request that gets through."""

    request: Request
    network: Network
    certain: bool = True  # False: more combinations than `Bounds` allows; taken to get in


@dataclass(frozen=True)
class Search:
    """The search for a request that `statement` allows and that every layer lets pass.

    The first layer is the statement's own.
    """

    statement: Statement
    wanted: Sequence[Action]
    layers: Sequence[PolicyLayer]

    def witness(self, callers: Sequence[Caller], networks: Sequence[Network]) -> Witness | None:
        """The first request found from one of these callers in one of these networks; None if there is none."""
        seen: set[object] = set()
        for caller in callers:
            if not self._actions or not admits(self.statement, caller):
                continue
            for network in networks:
                context = {**self._target.context, **network.context, **caller.context}
                situation = Situation(caller=caller, context=context, target=self._target)
                if not self._settled_conditions_hold(situation):
                    continue
                fingerprint = self._view.fingerprint(situation)
                if fingerprint in seen:
                    continue
                seen.add(fingerprint)
                for request, evadable in self._requests(situation):
                    witness = self._choose(request, network, situation, evadable)
                    if witness is not None:
                        return witness
        return None

    @property
    def _target(self) -> PolicyTarget:
        return self.layers[0].target

    @cached_property
    def _rivals(self) -> tuple[Statement, ...]:
        """The other statements that have a say: every Deny, and the Allows of layers that must allow."""
        return tuple(
            rival for layer in self.layers for rival in layer.statements if layer.must_allow or not rival.allows
        )

    @cached_property
    def _denials(self) -> Sequence["_Denial"]:
        return [_Denial(layer, denial) for layer in self.layers for denial in layer.statements if not denial.allows]

    @cached_property
    def _actions(self) -> Sequence[Action]:
        """Of the wanted actions that the statement names, one of each kind that the rivals tell apart."""
        kinds: dict[object, Action] = {}
        for action in self.wanted:
            if actions.names_action(self.statement, action):
                named_by = tuple(actions.names_action(rival, action) for rival in self._rivals)
                kind = (action.on_objects, action.name in LISTINGS, action.capability, named_by)
                kinds.setdefault(kind, action)
        return list(kinds.values())

    @cached_property
    def _view(self) -> "_View":
        return _View((self.statement, *self._rivals))

    def _settled_conditions_hold(self, situation: Situation) -> bool:
        """Cheap refusal: a condition on a key that the caller cannot choose is not met."""
        return all(
            conditions.is_met(condition, situation.context, self.statement.variables)
            for condition in self.statement.conditions
            if not situation.may_choose(condition.key)
            if not refers(condition)
        )

    def _requests(self, situation: Situation) -> Iterator[tuple[Request, Sequence["_Denial"]]]:
        """Requests without the chosen keys, each with the denials that the choice has to evade."""
        evadable, unavoidable = self._sorted_denials(situation)
        tried: dict[bool, list[str]] = {}
        for action in self._actions:
            if action.on_objects not in tried:
                tried[action.on_objects] = list(resources(self.statement, self._rivals, action, situation))
            stops = [denial for denial in unavoidable if denial.names(action)]
            evading = [denial for denial in evadable if denial.names(action)]
            for resource in tried[action.on_objects]:
                request = Request(caller=situation.caller, action=action, resource=resource, context=situation.context)
                if not any(denial.covers(request, self._target) for denial in stops):
                    yield request, evading

    def _sorted_denials(self, situation: Situation) -> tuple[Sequence["_Denial"], Sequence["_Denial"]]:
        """The denials that a choice of the caller's may evade, and those that apply whatever the caller chooses.

        Those that cannot apply are in neither.
        """
        evadable: list[_Denial] = []
        unavoidable: list[_Denial] = []
        for denial in self._denials:
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
        relevant = [self.statement, *(denial.statement for denial in denials)]
        relevant += [allow for layer in self.layers if layer.must_allow for allow in layer.statements if allow.allows]
        plan = _plan(choices(self.statement, relevant, situation, request.action), denials)
        stack: list[tuple[int, Context]] = [(0, situation.context)]
        tries = 0
        while stack:
            chosen, context = stack.pop()
            candidate = Request(
                caller=request.caller, action=request.action, resource=request.resource, context=context
            )
            if any(denial.applies_to(candidate, self._target) for denial in plan.due[chosen]):
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
            tries += 1
            if tries >= BOUNDS.combinations:
                return Witness(request=request, network=network, certain=False)
        return None

    def _passes(self, request: Request) -> bool:
        """Do the statement and every layer that must allow say yes to a complete request?"""
        return applies_to(self.statement, request) and all(
            allowed(layer.statements, seen_at(layer.target, request, self._target))
            for layer in self.layers
            if layer.must_allow
        )


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
