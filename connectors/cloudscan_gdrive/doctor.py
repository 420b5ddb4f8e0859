"""What `cloudscan doctor` checks before a scan of Google Drive."""

from collections.abc import Iterator
from typing import Any

from cloudscan.connector import Check, Estate
from cloudscan.errors import AccessDenied, CloudscanError
from cloudscan.http import Patience, Web
from cloudscan.sentence import Sentence, joined, say
from cloudscan_gdrive.api.client import Google, Method, connect
from cloudscan_gdrive.api.models import (
    About,
    Activities,
    Domains,
    Groups,
    GroupSettings,
    Policies,
    SharedDrives,
    Units,
    Users,
)
from cloudscan_gdrive.options import Options
from cloudscan_gdrive.permissions import DRIVE, PREFIX


def checks(options: Options, _estate: Estate) -> Iterator[Check]:
    """Check the credentials, then try each permission that a scan needs with a real request."""
    admin, customer = options.admin, options.customer
    try:
        google = connect(options, Web(patience=Patience(attempts=2, timeout=20.0)))
        me = google.ask(About, google.about, admin, fields="user(emailAddress)").user
    except CloudscanError as error:
        yield Check(ok=False, what=say("gdrive: credentials"), remedy=_remedy(error, f"{PREFIX}{DRIVE[0]}"))
        return
    yield Check(ok=True, what=say("gdrive: acts as {email}", email=me.email_address))
    if not admin:
        yield Check(ok=True, what=say("gdrive: no administrator is configured, so only this user's own drive is read"))
        return
    questions: list[tuple[Sentence, type[Any], Method, dict[str, Any]]] = [
        (say("users"), Users, google.users, {"customer": customer, "maxResults": 1}),
        (say("groups"), Groups, google.groups, {"customer": customer, "maxResults": 1}),
        (say("domains"), Domains, google.domains, {"customer": customer}),
        (say("org units"), Units, google.units, {"customerId": customer}),
        (say("shared drives"), SharedDrives, google.drives, {"useDomainAdminAccess": True, "pageSize": 1}),
        (say("sharing settings"), Policies, google.policies, {"pageSize": 1}),
    ]
    if options.audit_days > 0:
        log = {"userKey": "all", "applicationName": "drive", "eventName": "change_user_access", "maxResults": 1}
        questions.append((say("the Drive log"), Activities, google.activities, log))
    if options.group_settings:
        questions += _joining(google, options)
    for name, wanted, method, parameters in questions:
        try:
            google.ask(wanted, method, admin, **parameters)
        except CloudscanError as error:
            yield Check(ok=False, what=say("gdrive: {name}", name=name), remedy=_remedy(error, method.needs))
        else:
            yield Check(ok=True, what=say("gdrive: {name} can be read", name=name))


def _joining(google: Google, options: Options) -> list[tuple[Sentence, type[Any], Method, dict[str, Any]]]:
    """Who may join a group, tried on the first group; nothing where there is none, or where groups cannot be read."""
    try:
        groups = google.ask(Groups, google.groups, options.admin, customer=options.customer, maxResults=1).groups
    except CloudscanError:
        return []
    of_first = [{"groupUniqueId": group.email} for group in groups[:1]]
    return [(say("settings of groups"), GroupSettings, google.group_settings, parameters) for parameters in of_first]


def _remedy(error: CloudscanError, needs: str) -> Sentence:
    if isinstance(error, AccessDenied) and error.needs:
        return say(
            "{error} Needs {needs}; `cloudscan permissions --connector gdrive --format policy` prints what to "
            "enter in the Admin console under Security, API controls, Domain-wide delegation.",
            error=error,
            needs=needs,
        )
    return joined((error,))
