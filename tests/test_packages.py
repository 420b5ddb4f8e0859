"""What is built can be installed: cloudscan's own wheel and sdist, and a stranger's connector beside it."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOY = ROOT / "tests" / "toy_connector"


def run(*command: str | Path, cwd: Path, path: Sequence[Path] = ()) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "COVERAGE")}
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(map(str, path))
    return subprocess.run(
        [str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def built(project: Path, into: Path) -> dict[str, Path]:
    """Wheel and sdist, by suffix, built with what is installed here."""
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", into, project, cwd=into)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.suffix: path for path in into.iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return built(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def site(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Cloudscan's own wheel as it is installed."""
    return unpacked(packages[".whl"], tmp_path_factory.mktemp("site"))


def unpacked(wheel: Path, into: Path) -> Path:
    """As an installer lays it out."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    return into


def test_the_wheel_holds_what_runs_and_nothing_else(packages: dict[str, Path]) -> None:
    with zipfile.ZipFile(packages[".whl"]) as archive:
        names = archive.namelist()

    assert {name.partition("/")[0] for name in names} <= {
        "cloudscan",
        "cloudscan_m365",
        "cloudscan_s3",
        "cloudscan_gdrive",
        "cloudscan_reports",
        "cloudscan_trackers",
        "cloudscan_emulators",
        "cloudscan_wording",
        "cloudscan-0.1.0.dist-info",
        "cloudscan-0.1.0.data",
    }
    assert "cloudscan-0.1.0.data/data/share/man/man1/cloudscan.1" in names
    assert "cloudscan/_rules/public-links/s3-public-read-by-policy.yaml" in names
    assert "cloudscan/snapshot/views.sql" in names
    assert "cloudscan_reports/formats/report.schema.json" in names
    assert any(name.startswith("cloudscan_reports/page/") for name in names)


def test_the_sdist_is_the_project_without_anything_of_a_machine(packages: dict[str, Path]) -> None:
    with tarfile.open(packages[".gz"]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"README.md", "LICENSE", "docs/s3.md", "rules/public-links/s3-public-read-by-policy.yaml"} <= names
    assert not [name for name in names if name.startswith((".venv", "uv.lock", ".git/", "dist", ".hypothesis"))]


@pytest.mark.long
def test_the_demo_works_from_the_wheel(site: Path, tmp_path: Path) -> None:
    """Away from the checkout, with the wheel's own rules and page."""
    done = run(sys.executable, "-m", "cloudscan", "demo", cwd=tmp_path, path=[site])

    assert done.returncode == 0, done.stderr
    assert "fixes are needed" in done.stdout
    assert "Kumo Logistics" in (tmp_path / "cloudscan-demo" / "report.html").read_text()


def test_a_connector_of_its_own_package_is_found_and_scanned(site: Path, tmp_path: Path) -> None:
    toy = tmp_path / "toy"
    toy.mkdir()
    path = [site, unpacked(built(TOY, toy)[".whl"], tmp_path / "toy-site")]
    company = tmp_path / "company"
    company.mkdir()
    (company / "sales.json").write_text(json.dumps([{"name": "plan", "shared_with": "everybody"}]))
    (tmp_path / "cloudscan.toml").write_text('[connectors.toy]\nfolder = "company"\n')

    scanned = run(sys.executable, "-m", "cloudscan", "scan", cwd=tmp_path, path=path)
    sql = "SELECT resource_name FROM exposures WHERE audience >= 'anyone_with_link'"
    asked = run(sys.executable, "-m", "cloudscan", "query", "--format", "json", sql, cwd=tmp_path, path=path)
    report = [sys.executable, "-m", "cloudscan", "report", "--format"]
    reported = [run(*report, name, "--output", name, cwd=tmp_path, path=path) for name in ("sarif", "xlsx")]

    assert scanned.returncode == 0, scanned.stderr
    assert json.loads(asked.stdout) == [{"resource_name": "plan"}]
    assert [(done.returncode, done.stderr) for done in reported] == [(0, "")] * 2
    assert json.loads((tmp_path / "sarif").read_text())["version"] == "2.1.0"
    assert zipfile.is_zipfile(tmp_path / "xlsx")
