"""Running an emulator from the command line."""

import contextlib
import sys
import threading
from collections.abc import Mapping


def serve_until_interrupted(addresses: Mapping[str, str]) -> int:
    """Print how to reach a running emulator, one ``name: value`` per line, and wait for Ctrl-C. Returns 0."""
    sys.stdout.write("".join(f"{name}: {value}\n" for name, value in addresses.items()))
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    return 0
