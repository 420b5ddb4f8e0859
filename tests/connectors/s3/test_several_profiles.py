"""Several AWS profiles in one scan: each opens its own identity, and all accounts are ours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cloudscan.connector import Connector, Estate, Rechecks
from cloudscan.errors import ConfigurationError, ProviderError
from cloudscan.testing import conforms
from cloudscan_emulators.aws.moto_server import Emulator, Fault
from cloudscan_s3.doctor import checks
from cloudscan_s3.options import Options, ProfileOptions
from cloudscan_s3.plugin import PLUGIN
from cloudscan_s3.settings import SETTINGS
from tests.connectors import reading
from tests.connectors.reading import Read
from tests.connectors.s3.estate import ACCOUNT, ALL_OFF, allow, bucket, listed

CORP, CHINA = ACCOUNT, "222233334444"
SWITCHES = "".join(f"<{name}>false</{name}>" for name in ALL_OFF)
NO_BLOCK = f"<PublicAccessBlockConfiguration>{SWITCHES}</PublicAccessBlockConfiguration>".encode()
REGIONS = {"corp": "us-east-1", "shop": "eu-west-1", "china": "cn-north-1"}
KEY = {"aws_access_key_id": "A", "aws_secret_access_key": "s"}


def caller(arn: str) -> bytes:
    account = arn.split(":")[4]
    result = f"<GetCallerIdentityResult><Arn>{arn}</Arn><Account>{account}</Account></GetCallerIdentityResult>"
    return f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>".encode()


@pytest.fixture
def two(server: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """Profiles of two partitions; what AWS answers to the second is signed for China."""
    configure(tmp_path, monkeypatch)
    server.faults.add_optional(
        Fault(where="GetCallerIdentity", region="cn-north-1", body=caller(f"arn:aws-cn:iam::{CHINA}:user/scan")),
        Fault(where="configuration/publicAccessBlock", region="cn-north-1", body=NO_BLOCK),  # moto knows one account
    )
    yield server


def configure(folder: Path, patch: pytest.MonkeyPatch, gone: str = "us-east-1") -> None:
    regions = {**REGIONS, "gone": gone}
    keys = "".join(f"{name} = {value}\n" for name, value in KEY.items())
    (folder / "config").write_text("".join(f"[profile {name}]\nregion = {regions[name]}\n" for name in regions))
    (folder / "credentials").write_text("".join(f"[{name}]\n{keys}" for name in (*REGIONS, "default")))
    patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "credentials"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        patch.delenv(name)


def options(server: Emulator, *profiles: str | ProfileOptions, **more: Any) -> Options:
    return Options(endpoint=server.endpoint, profiles=profiles, patience=0.0, **more)


def opened(server: Emulator, *profiles: str | ProfileOptions, **more: Any) -> Connector:
    return PLUGIN.open(options(server, *profiles, **more), Estate())


def read(server: Emulator, *profiles: str | ProfileOptions, **more: Any) -> Read:
    return reading.read(opened(server, *profiles, **more))


def said(result: Read, scope: str) -> str:
    """What the platform said of a scope that could not be opened."""
    refused = result.refused[scope]
    assert isinstance(refused, ProviderError)
    assert refused.reason.code == "cannot-open"
    return refused.reason.quote


def accounts_in(result: Read) -> set[str]:
    return {one.account for one in result.of_kind("account")}


def test_each_profile_leads_to_its_own_account(two: Emulator) -> None:
    result = read(two, "corp", "china")

    assert accounts_in(result) == {CORP, CHINA}
    assert not [one for one in result.gaps if one.outcome.is_gap]


def test_buckets_of_the_same_name_in_two_partitions_are_two(two: Emulator) -> None:
    bucket(two, "shared", allow("shared"))
    two.faults.add(Fault(where="max-buckets", region="cn-north-1", body=listed("shared", "cn-north-1")))

    result = read(two, "corp", "china", object_requests=0)

    uids = {one.account: one.uid for one in result.of_kind("bucket")}
    assert uids == {CORP: "s3:bucket/shared", CHINA: "s3:bucket/aws-cn:shared"}


def test_an_account_of_another_profile_is_ours(two: Emulator) -> None:
    uid = bucket(two, "shared", allow("shared", {"AWS": "333344445555"}))

    result = read(two, "corp", ProfileOptions(name="shop", accounts=["arn:aws:iam::333344445555:role/Audit"]))

    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {"named"}


def test_one_that_cannot_be_opened_is_a_failed_scope_beside_the_others(two: Emulator) -> None:
    """What it leads to may be anything, also the account that a policy names: nobody is external without a proof."""
    uid = bucket(two, "shared", allow("shared", {"AWS": "333344445555"}))

    result = read(two, "corp", "china", "gone")

    assert accounts_in(result) == {CORP, CHINA}
    assert "No AWS credentials were found in the AWS profile gone" in said(result, "s3:profile/gone")
    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {None}


def test_one_of_another_partition_hides_no_account_of_this_one(
    server: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(tmp_path, monkeypatch, gone="cn-north-1")
    uid = bucket(server, "shared", allow("shared", {"AWS": "333344445555"}))

    result = read(server, "corp", "gone")

    assert "s3:profile/gone" in result.refused
    assert {grant.audience for grant in result.grants(uid) if grant.via == "policy"} == {"named_external"}


def test_where_none_can_be_opened_it_is_the_configuration(two: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="AWS profile gone"):
        list(opened(two, "gone").scopes())


def test_a_table_overrides_what_stands_above_it(two: Emulator) -> None:
    role = "arn:aws-cn:iam::333344445555:role/Audit"

    result = read(two, "corp", ProfileOptions(name="china", accounts=[role]))

    assert accounts_in(result) == {CORP, CHINA, "333344445555"}
    assert any(line.endswith(role) for line in two.request_log)


def test_an_account_is_known_if_any_profile_leads_to_it(two: Emulator) -> None:
    assert accounts_in(read(two, "corp", "china", accounts=[CHINA])) == {CORP, CHINA}


def test_an_account_that_no_profile_leads_to_is_an_error(two: Emulator) -> None:
    with pytest.raises(ConfigurationError, match="names 999999999999, which is none"):
        list(opened(two, "corp", "china", accounts=["999999999999"]).scopes())


@pytest.mark.parametrize(
    ("profiles", "more", "says"),
    [
        (["corp", "corp"], {}, "names 'corp' twice"),
        ([""], {}, "an entry without a name"),
        (["corp"], {"profile": "corp"}, "both profile and profiles"),
    ],
)
def test_a_list_that_makes_no_sense_is_an_error(
    server: Emulator, profiles: list[str], more: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigurationError, match=says):
        opened(server, *profiles, **more)

    assert [says in check.remedy for check in checks(options(server, *profiles, **more), Estate())] == [True]


def test_what_is_there_is_asked_of_the_partition_it_is_in(two: Emulator) -> None:
    bucket(two, "here")
    several = opened(two, "corp", "china")
    assert isinstance(several, Rechecks)

    found = several.still_there(
        ["s3:bucket/here", "s3:bucket/aws-cn:gone", f"s3:account/{CHINA}", "s3:account/999999999999"]
    )

    assert found == {
        "s3:bucket/here": True,
        "s3:bucket/aws-cn:gone": False,
        f"s3:account/{CHINA}": True,
        "s3:account/999999999999": False,
    }


def test_doctor_checks_each_profile(two: Emulator) -> None:
    found = list(checks(options(two, "corp", "china", "gone"), Estate()))

    assert f"s3, profile china: credentials of account {CHINA}" in {check.what for check in found if check.ok}
    assert [check.what for check in found if not check.ok] == ["s3, profile gone: credentials"]


def test_it_conforms(two: Emulator) -> None:
    bucket(two, "shared", allow("shared"))

    conforms(opened(two, "corp", "china"), settings=SETTINGS)
