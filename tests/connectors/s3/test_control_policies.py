"""A resource control policy of the organisation is one more layer of denials; where it is unread, the chain says so."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from cloudscan.connector import Estate
from cloudscan.facts import Grant, Outcome
from cloudscan.reason import Reason, sentence
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.doctor import checks
from cloudscan_s3.options import Options
from cloudscan_s3.plugin import PLUGIN
from tests.connectors import reading
from tests.connectors.reading import Read
from tests.connectors.s3.buckets import chain
from tests.connectors.s3.estate import ACCOUNT, allow, bucket, policy, read, s3, s3control

MANAGEMENT = "999988887777"
Json = dict[str, Any]


def perimeter(organisation: str, **more: Any) -> Json:
    """AWS's own sample: nobody but the organisation and AWS services."""
    when = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": organisation},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    return {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": when, **more}


@dataclass
class Organisation:
    """An organisation in the emulator. Our own account is a member that may ask, unless `managed` says otherwise."""

    server: Emulator
    id: str = ""
    root: str = ""
    client: Any = field(default=None)

    def __post_init__(self) -> None:
        self.client = boto3.client("organizations", endpoint_url=self.server.endpoint)
        self.id = str(self.client.create_organization(FeatureSet="ALL")["Organization"]["Id"])
        self.root = str(self.client.list_roots()["Roots"][0]["Id"])

    def managed_elsewhere(self) -> None:
        """Our account is a member that Organizations has been delegated to."""
        told = {"Organization": {"Id": self.id, "MasterAccountId": MANAGEMENT}}
        self.server.faults.add(Fault(where="DescribeOrganization", body=json.dumps(told).encode()))

    def attach(self, name: str, *targets: str, statements: Sequence[Json] = ()) -> str:
        """Create a resource control policy and attach it; returns its id."""
        content = policy(*(statements or (perimeter(self.id),)))
        created = self.client.create_policy(
            Content=content, Name=name, Description=name, Type="RESOURCE_CONTROL_POLICY"
        )
        identifier = str(created["Policy"]["PolicySummary"]["Id"])
        for target in targets:
            self.client.attach_policy(PolicyId=identifier, TargetId=target)
        return identifier

    def unit(self, name: str, parent: str) -> str:
        return str(self.client.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"])

    def account(self, name: str, unit: str = "") -> str:
        """A member account; in a unit, or directly below the root."""
        created = self.client.create_account(AccountName=name, Email=f"{name}@example.com")
        number = str(created["CreateAccountStatus"]["AccountId"])
        if unit:
            self.client.move_account(AccountId=number, SourceParentId=self.root, DestinationParentId=unit)
        return number

    def bucket_of(self, number: str, name: str, *statements: Json) -> str:
        """A bucket in a member account; returns its uid."""
        answer = boto3.client("sts", endpoint_url=self.server.endpoint).assume_role(
            RoleArn=f"arn:aws:iam::{number}:role/cloudscan", RoleSessionName="company"
        )["Credentials"]
        client = s3(
            self.server,
            aws_access_key_id=answer["AccessKeyId"],
            aws_secret_access_key=answer["SecretAccessKey"],
            aws_session_token=answer["SessionToken"],
        )
        client.create_bucket(Bucket=name)
        client.put_bucket_policy(Bucket=name, Policy=policy(*statements))
        return f"s3:bucket/{name}"


@pytest.fixture
def ours(server: Emulator) -> Organisation:
    return Organisation(server)


def by_policy(result: Read, uid: str) -> Sequence[Grant]:
    return [grant for grant in result.grants(uid) if grant.via == "policy"]


def public(result: Read, uid: str) -> Grant:
    """The grant to everybody."""
    (grant,) = [grant for grant in by_policy(result, uid) if grant.audience == "anyone_with_link"]
    return grant


def state(grant: Grant) -> tuple[bool | None, str]:
    return grant.effective, grant.blocked_by


def asked(server: Emulator) -> Mapping[str, int]:
    """How often each operation of AWS Organizations was asked."""
    operations = [line.split()[-1] for line in server.request_log if line.startswith("POST / ")]
    return {operation: operations.count(operation) for operation in operations}


def missing(result: Read) -> Iterator[tuple[str, Outcome, str]]:
    for gap in result.gaps:
        if gap.question.startswith(("s3-control", "s3-account-parents")):
            yield gap.question, gap.outcome, gap.reason.code


def test_what_the_organisation_denies_is_latent_and_blocked_by_it(server: Emulator, ours: Organisation) -> None:
    """Everybody is stopped; the organisation itself still gets in, and the policy is named."""
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("identity perimeter", ours.root)
    ours.managed_elsewhere()

    result = read(server, object_requests=0)

    everybody = public(result, uid)
    assert state(everybody) == (False, "s3-resource-control-policy")
    assert "statement 1 of the resource control policy identity perimeter" in " ".join(chain(everybody, "en"))
    assert "identity perimeter" in " ".join(chain(everybody, "ja"))
    named = {grant.principal_uid for grant in by_policy(result, uid) if grant.effective}
    assert named == {f"s3:principal/{ours.id}", "s3:principal/*"}  # the sample exempts AWS services
    assert list(missing(result)) == []


def test_resources_of_the_management_account_are_not_affected(server: Emulator, ours: Organisation) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("identity perimeter", ours.root)

    assert state(public(read(server, object_requests=0), uid)) == (True, "")


def test_an_acl_is_denied_too(server: Emulator, ours: Organisation) -> None:
    bucket(server, "drop")
    s3(server).put_bucket_acl(Bucket="drop", ACL="public-read")
    s3(server).put_object(Bucket="drop", Key="a", Body=b"x", ACL="public-read")
    ours.attach("identity perimeter", ours.root)
    ours.managed_elsewhere()

    result = read(server)

    for uid in ("s3:bucket/drop", "s3:object/drop/a"):
        states = {state(grant) for grant in result.grants(uid) if grant.audience in ("anyone_with_link", "any_account")}
        assert states == {(False, "s3-resource-control-policy")}, uid


def test_an_access_point_is_denied_too(server: Emulator, ours: Organisation) -> None:
    """Under its own name of the resource, or under the bucket's."""
    bucket(server, "lake", allow("lake", "*", "s3:*"), enforced=True)
    off = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False)
    control = s3control(server)
    control.create_access_point(AccountId=ACCOUNT, Name="open", Bucket="lake", PublicAccessBlockConfiguration=off)
    arn = f"arn:aws:s3:us-east-1:{ACCOUNT}:accesspoint/open"
    statement = {**allow("lake"), "Resource": [f"{arn}/object/*"]}
    control.put_access_point_policy(AccountId=ACCOUNT, Name="open", Policy=policy(statement))
    ours.attach("lakes", ours.root, statements=[perimeter(ours.id, Resource="arn:aws:s3:::lake/*")])
    ours.managed_elsewhere()

    result = read(server)

    (everybody,) = [grant for grant in result.grants(f"s3:accesspoint/{ACCOUNT}/us-east-1/open") if not grant.effective]
    assert state(everybody) == (False, "s3-resource-control-policy")
    assert everybody.audience == "any_account"


