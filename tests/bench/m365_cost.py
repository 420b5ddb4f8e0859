"""What a scan of Microsoft 365 costs: requests, resource units and CPU for an item, against a loop with msgraph-sdk.

    PYTHONPATH=.:connectors:reports python tests/bench/m365_cost.py [--items 20000] [--save]

The emulator runs in a separate process. The plain loop lists the same items with the SDK's delta and asks for the
permissions of each shared item, one after the other, as its documentation shows; it does nothing with the answers, and
stops after a number of items, because it is slow. Ours writes the facts to disk as a scan does, and then scans a second
night in which nothing has changed. Each contender is a separate process; the cost of its imports and start is measured
with an empty company and subtracted from both.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path

from tests.bench.figures import Bench, Figure, save

PLAIN = """
import asyncio, os, sys
from azure.identity import CertificateCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient
from msgraph.generated.drives.item.items.item.delta.delta_request_builder import DeltaRequestBuilder
from kiota_abstractions.base_request_configuration import RequestConfiguration
url, authority, ca, tenant, client, certificate, most, drives = sys.argv[1:9]
credential = CertificateCredential(tenant, client, certificate_path=certificate, authority=authority,
                                   disable_instance_discovery=True, connection_verify=ca)
adapter = GraphRequestAdapter(AzureIdentityAuthenticationProvider(credential, scopes=["https://graph.microsoft.com/.default"]))
adapter.base_url = url + "/v1.0"
graph = GraphServiceClient(request_adapter=adapter)
seen = permissions = 0
listing = asking = 0.0

async def run():
    global seen, permissions, listing, asking
    for drive in drives.split(","):
        query = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(top=200)
        wanted = RequestConfiguration(query_parameters=query)
        wanted.headers.add("Prefer", "hierarchicalsharing")
        items = graph.drives.by_drive_id(drive).items
        begun = os.times()
        page = await items.by_drive_item_id("root").delta.get(request_configuration=wanted)
        while True:
            listing += sum(os.times()[:2]) - sum(begun[:2])
            for item in page.value:
                seen += 1
                if item.shared is not None and (item.shared.scope or item.root):
                    begun = os.times()
                    answer = await items.by_drive_item_id(item.id).permissions.get()
                    asking += sum(os.times()[:2]) - sum(begun[:2])
                    permissions += len(answer.value)
            if not page.odata_next_link or seen >= int(most):
                break
            begun = os.times()
            further = items.by_drive_item_id("root").delta.with_url(page.odata_next_link)
            page = await further.get(request_configuration=wanted)
        if seen >= int(most):
            return

asyncio.run(run())
print(seen, permissions, listing, asking)
"""
OURS = """
import sys
from pathlib import Path
from cloudscan.connector import Estate, Scope
from cloudscan.facts import Fact, Grant, Resource
from cloudscan.snapshot.spool import SpoolWriter, file_name, report_of
from cloudscan_m365.connector import M365Connector
from cloudscan_m365.options import Options
url, authority, ca, tenant, client, certificate, folder, night = sys.argv[1:9]
options = Options(endpoint=url, authority=authority, ca_file=ca, tenant=tenant, client_id=client,
                  certificate_file=certificate, resource_units_per_minute=100_000_000)
connector = M365Connector.open(options, Estate())
seen = grants = 0
waiting = list(connector.scopes())
into = Path(folder)
into.mkdir(exist_ok=True)
while waiting:
    scope = waiting.pop()
    since = report_of(into / file_name(scope.uid)).cursor if night == "night" else None
    with SpoolWriter(into, scope) as spool:
        for yielded in connector.collect(scope, since):
            if isinstance(yielded, Fact):
                spool.fact(yielded)
                seen += isinstance(yielded, Resource) and yielded.kind in ("file", "folder", "shortcut")
                grants += isinstance(yielded, Grant)
            else:
                spool.add(yielded)
                waiting += [yielded] if isinstance(yielded, Scope) else []
        spool.finish()
