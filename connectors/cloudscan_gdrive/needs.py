"""What an unattended scan of Google Drive needs beside the configuration: the service account's key."""

from cloudscan.needs import NeededFile, Needs
from cloudscan_gdrive.options import Options

_MEANING = "the service account's key, as JSON"


def needs(options: Options) -> Needs:
    """The key's file, which the options or Google's own variable name."""
    if options.key_file:
        return Needs(files=(NeededFile(meaning=_MEANING, key="key_file", path=options.key_file),))
    return Needs(files=(NeededFile(meaning=_MEANING, variable="GOOGLE_APPLICATION_CREDENTIALS"),))