def test_a_policy_is_in_force_below_the_unit_that_it_is_attached_to(server: Emulator, ours: Organisation) -> None:
    """Through units, on one account, or on neither; what is above a unit is asked for once."""
    outer = ours.unit("workloads", ours.root)
    inner = ours.unit("shops", outer)
    numbers = [ours.account("one", inner), ours.account("two", inner), ours.account("three"), ours.account("four")]
    uids = [ours.bucket_of(number, f"of-{number}", allow(f"of-{number}")) for number in numbers]
    ours.attach("by unit", outer)
    ours.attach("by account", numbers[2])
    server.request_log.clear()

    result = read(server, organisation=True, object_requests=0)

    denied = (False, "s3-resource-control-policy")
    assert [state(public(result, uid)) for uid in uids] == [denied, denied, denied, (True, "")]
    # Two policies, and above: four accounts less the one that is named itself, and two units.
    expected = {"ListPolicies": 1, "DescribePolicy": 2, "ListTargetsForPolicy": 2, "ListParents": 6}
    assert {name: asked(server).get(name) for name in expected} == expected


def test_one_more_request_where_no_policy_restricts_anything(server: Emulator, ours: Organisation) -> None:
    bucket(server, "plans", allow("plans"))
    ours.managed_elsewhere()
    server.request_log.clear()

    result = read(server)

    expected = {"GetCallerIdentity": 1, "DescribeOrganization": 1, "ListPolicies": 1, "ListMetrics": 1}
    of_people = {"GenerateCredentialReport", "GetAccountAuthorizationDetails", "GetCredentialReport", "ListInstances"}
    assert {name: count for name, count in asked(server).items() if name not in of_people} == expected
    assert list(missing(result)) == []


