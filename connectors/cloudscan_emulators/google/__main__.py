"""Run the emulator with the invented company: ``python -m cloudscan_emulators.google --files 1000 --port 0``."""

import argparse
import tempfile
from pathlib import Path

from cloudscan_emulators.google import company, serve
from cloudscan_emulators.kit.console import serve_until_interrupted


def main() -> int:
    """Serve until interrupted; print where, and where the key is."""
    parser = argparse.ArgumentParser(prog="cloudscan_emulators.google", description=__doc__)
    parser.add_argument("--files", type=int, default=1000, help="how many files the company has")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--key", type=Path, help="where to write the service account's key file")
    asked = parser.parse_args()
    built = company.build(asked.files)
    with serve(built.state, port=asked.port) as server:
        key = server.write_key(asked.key or Path(tempfile.mkdtemp(prefix="kumo-")) / "key.json")
        return serve_until_interrupted({"endpoint": server.url, "key": str(key), "admin": built.admin})


if __name__ == "__main__":
    raise SystemExit(main())
