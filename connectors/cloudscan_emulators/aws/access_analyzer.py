"""IAM Access Analyzer's external access analyzers, which moto lacks: by default an account that has none.

It analyses nothing: a test says what an analyzer found. Sources: botocore's model accessanalyzer 2019-11-01 (members,
errors, one to twenty values of a criterion); IAM User Guide, "IAM Access Analyzer filter keys" (which keys ListFindings
takes); its API reference (ListFindings answers for external access alone). Guessed: the size of a page, the
codes of a refused filter, and that a token is bound to its parameters.
"""

import hashlib
import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from cloudscan_emulators.aws.around_buckets import Reply

SERVICE: Final = "access-analyzer"
"""As requests are signed."""
_TYPES: Final = tuple(
    f"{whose}{what}" for whose in ("ACCOUNT", "ORGANIZATION") for what in ("", "_UNUSED_ACCESS", "_INTERNAL_ACCESS")
)
_EXTERNAL: Final = ("ACCOUNT", "ORGANIZATION")
_KEYS: Final = frozenset(("resource", "resourceType", "resourceOwnerAccount", "isPublic", "status", "error", "id"))
_FURTHER_KEYS: Final = re.compile(r"(principal|condition)\.[\w:.-]+")
_CRITERIA: Final = frozenset(("eq", "neq", "contains", "exists"))
_MOST_VALUES: Final = 20
_ARN: Final = re.compile(r"[^:]*:[^:]*:[^:]*:[^:]*:[^:]*:analyzer/.{1,255}")
_LONG_AGO: Final = datetime(2024, 1, 1, tzinfo=UTC)
Json = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Analyzer:
    """An analyzer of an account, in one Region."""

    name: str
    account: str
    region: str = "us-east-1"
    type: str = "ACCOUNT"
    status: str = "ACTIVE"
    created_on: datetime = _LONG_AGO

    @property
    def arn(self) -> str:
        """What ListFindings is asked with."""
        return f"arn:aws:access-analyzer:{self.region}:{self.account}:analyzer/{self.name}"


@dataclass(frozen=True, kw_only=True)
class ExternalFinding:
    """What an analyzer found."""

    id: str
    analyzer: str  # its ARN
    resource: str  # an ARN
    account: str  # the resource's owner
    resource_type: str = "AWS::S3::Bucket"
    is_public: bool = False
    principal: Mapping[str, str] = field(default_factory=dict)
    status: str = "ACTIVE"
    updated_on: datetime = _LONG_AGO
    error: str = ""
    sources: Sequence[Json] = ({"type": "POLICY"},)
    control_policies: str = "NOT_APPLICABLE"

    def as_listed(self) -> Json:
        """As ListFindings answers it."""
        moment = self.updated_on.isoformat()
        return {
            "id": self.id,
            "principal": dict(self.principal),
            "action": ["s3:GetObject"],
            "resource": self.resource,
            "isPublic": self.is_public,
            "resourceType": self.resource_type,
            "condition": {},
            "createdAt": moment,
            "analyzedAt": moment,
            "updatedAt": moment,
            "status": self.status,
            "resourceOwnerAccount": self.account,
            "sources": list(self.sources),
            "resourceControlPolicyRestriction": self.control_policies,
            **({"error": self.error} if self.error else {}),
        }


@dataclass
class AccessAnalyzer:
    """The analyzers of all accounts, and what they found. May be changed while the server runs."""

    analyzers: list[Analyzer] = field(default_factory=list)
    findings: list[ExternalFinding] = field(default_factory=list)
    page: int = 100

    def reply(self, line: str, body: str, account: str, region: str) -> Reply:
        """The answer to a request, by its ``METHOD path?query``."""
        method, _, address = line.partition(" ")
        path, _, query = address.partition("?")
        if (method, path) == ("GET", "/analyzer"):
            return self._analyzers(dict(urllib.parse.parse_qsl(query)), account, region)
        if (method, path) == ("POST", "/finding"):
            return self._findings(json.loads(body or "{}"), account, region)
        return _refused("404 Not Found", "UnknownOperationException", "Unknown operation")

    def _analyzers(self, asked: Mapping[str, str], account: str, region: str) -> Reply:
        wanted = asked.get("type", "")
        if wanted and wanted not in _TYPES:
            return _invalid(f"{wanted} is no type of analyzers")
        listed = [
            {
                "arn": one.arn,
                "name": one.name,
                "type": one.type,
                "createdAt": one.created_on.isoformat(),
                "status": one.status,
            }
            for one in self.analyzers
            if (one.account, one.region) == (account, region) and wanted in ("", one.type)
        ]
        return self._page("analyzers", listed, {"type": wanted}, asked.get("nextToken", ""))

    def _findings(self, asked: Json, account: str, region: str) -> Reply:
        arn, criteria = str(asked.get("analyzerArn")), asked.get("filter") or {}
        if not _ARN.fullmatch(arn):
            return _invalid("analyzerArn does not match the pattern")
        analyzer = next((one for one in self.analyzers if one.arn == arn), None)
        if analyzer is None or (analyzer.account, analyzer.region) != (account, region):
            return _refused("404 Not Found", "ResourceNotFoundException", f"{arn} does not exist")
        if analyzer.type not in _EXTERNAL:
            return _invalid("ListFindings answers for external access analyzers")
        for key, criterion in criteria.items():
            if reason := _fault_of(key, criterion):
                return _invalid(reason)
        listed = [one.as_listed() for one in self.findings if one.analyzer == arn]
        found = [one for one in listed if all(_fits(one, key, criterion) for key, criterion in criteria.items())]
        return self._page("findings", found, {"arn": arn, "filter": criteria}, str(asked.get("nextToken") or ""))

    def _page(self, member: str, entries: Sequence[Json], asked: Json, token: str) -> Reply:
        digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:16]
        first, _, bound = (token or f"0.{digest}").partition(".")
        if bound != digest or not first.isdigit():
            return _invalid("nextToken is not valid")
        last = int(first) + self.page
        more = {"nextToken": f"{last}.{digest}"} if last < len(entries) else {}
        return Reply(content_type="application/json", body=json.dumps({member: entries[int(first) : last], **more}))


def _fault_of(key: str, criterion: Json) -> str:
    """Why a criterion is refused; empty if it is not."""
    if key not in _KEYS and not _FURTHER_KEYS.fullmatch(key):
        return f"{key} is no filter key"
    if not criterion or not _CRITERIA.issuperset(criterion):
        return f"{key} has no criterion"
    lists = [values for name, values in criterion.items() if name != "exists"]
    return "" if all(1 <= len(values) <= _MOST_VALUES for values in lists) else f"{key} has too many values, or none"


def _fits(finding: Json, key: str, criterion: Json) -> bool:
    member, _, inner = key.partition(".")
    value = finding.get(member, {}).get(inner) if inner else finding.get(member)
    text = str(value).lower() if isinstance(value, bool) else str(value or "")
    return (
        ("eq" not in criterion or text in criterion["eq"])
        and ("neq" not in criterion or text not in criterion["neq"])
        and ("contains" not in criterion or any(part in text for part in criterion["contains"]))
        and ("exists" not in criterion or criterion["exists"] is (value is not None))
    )


def _invalid(message: str) -> Reply:
    return _refused("400 Bad Request", "ValidationException", message)


def _refused(status: str, code: str, message: str) -> Reply:
    content = json.dumps({"__type": code, "message": message, "reason": "other"})
    return Reply(status=status, content_type="application/json", body=content)
