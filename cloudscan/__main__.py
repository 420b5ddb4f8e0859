"""``python -m cloudscan``."""

from cloudscan.cli.main import main

if __name__ == "__main__":  # a process that it starts imports it under another name
    main()