def test_a_policy_that_is_attached_to_nothing_restricts_nothing(server: Emulator, ours: Organisation) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("draft")
    ours.managed_elsewhere()

    assert state(public(read(server, object_requests=0), uid)) == (True, "")


@pytest.mark.parametrize(
    "more",
    [
        {"Action": "sqs:*"},
        {"Resource": "arn:aws:s3:::another-bucket*"},
        {
            "Condition": {
                "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "x"},
                "Bool": {"aws:SecureTransport": "false"},
            }
        },
    ],
    ids=["another service", "another bucket", "only what can be avoided"],
)
def test_a_policy_that_does_not_reach_the_request_stops_nothing(
    server: Emulator, ours: Organisation, more: Json
) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("narrow", ours.root, statements=[perimeter(ours.id, **more)])
    ours.managed_elsewhere()

    assert state(public(read(server, object_requests=0), uid)) == (True, "")


def test_services_that_act_for_strangers_are_stopped_too(server: Emulator, ours: Organisation) -> None:
    """Resource control policies bind AWS services too, unless they exempt them."""
    uid = bucket(
        server, "trail", allow("trail", {"Service": "cloudtrail.amazonaws.com"}, "s3:PutObject"), enforced=True
    )
    when = {
        "StringNotEqualsIfExists": {"aws:SourceOrgID": ours.id},
        "Bool": {"aws:PrincipalIsAWSService": "true"},
    }
    ours.attach("confused deputies", ours.root, statements=[perimeter(ours.id, Condition=when)])
    ours.managed_elsewhere()

    grants = by_policy(read(server), uid)

    deputies = [grant for grant in grants if grant.detail["confused_deputy"] == "true"]
    assert {state(grant) for grant in deputies} == {(False, "s3-resource-control-policy")}


def test_a_deny_of_the_bucket_stays_its_own(server: Emulator, ours: Organisation) -> None:
    deny = {**allow("plans", "*", "s3:*"), "Effect": "Deny"}
    uid = bucket(server, "plans", allow("plans"), deny)
    ours.attach("identity perimeter", ours.root)
    ours.managed_elsewhere()

    assert {state(grant) for grant in by_policy(read(server), uid)} == {(False, "s3-deny")}


def test_who_may_not_look_says_so_and_judges_as_before(server: Emulator, ours: Organisation) -> None:
    """The chain names the limit, one row says who could look, and the scan counts as complete."""
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("perimeter", ours.root)
    ours.managed_elsewhere()
    server.faults.add(Fault(where="ListPolicies$", status="400 Bad Request", code="AccessDeniedException"))

    result = read(server, object_requests=0)

    everybody = public(result, uid)
    assert state(everybody) == (True, "")
    assert "not looked at" in " ".join(chain(everybody, "en"))
    assert "確認していません" in " ".join(chain(everybody, "ja"))
    assert list(missing(result)) == [("s3-control-policies", Outcome.NOT_JUDGED, "s3-management-account-only")]
    (gap,) = [gap for gap in result.gaps if gap.outcome is Outcome.NOT_JUDGED]
    assert gap.hidden == ()
    assert "management account" in sentence(gap.reason, "en")


