"""Run the emulator with the invented company: ``python -m cloudscan_emulators.microsoft --items 1000 --port 0``."""

import argparse

from cloudscan_emulators.kit.console import serve_until_interrupted
from cloudscan_emulators.microsoft import company, serve


def main() -> int:
    """Serve until interrupted; print the addresses and the credentials."""
    parser = argparse.ArgumentParser(prog="cloudscan_emulators.microsoft", description=__doc__)
    parser.add_argument("--items", type=int, default=1000, help="number of files and folders")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    asked = parser.parse_args()
    built = company.build(asked.items)
    with serve(built.state, port=asked.port) as server:
        lines = {
            "graph": server.graph,
            "sharepoint": server.sharepoint(),
            "administration": server.sharepoint(built.state.admin_host),
            "authority": server.authority,
            "trust": str(server.ca_file),
            "tenant": server.tenant,
            "client": server.client_id,
            "secret": server.client_secret,
        }
        return serve_until_interrupted(lines)


if __name__ == "__main__":
    raise SystemExit(main())
