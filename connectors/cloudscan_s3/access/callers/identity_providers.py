"""Callers who sign in through an identity provider.

Source: IAM User Guide, "Identity providers and federation into AWS" and "Available keys for AWS web identity
federation".
"""

from collections.abc import Iterator

from cloudscan.facts import Audience
from cloudscan_s3.access.callers.amazon import PUBLIC_PROVIDERS
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.request import Caller, account_of

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
        of_others = Caller(kind="federated", names=names, context=dict.fromkeys(claims, ("somebody-elses",)))
        of_named = tuple(
            Caller(kind="federated", names=names, context={**of_others.context, key: (value,)})
            for key in claims
            for value in literals.fixed(key)
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
