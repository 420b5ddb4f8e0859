"""The one road to the network for connectors and trackers that speak HTTP themselves.

What plugins may use is re-exported here. libcurl is loaded with the first name that needs it: `Patience` is also used
where the extra ``cloudscan[web]`` is not installed.
"""

from typing import TYPE_CHECKING, Any

from cloudscan.http.decoding import decoder
from cloudscan.http.patience import Patience

if TYPE_CHECKING:
    from cloudscan.http.client import PASSING, Budget, Meter, Web, asked_for
    from cloudscan.http.transport import Answer, Carrier, host_of

__all__ = ["PASSING", "Answer", "Budget", "Carrier", "Meter", "Patience", "Web", "asked_for", "decoder", "host_of"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cloudscan.http import client

    return getattr(client, name)
