"""What an unattended scan of Microsoft 365 needs beside the configuration: the application, and its proof.

Source: azure-identity, "Environment variables"; `api/sign_in.py` reads them.
"""

from collections.abc import Iterator

from cloudscan.needs import NeededFile, Needs, Variable
from cloudscan_m365.options import Options


def needs(options: Options) -> Needs:
    """A certificate or a secret, unless an identity of the machine signs in; tenant and application, if not set."""
    return Needs(variables=tuple(_variables(options)), files=tuple(_files(options)))


def _signs_in_itself(options: Options) -> bool:
    return options.sign_in in ("managed_identity", "workload_identity")


def _by_certificate(options: Options) -> bool:
    return bool(options.certificate_file) or options.sign_in == "certificate"


def _variables(options: Options) -> Iterator[Variable]:
    of_machine = _signs_in_itself(options)
    if not options.tenant:
        yield Variable(name="AZURE_TENANT_ID", meaning="the tenant's id", optional=of_machine, secret=False)
    if not options.client_id:
        yield Variable(name="AZURE_CLIENT_ID", meaning="the application's id", optional=of_machine, secret=False)
    if of_machine:
        return
    if _by_certificate(options):
        yield Variable(
            name="AZURE_CLIENT_CERTIFICATE_PASSWORD", meaning="the certificate's password, if it has one", optional=True
        )
    else:
        yield Variable(name="AZURE_CLIENT_SECRET", meaning="the application's secret")


def _files(options: Options) -> Iterator[NeededFile]:
    meaning = "the application's certificate with its key, as PEM"
    if options.certificate_file:
        yield NeededFile(meaning=meaning, key="certificate_file", path=options.certificate_file)
    elif options.sign_in == "certificate":
        yield NeededFile(meaning=meaning, variable="AZURE_CLIENT_CERTIFICATE_PATH")
    if options.ca_file:
        yield NeededFile(meaning="certificates to trust when signing in", key="ca_file", path=options.ca_file)
