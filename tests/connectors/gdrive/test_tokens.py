"""In whose name Google is asked, and how often a token for that is requested."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloudscan_emulators.google import company
from tests.connectors.gdrive.estate import connector, serve


def test_what_is_read_at_once_in_the_name_of_one_user_shares_a_token(tmp_path: Path) -> None:
    """A user's own files, and what others left behind, are read side by side."""
    built = company.build(50)
    with serve(built.state) as server, ThreadPoolExecutor(8) as threads:
        identity = connector(server, tmp_path).google.own_files.identity

        tokens = list(threads.map(identity.token, [built.admin] * 8))

        assert len(set(tokens)) == 1
        assert [request.path for request in server.log] == ["/token"]
