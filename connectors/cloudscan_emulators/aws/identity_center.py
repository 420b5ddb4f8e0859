"""An IAM Identity Center, which moto has in every account and region, without states, external ids and extensions.

Answered in moto's place, by default with none. Shapes are those of botocore's service models (sso-admin 2020-07-20,
identitystore 2020-06-15). Extensions are told only where they are asked for, and only the one that AWS supports. That a
member account is told the organisation's instance is from the API reference of ListInstances; what it may read of the
directory is not restricted here.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cloudscan_emulators.aws.around_buckets import Reply

_ENTERPRISE: Final = "aws:identitystore:enterprise"
_INSTANCES: Final = "SWBExternalService.ListInstances"
_USERS: Final = "AWSIdentityStore.ListUsers"
_MOST: Final = 100  # users on a page


@dataclass(frozen=True, kw_only=True)
class DirectoryUser:
    """A user as it was provisioned. What is empty is left out of answers."""

    id: str
    user_name: str
    display_name: str = ""
    emails: Sequence[Mapping[str, Any]] = ()  # Value, Type, Primary
    external_ids: Sequence[tuple[str, str]] = ()  # issuer and id
    title: str = ""
    user_type: str = ""
    status: str = "ENABLED"
    created: float = 0.0
    enterprise: Mapping[str, Any] = field(default_factory=dict)  # employeeNumber, department, manager …


@dataclass
class IdentityCenter:
    """The instance, the same for every account. May be changed while the server runs."""

    owner: str = ""  # the account; empty: there is no instance
    region: str = "us-east-1"
    store: str = "d-9067000000"
    users: list[DirectoryUser] = field(default_factory=list)
    page: int = _MOST

    def reply(self, target: str, body: str, region: str) -> Reply | None:
        """The answer to a request by its ``X-Amz-Target``, signed for a region; None: it is none of these."""
        if target == _INSTANCES:
            return _json({"Instances": [self._instance()] if self.owner and region == self.region else []})
        return self._users(json.loads(body or "{}"), region) if target == _USERS else None

    def _instance(self) -> Mapping[str, Any]:
        return {
            "InstanceArn": "arn:aws:sso:::instance/ssoins-1234567890abcdef",
            "IdentityStoreId": self.store,
            "OwnerAccountId": self.owner,
            "Status": "ACTIVE",
            "PrimaryRegion": self.region,
        }

    def _users(self, asked: Mapping[str, Any], region: str) -> Reply:
        if not self.owner or asked.get("IdentityStoreId") != self.store or region != self.region:
            return _refused("ResourceNotFoundException", "INSTANCE not found.")
        extensions = asked.get("Extensions") or []
        if set(extensions) - {_ENTERPRISE}:
            return _refused("ValidationException", "The extension is not supported.")
        first = int(asked.get("NextToken") or 0)
        last = first + min(int(asked.get("MaxResults") or _MOST), self.page)
        users = [self._user(user, extended=bool(extensions)) for user in self.users[first:last]]
        more = {"NextToken": str(last)} if last < len(self.users) else {}
        return _json({"Users": users, **more})

    def _user(self, user: DirectoryUser, *, extended: bool) -> Mapping[str, Any]:
        told = {
            "IdentityStoreId": self.store,
            "UserId": user.id,
            "UserArn": f"arn:aws:identitystore:::user/{user.id}",
            "Revision": "1",
            "UserName": user.user_name,
            "DisplayName": user.display_name,
            "Emails": list(user.emails),
            "ExternalIds": [{"Issuer": issuer, "Id": identity} for issuer, identity in user.external_ids],
            "Title": user.title,
            "UserType": user.user_type,
            "UserStatus": user.status,
            "CreatedAt": user.created,
            "Extensions": {_ENTERPRISE: dict(user.enterprise)} if extended and user.enterprise else {},
        }
        return {name: value for name, value in told.items() if value}


def _json(content: Mapping[str, Any]) -> Reply:
    return Reply(content_type="application/x-amz-json-1.1", body=json.dumps(content))


def _refused(code: str, message: str) -> Reply:
    content = json.dumps({"__type": code, "Message": message})
    return Reply(status="400 Bad Request", content_type="application/x-amz-json-1.1", body=content)
