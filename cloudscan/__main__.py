"""``python -m cloudscan``."""

from cloudscan.cli.main import main

main()
