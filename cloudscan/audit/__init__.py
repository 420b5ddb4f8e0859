"""The audit pack: a scan as an auditor can keep, check and replay it, without cloudscan and without the network.

    README.md  README.ja.md      what is what, and how to check it
    MANIFEST.sha256              the SHA-256 of every other file, as `sha256sum -c` reads it
    MANIFEST.sha256.sig          if signed: an SSH signature, as `ssh-keygen -Y verify` reads it
    manifest.json                which scan, by what, redacted or not; the files with size and hash
    report/  coverage/  frameworks/  rules/  configuration/  ledger/  snapshot/  versions.json

`pack` makes the parts, `manifest` lists and writes them, `archive` opens a folder or a zip that anyone may have made,
`verification` compares it with its manifest, `replay` judges its snapshot again, `signature` implements SSHSIG.
"""

from typing import Final

FORMAT: Final = 1
"""Incremented whenever an older cloudscan could misread a pack."""

SUMS: Final = "MANIFEST.sha256"
SIGNATURE: Final = "MANIFEST.sha256.sig"
MANIFEST: Final = "manifest.json"
