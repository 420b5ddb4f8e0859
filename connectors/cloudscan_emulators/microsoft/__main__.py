"""Run the emulator with the invented company: ``python -m cloudscan_emulators.microsoft --items 1000 --port 0``."""

import argparse

from cloudscan_emulators.kit.console import serve_until_interrupted
from cloudscan_emulators.microsoft import company, serve


def main() -> int:
    """Serve until interrupted; print where, and how to sign in."""
    parser = argparse.ArgumentParser(prog="cloudscan_emulators.microsoft", description=__doc__)
    parser.add_argument("--items", type=int, default=1000, help="how many files and folders the company has")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    asked = parser.parse_args()
    built = company.build(asked.items)
    with serve(built.world, port=asked.port) as server:
        lines = {
            "graph": server.graph,
            "sharepoint": server.sharepoint(),
            "administration": server.sharepoint(built.world.admin_host),
            "authority": server.authority,
            "trust": str(server.ca_file),
            "tenant": server.tenant,
            "client": server.client_id,
            "secret": server.client_secret,
        }
        return serve_until_interrupted(lines)


if __name__ == "__main__":
    raise SystemExit(main())
