#!/usr/bin/env python3
"""Write the pins by which a wheel is installed: its own hash, and that of everything it may need.

python tools/bundle.py dist

The wheel and requirements.txt are to be kept and copied together. In their folder,
``pip install --require-hashes --requirement requirements.txt`` installs exactly these files or fails.
"""

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def bundle(folder: Path) -> str:
    """The lines for the one wheel in a folder, which pip finds by a path from that folder. Raises `SystemExit`."""
    wheels = sorted(folder.glob("cloudscan-*.whl"))
    if len(wheels) != 1:
        raise SystemExit(f"bundle: {folder} has {len(wheels)} wheels of cloudscan; remove the old ones, leave one.")
    digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    own = f"./{wheels[0].name} \\\n    --hash=sha256:{digest}\n"
    return own + (ROOT / "requirements-run.txt").read_text("utf-8")


if __name__ == "__main__":
    into = Path(sys.argv[1])
    (into / "requirements.txt").write_text(bundle(into), encoding="utf-8")
    sys.stdout.write(f"{into / 'requirements.txt'}\n")
