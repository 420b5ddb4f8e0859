"""The members of each organisation that is named."""

from collections.abc import Iterator

from cloudscan.facts import Audience
from cloudscan_s3.access.callers.caller_class import CallerClass
from cloudscan_s3.access.callers.mentioned import MentionedCallers
from cloudscan_s3.access.shapes import fixed, organisation


def organisations(mentioned: MentionedCallers) -> Iterator[CallerClass]:
    """One class for each organisation: its members in accounts that are not named, wherever they are in it."""
    own_estate = mentioned.literals.own_estate
    for name in mentioned.organisations:
        ours = own_estate.is_our_organisation(name)
        yield CallerClass(
            audience=Audience.ORGANISATION if ours else Audience.EXTERNAL_DOMAIN,
            kind="organisation",
            name=name,
            affiliation_known=own_estate.knows_whose_organisation(name),
            callers=(mentioned.members((organisation(fixed(name)),)),),
        )