@pytest.mark.parametrize("operation", ["DescribePolicy", "ListTargetsForPolicy", "ListParents"])
def test_to_see_that_there_are_policies_but_not_which_is_a_gap(
    server: Emulator, ours: Organisation, operation: str
) -> None:
    """What is open may be stopped: that is unknown, and the permission that is missing is named."""
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("by unit", ours.unit("shops", ours.root))
    ours.managed_elsewhere()
    server.faults.add(Fault(where=f"{operation}$", status="400 Bad Request", code="AccessDeniedException"))

    result = read(server, object_requests=0)

    assert public(result, uid).effective is None
    (denied,) = [gap for gap in result.gaps if gap.outcome is Outcome.DENIED]
    assert denied.needs == f"organizations:{operation}"


def test_the_management_account_is_told_which_permission_it_lacks(server: Emulator, ours: Organisation) -> None:
    number = ours.account("shop")
    uid = ours.bucket_of(number, "shop", allow("shop"))
    server.faults.add(Fault(where="ListPolicies$", status="400 Bad Request", code="AccessDeniedException"))

    result = read(server, organisation=True, object_requests=0)

    assert list(missing(result)) == [("s3-control-policies", Outcome.NOT_JUDGED, "s3-denied")]
    assert state(public(result, uid)) == (True, "")


@pytest.mark.parametrize("operation", ["ListPolicies", "DescribePolicy", "ListTargetsForPolicy", "ListParents"])
@pytest.mark.parametrize("failure", ["500", "garbled", "expired"])
def test_an_answer_that_is_missing_makes_what_is_open_unknown(
    server: Emulator, ours: Organisation, operation: str, failure: str
) -> None:
    """It may be stopped, as it was yesterday: nothing is called open, nothing private, and there is a row."""
    faults: Mapping[str, Json] = {
        "500": {"status": "500 Internal Server Error", "code": "ServiceException"},
        "garbled": {"body": b'{"Welcome": "to the proxy"}'},
        "expired": {"status": "400 Bad Request", "code": "ExpiredTokenException"},
    }
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("by unit", ours.unit("shops", ours.root))
    ours.managed_elsewhere()
    server.faults.add(Fault(where=f"{operation}$", **faults[failure]))

    result = read(server, object_requests=0)

    everybody = public(result, uid)
    assert everybody.effective is None
    assert "could not be read" in " ".join(chain(everybody, "en"))
    assert [outcome.is_gap for _, outcome, _ in missing(result)] == [True]
    (gap,) = [gap for gap in result.gaps if gap.outcome.is_gap]
    # Not only whether a grant is in force: a wider one may be told in place of what a policy leaves.
    assert {(hidden.table, hidden.columns) for hidden in gap.hidden} == {
        ("grants", ()),
        ("grants", ("effective", "blocked_by")),
    }


def test_what_is_known_to_be_denied_stays_latent_whatever_else_is_missing(server: Emulator, ours: Organisation) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("first", ours.root)
    ours.attach("second", ours.root)
    ours.managed_elsewhere()
    server.faults.add(Fault(where="DescribePolicy$", after=1, times=1, body=b"{}"))

    assert state(public(read(server, object_requests=0), uid)) == (False, "s3-resource-control-policy")


def test_a_policy_deleted_between_list_and_read_restricts_nothing(server: Emulator, ours: Organisation) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("gone", ours.root)
    ours.managed_elsewhere()
    server.faults.add(Fault(where="DescribePolicy$", status="400 Bad Request", code="PolicyNotFoundException"))

    result = read(server, object_requests=0)

    assert state(public(result, uid)) == (True, "")
    assert list(missing(result)) == []


def test_a_deny_that_cannot_be_understood_makes_what_is_open_unknown(server: Emulator, ours: Organisation) -> None:
    uid = bucket(server, "plans", allow("plans"))
    odd = perimeter(ours.id, Condition={"StringResembles": {"aws:PrincipalOrgID": "o-x"}})
    ours.attach("odd", ours.root, statements=[odd])
    ours.managed_elsewhere()

    result = read(server, object_requests=0)

    assert public(result, uid).effective is None
    ((question, outcome, code),) = missing(result)
    assert (question, outcome, code) == ("s3-control-policy", Outcome.PARTIAL, "s3-statement-operator")
    (gap,) = [gap for gap in result.gaps if gap.question == "s3-control-policy"]
    assert isinstance(gap.reason, Reason)
    assert gap.reason.quote == "odd"


