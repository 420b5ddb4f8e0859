"""Files and folders of ours, where somebody else was first."""

import os
import stat
import threading
from pathlib import Path

import pytest

from cloudscan import files
from cloudscan.errors import ConfigurationError, ScanRunning
from cloudscan.files import open_private, private_file, private_folder, write_private
from cloudscan.snapshot import lock


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file that no link may lead us to write to."""
    file = tmp_path / "victim"
    file.write_text("precious")
    return file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_part_is_not_written_through_a_link(tmp_path: Path, victim: Path) -> None:
    (tmp_path / ".report.part").symlink_to(victim)

    write_private(tmp_path / "report", b"ours")

    assert (victim.read_text(), (tmp_path / "report").read_bytes()) == ("precious", b"ours")
    assert not (tmp_path / "report").is_symlink()


def test_a_link_under_the_name_itself_is_replaced(tmp_path: Path, victim: Path) -> None:
    (tmp_path / "report").symlink_to(victim)

    with open_private(tmp_path / "report") as file:
        file.write(b"ours")

    assert (victim.read_text(), (tmp_path / "report").read_bytes()) == ("precious", b"ours")
    assert mode(tmp_path / "report") == 0o600


def test_a_file_for_others_to_read_is_so_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with private_file(tmp_path / "metrics.prom", mode=0o644) as file:
            file.write(b"x 1\n")
    finally:
        os.umask(before)

    assert mode(tmp_path / "metrics.prom") == 0o644


def test_a_folder_that_was_there_becomes_private(tmp_path: Path) -> None:
    """Others lose what they could do in it; our own permissions stay."""
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "new").parent.mkdir(exist_ok=True)

    private_folder(tmp_path / "state")
    private_folder(tmp_path / "new" / "inner")

    assert [mode(tmp_path / name) for name in ("state", "new/inner")] == [0o700, 0o700]


@pytest.mark.parametrize("dangling", [False, True])
def test_a_lock_follows_no_link(tmp_path: Path, victim: Path, dangling: bool) -> None:
    """What it leads to is neither emptied nor made."""
    state = tmp_path / ".cloudscan"
    state.mkdir()
    target = tmp_path / "not-there" if dangling else victim
    (state / ".lock").symlink_to(target)

    with pytest.raises(ConfigurationError, match=r"\.lock is a link"), lock.exclusive(state):
        pass

    assert victim.read_text() == "precious"
    assert not (tmp_path / "not-there").exists()
    assert lock.shared(state) is None
    assert not lock.is_locked(state)


def test_a_lock_is_not_emptied(tmp_path: Path, victim: Path) -> None:
    """Nor is what another name of the same file leads to."""
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / ".lock").hardlink_to(victim)

    with lock.exclusive(tmp_path / "state"):
        pass

    assert victim.read_text() == "precious"


def test_a_lock_does_not_wait_for_the_other_end_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".lock")
    opening = threading.Thread(target=lock.is_locked, args=(tmp_path,), daemon=True)

    opening.start()
    opening.join(5)

    assert not opening.is_alive()


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / ".cloudscan").symlink_to(tmp_path / "elsewhere")

    with (
        pytest.raises(ConfigurationError, match="name the folder that it leads to"),
        lock.exclusive(tmp_path / ".cloudscan"),
    ):
        pass

    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert mode(tmp_path / "elsewhere") == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, -1)

    with pytest.raises(ConfigurationError, match="other users may change"), lock.exclusive(tmp_path / "theirs"):
        pass


def test_a_folder_for_everybody_is_refused_and_stays_so(tmp_path: Path) -> None:
    """Nobody wants /tmp for themselves."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o1777)

    with pytest.raises(ConfigurationError, match="other users may change"), lock.exclusive(tmp_path / "shared"):
        pass

    assert mode(tmp_path / "shared") == 0o1777


def test_a_volume_that_root_made_for_a_group_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Kubernetes mounts one; one for everybody is refused."""
    (tmp_path / "volume").mkdir()
    (tmp_path / "volume").chmod(0o2775)
    monkeypatch.setattr(files, "_ROOT", (tmp_path / "volume").stat().st_uid)
    monkeypatch.setattr(os, "geteuid", lambda: 4711)

    private_folder(tmp_path / "volume")

    assert mode(tmp_path / "volume") == 0o2775
    (tmp_path / "volume").chmod(0o777)
    with pytest.raises(PermissionError):
        private_folder(tmp_path / "volume")


@pytest.mark.parametrize("shared_locks", [True, False], ids=["POSIX", "Windows"])
def test_one_writes_or_several_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_locks: bool) -> None:
    """Where the system has no lock to share, a reader still meets a writer, and a writer another."""
    if not shared_locks:
        monkeypatch.setattr(lock, "fcntl", None)
    folder = tmp_path / "snapshot"

    with lock.exclusive(folder):
        with pytest.raises(ScanRunning):
            lock.shared(folder)
        with pytest.raises(ScanRunning), lock.exclusive(folder):
            pass
        assert lock.is_locked(folder)

    readers = [lock.shared(folder), lock.shared(folder)]
    assert all(readers)
    assert lock.is_locked(folder) == shared_locks
    for reader in filter(None, readers):
        reader.close()

    lock.move(folder, tmp_path / "moved")
    assert (tmp_path / "moved" / ".lock").exists()
