"""Text from and for people: made safe for where it lands, suggestions, CSV, commands, mail addresses, short errors.

What plugins may use is re-exported here, beside the module `catalogue` (gettext's files, read through Babel).
"""

from cloudscan.text.csv import BYTE_ORDER_MARK, MOST, Cell, as_csv, csv_lines, one_line, unformulaic
from cloudscan.text.email import CONSUMER, domain_of
from cloudscan.text.errors import first_line
from cloudscan.text.safe import encodable, openable, plain, width
from cloudscan.text.shell import CommandLine, Shell, filled, shell_of, word
from cloudscan.text.suggest import nearest, suggestion

__all__ = [
    "BYTE_ORDER_MARK",
    "CONSUMER",
    "MOST",
    "Cell",
    "CommandLine",
    "Shell",
    "as_csv",
    "csv_lines",
    "domain_of",
    "encodable",
    "filled",
    "first_line",
    "nearest",
    "one_line",
    "openable",
    "plain",
    "shell_of",
    "suggestion",
    "unformulaic",
    "width",
    "word",
]
