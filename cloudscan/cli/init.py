"""`cloudscan init`."""

from pathlib import Path

import click

from cloudscan.errors import ConfigurationError

TEMPLATE = """\
# cloudscan.toml. Every key is explained in docs/configuration.md. No secret belongs in here.

[organisation]
name = "{name}"
domains = []            # our mail domains: ["example.com"]
accounts = []           # cloud accounts of ours that are not scanned: ["111122223333"]
ids = []                # our organisation's id, where it cannot be read: ["o-a1b2c3d4e5"]
language = "en"         # of reports: en or ja

# [[partners]]          # outsiders we have a contract with
# name = "Haulier Inc."
# domains = ["haulier.example"]
# accounts = ["444455556666"]
# owner = "logistics@example.com"
# contract_ends = 2027-03-31

[scan]
folder = ".cloudscan"   # snapshots, ledger and reports
fail_on = "high"        # exit code 1 from this severity up

[connectors.s3]
# profile = "audit"     # else the default credential chain
# organisation = true   # all accounts of the organisation, by assuming a role in each
# role_name = "cloudscan"
"""


@click.command()
@click.option("--name", default="", help="The organisation's name, for the report.")
@click.option("--force", is_flag=True, help="Replace a file that is already there.")
@click.pass_obj
def init(config_path: str | None, name: str, force: bool) -> None:
    """Write a cloudscan.toml to start from."""
    path = Path(config_path or "cloudscan.toml")
    if path.exists() and not force:
        raise ConfigurationError(f"{path} is already there; use --force to replace it.")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    path.write_text(TEMPLATE.format(name=quoted), encoding="utf-8")
    click.echo(f"Wrote {path}. Next: cloudscan doctor")
