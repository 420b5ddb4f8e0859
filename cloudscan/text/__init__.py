"""Text, from strangers and for people: made safe for where it lands, suggestions, CSV, mail addresses.

What plugins may use is handed on here, and the module `catalogue` (gettext's files, read through Babel).
"""

from cloudscan.text.csv import BYTE_ORDER_MARK, MOST, Cell, unformulaic, written
from cloudscan.text.email import CONSUMER, domain_of
from cloudscan.text.safe import mended, openable, plain, width
from cloudscan.text.suggest import nearest, one_of

__all__ = [
    "BYTE_ORDER_MARK",
    "CONSUMER",
    "MOST",
    "Cell",
    "domain_of",
    "mended",
    "nearest",
    "one_of",
    "openable",
    "plain",
    "unformulaic",
    "width",
    "written",
]
