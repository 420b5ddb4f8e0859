"""Callers who sign in through an identity provider.

Source: IAM User Guide, "Identity providers and federation into AWS" and "Available keys for AWS web identity
federation".
"""

from collections.abc import Iterator

from cloudscan.facts import Audience
from cloudscan_s3.access.caller_set import CallerSet
from cloudscan_s3.access.callers.amazon import PUBLIC_PROVIDERS
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.forms import Form, Segment
from cloudscan_s3.access.request import account_of
from cloudscan_s3.access.shapes import Shape, fixed
from cloudscan_s3.access.texts import SOMETHING, words

_AUDIENCE_CLAIMS = ("aud", "app_id", "azp")


def identity_providers(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each provider; for a public one, two: its customers at large, and those of a named audience."""
    literals = mentioned.literals
    for principal in literals.principals:
        if principal.kind != "Federated":
            continue
        provider = principal.value
        names = frozenset({provider})
        claims = [
            key
            for key in literals.conditions
            if key.startswith(f"{provider.lower()}:") and key.endswith(_AUDIENCE_CLAIMS)
        ]
        of_others = CallerSet(kind="federated", names=names, facets=tuple(_claim(mentioned, key) for key in claims))
        of_named = tuple(
            CallerSet(
                kind="federated",
                names=names,
                facets=tuple(
                    (_shape(key, fixed(value)),) if key == claim else _claim(mentioned, key) for key in claims
                ),
            )
            for claim in claims
            for value in literals.fixed(claim)
        )
        account = account_of(provider)
        if account or provider not in PUBLIC_PROVIDERS:
            ours = bool(account) and literals.own_estate.owns(account)
            yield CallerClass(
                audience=Audience.NAMED if ours else Audience.NAMED_EXTERNAL,
                kind="federated",
                name=provider,
                callers=(of_others, *of_named),
                account=account,
            )
            continue
        yield CallerClass(audience=Audience.ANY_ACCOUNT, kind="federated", name=provider, callers=(of_others,))
        if of_named:
            yield CallerClass(audience=Audience.NAMED, kind="federated", name=provider, callers=of_named)


def _claim(mentioned: MentionedCallers, key: str) -> tuple[Shape, ...]:
    """A claim of customers whom no statement names."""
    shape = _shape(key, Segment(SOMETHING, "somebody-elses"))
    return (shape.limited(key, words(frozenset(mentioned.literals.fixed(key))), wanted=False),)


def _shape(key: str, value: Segment) -> Shape:
    return Shape(form=Form((value,), ((key, (0,)),)))
