// CSV that is safe to open in a spreadsheet, by the rules of cloudscan/text/csv.py: tests/reports/csv_cells.json
// specifies both.

const MOST_IN_A_CELL = 16_000;
const FORMULA = /(^|[,;|])([\s"'\u3000]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/g;

// What a cell contains: a text without characters that are not seen, cut, and with every formula disarmed.
const csvCell = (value) =>
  typeof value === "string" ? shortened(visible(value), MOST_IN_A_CELL).replace(FORMULA, "$1'$2") : String(value);

// A whole table, its header first: byte order mark, everything in quotes, CRLF line ends.
function csvText(rows) {
  const quoted = (value) => `"${csvCell(value).replaceAll('"', '""')}"`;
  return "\ufeff" + rows.map((row) => row.map(quoted).join(",")).join("\r\n") + "\r\n";
}