print(seen, grants, 0.0, 0.0)
"""


@dataclass(frozen=True)
class Cost:
    """The cost of one contender."""

    cpu: float
    wall: float
    requests: int
    units: int
    libraries: int  # requests about libraries and their items
    seen: int
    grants: int
    listing: float
    asking: float
    megabytes: int


def serve(pipe: Connection, items: int, folder: str) -> None:
    from cloudscan_emulators.microsoft import certificates, company, serve

    pair = certificates.for_application()
    built = company.build(items)
    file = Path(folder) / f"key-{items}.pem"
    file.write_bytes(pair.pem)
    with serve(built.state, certificate=pair) as server:
        drives = sorted(built.state.drives, key=lambda drive: -len(drive.items))
        locked = {site.number for site in built.state.sites if site.lock == "NoAccess"}
        there = [drive for drive in drives if not (drive.hidden or drive.deleted or drive.site in locked)]
        shown = ",".join(drive.id for drive in there)
        pipe.send(
            (server.url, server.authority, str(server.ca_file), server.tenant, server.client_id, str(file), shown)
        )
        while pipe.recv():
            about = sum(
                1 for request in server.log if request.path.startswith("/v1.0/drives/") and not request.in_batch
            )
            pipe.send((server.requests, server.units, about))


def run(command: list[str], pipe: Connection) -> Cost:
    pipe.send(True)
    before = pipe.recv()
    begin = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    out, noise = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, noise.decode()[-2000:]
    pipe.send(True)
    after = pipe.recv()
    seen, grants, listing, asking = out.split()
    return Cost(
        usage.ru_utime + usage.ru_stime,
        time.perf_counter() - begin,
        after[0] - before[0],
        after[1] - before[1],
        after[2] - before[2],
        int(seen),
        int(grants),
        float(listing),
        float(asking),
        usage.ru_maxrss // 1024,
    )


def measure(items: int, most: int, folder: str) -> dict[str, Cost]:
    pipe, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, items, folder), daemon=True)
    server.start()
    *signs, drives = pipe.recv()
    spool = f"{folder}/spool-{items}"
    figures = {
        "plain loop": run([sys.executable, "-c", PLAIN, *signs, str(most), drives], pipe),
        "cloudscan": run([sys.executable, "-c", OURS, *signs, spool, "full"], pipe),
        "next night": run([sys.executable, "-c", OURS, *signs, spool, "night"], pipe),
    }
    pipe.send(False)
    server.join(timeout=10)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=20_000)
    parser.add_argument("--plain", type=int, default=2_000, help="how many items the plain loop lists")
    parser.add_argument("--save", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        empty, full = measure(10, given.plain, folder), measure(given.items, given.plain, folder)
    plain, ours, night = full["plain loop"], full["cloudscan"], full["next night"]
    item, permission = plain.listing / plain.seen * 1000, plain.asking / max(1, plain.grants) * 1000
    print(f"plain loop: {item:.2f} ms CPU an item listed, {permission:.2f} ms a permission ({plain.seen:,} items)")
    thousand = ours.seen / 1000
    micro = (ours.cpu - empty["cloudscan"].cpu) / thousand * 1000
    print(
        f" cloudscan: {micro:.1f} µs CPU an item, facts on disk ({ours.seen:,} items, {ours.grants:,} grants): "
        f"1/{item * 1000 / micro:.0f} of listing alone; {ours.requests / thousand:.1f} requests and "
        f"{ours.units / thousand:.0f} units per 1,000 items; {ours.wall:.1f} s, {ours.megabytes} MB "
        f"({empty['cloudscan'].megabytes} MB with an empty company)"
    )
    print(
        f"next night: {night.libraries} requests about libraries, {night.requests} in all, {night.units} units; "
        f"{night.requests / thousand:.2f} requests and {night.units / thousand:.1f} units per 1,000 items"
    )
    if given.save:
        keep(given.items, ours.requests / thousand)


def keep(items: int, requests: float) -> None:
    """Keep the requests, which do not depend on the machine, for the page of performance."""
    figures = [
        Figure(
            work=f"Microsoft 365, {items:,} items in libraries of fewer than 1,000, a first scan",
            ours=round(requests, 1),
            unit="requests per 1,000 items",
            wanted="≤ 15 in libraries of 1,000 and more",
        ),
    ]
    save(
        Bench(
            bench="m365_cost",
            command=f"PYTHONPATH=.:connectors:reports python tests/bench/m365_cost.py --items {items} --save",
            measured_on=datetime.now(UTC).date().isoformat(),
            figures=figures,
        )
    )


if __name__ == "__main__":
    main()
