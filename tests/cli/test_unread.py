"""What a person learns of gaps on stderr where the report itself is piped elsewhere."""

from datetime import date

import msgspec
import pytest

from cloudscan.cli import log, output
from cloudscan.finding import Waiver
from cloudscan.report import Report
from tests.reports.synthetic import NOW, report, with_past


def lines(given: Report, capsys: pytest.CaptureFixture[str]) -> list[str]:
    with log.to_stderr("en", as_json=False, debug=False):
        output.unread(given)
    return capsys.readouterr().err.splitlines()


def test_each_reason_is_printed_once_with_its_advice(capsys: pytest.CaptureFixture[str]) -> None:
    """What is waived, not offered here or left out on purpose is not called unread."""
    printed = lines(with_past(report(0)), capsys)

    assert len(printed) == 3
    assert printed[0].startswith(
        "cloudscan: not read: archive (000000000003): the policy of a bucket: no policy allows"
    )
    assert printed[1] == (
        "cloudscan: not read: acquired-company (000000000009): the list of buckets: no answer from "
        "https://s3.example. Check the network, and the proxy and firewall on the way to https://s3.example."
    )
    assert printed[2] == "cloudscan: not read: acme-media: The budget for object lists was used up."


def test_nothing_is_printed_where_everything_is_waived(capsys: pytest.CaptureFixture[str]) -> None:
    given = with_past(report(0))
    waiver = Waiver(id=1, owner="Mika Sato", reason="no licence", given_on=NOW, until=date(2026, 4, 1))
    waived = {gap: msgspec.structs.replace(status, waiver=waiver) for gap, status in given.gaps.items()}

    assert lines(msgspec.structs.replace(given, gaps=waived), capsys) == []