@pytest.mark.parametrize("code", ["UnsupportedAPIEndpointException", "InvalidInputException"])
def test_where_there_are_no_such_policies_nothing_is_missing(server: Emulator, ours: Organisation, code: str) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.managed_elsewhere()
    server.faults.add(Fault(where="ListPolicies$", status="400 Bad Request", code=code))

    result = read(server, object_requests=0)

    grant = public(result, uid)
    assert state(grant) == (True, "")
    assert "resource control" not in " ".join(chain(grant, "en"))
    assert list(missing(result)) == [("s3-control-policies", Outcome.NOT_OFFERED, "s3-policy-type-unknown")]


def test_without_an_organisation_there_is_nobody_to_ask(server: Emulator) -> None:
    uid = bucket(server, "plans", allow("plans"))

    result = read(server, object_requests=0)

    assert state(public(result, uid)) == (True, "")
    assert "ListPolicies" not in asked(server)


def test_where_our_organisation_is_not_known_its_policies_are_not_either(server: Emulator, ours: Organisation) -> None:
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("identity perimeter", ours.root)
    server.faults.add(Fault(where="DescribeOrganization", status="400 Bad Request", code="AccessDeniedException"))

    grant = public(read(server, object_requests=0), uid)

    assert state(grant) == (True, "")
    assert "not looked at" in " ".join(chain(grant, "en"))


def test_a_failure_to_tell_our_organisation_is_a_row_even_where_it_is_configured(
    server: Emulator, ours: Organisation
) -> None:
    """Its id is known then; its policies are not."""
    uid = bucket(server, "plans", allow("plans"))
    ours.attach("identity perimeter", ours.root)
    server.faults.add(Fault(where="DescribeOrganization", status="500 Internal Server Error", code="ServiceException"))
    options = Options(endpoint=server.endpoint, patience=0.0, object_requests=0)

    result = reading.read(PLUGIN.open(options, Estate(organisations=frozenset({ours.id}))))

    assert public(result, uid).effective is None
    (gap,) = [gap for gap in result.gaps if gap.outcome.is_gap]
    assert gap.question == "s3-organisation"
    assert ("grants", ("effective", "blocked_by")) in {(hidden.table, hidden.columns) for hidden in gap.hidden}


def test_an_empty_page_is_not_the_end(server: Emulator, ours: Organisation) -> None:
    """AWS may send one before the rest."""
    uid = bucket(server, "plans", allow("plans"))
    identifier = ours.attach("identity perimeter", ours.root)
    ours.managed_elsewhere()
    last = json.dumps({"Policies": [{"Id": identifier, "Name": "identity perimeter"}]})
    server.faults.add(
        Fault(where="ListPolicies$", times=1, body=b'{"Policies": [], "NextToken": "1"}'),
        Fault(where="ListPolicies$", body=last.encode()),
    )

    assert public(read(server, object_requests=0), uid).effective is False


def test_doctor_tries_what_the_scan_will_ask(server: Emulator, ours: Organisation) -> None:
    ours.attach("by unit", ours.unit("shops", ours.root))
    server.request_log.clear()

    told = list(checks(Options(endpoint=server.endpoint, organisation=True), Estate()))

    assert all(check.ok for check in told)
    assert {"ListPolicies", "DescribePolicy", "ListTargetsForPolicy"} <= asked(server).keys()


@pytest.mark.parametrize(("status", "code", "ok"), [("400", "AccessDeniedException", True), ("500", "Oops", False)])
def test_doctor_tells_a_limit_from_a_failure(
    server: Emulator, ours: Organisation, status: str, code: str, ok: bool
) -> None:
    ours.managed_elsewhere()
    server.faults.add(Fault(where="ListPolicies$", status=f"{status} as asked", code=code))

    told = [c for c in checks(Options(endpoint=server.endpoint), Estate()) if "resource control policies" in c.what]

    assert told
    assert all(check.ok is ok for check in told)
    assert any("only the management account" in check.what for check in told) is ok
