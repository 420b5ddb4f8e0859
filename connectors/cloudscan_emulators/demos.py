"""How `cloudscan demo` finds the emulators. Cheap to import: moto and certificates are loaded when one is started."""

from contextlib import AbstractContextManager

from cloudscan.connector import Demo, DemoPlugin


def _aws() -> AbstractContextManager[Demo]:
    from cloudscan_emulators.aws.demo import demo

    return demo()


def _google() -> AbstractContextManager[Demo]:
    from cloudscan_emulators.google.demo import demo

    return demo()


def _microsoft() -> AbstractContextManager[Demo]:
    from cloudscan_emulators.microsoft.demo import demo

    return demo()


def _administration() -> AbstractContextManager[Demo]:
    from cloudscan_emulators.administration.demo import demo

    return demo()


def _backlog() -> AbstractContextManager[Demo]:
    from cloudscan_emulators.trackers.demo import demo

    return demo()


AWS = DemoPlugin(name="s3", start=_aws)
GOOGLE = DemoPlugin(name="gdrive", start=_google)
MICROSOFT = DemoPlugin(name="m365", start=_microsoft)
ADMINISTRATION = DemoPlugin(name="organisation", start=_administration)
BACKLOG = DemoPlugin(name="backlog", start=_backlog)
