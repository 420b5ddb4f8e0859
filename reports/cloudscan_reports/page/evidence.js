// What a verdict rests on: the policy as it is stored, the rows in words, their ids for who needs them.

function makeEvidence(data, findings, words) {
  const heading = (key) => make("h4", {}, words.say(key));
  const shown = (cell) => cell || "–";
  const labels = data.labels.evidence;

  // JSON of several lines, each made visible by itself.
  function json(text) {
    const code = make("code");
    code.textContent = text.split("\n").map(visible).join("\n");
    return code;
  }

  function entries({ entries: quoted }) {
    return quoted.flatMap(([title, text, cut]) => [
      make("h4", {}, title),
      make("pre", { class: "entry", tabindex: "0" }, json(text)),
      ...(cut ? [make("p", { class: "quiet" }, cut)] : []),
    ]);
  }

  function pairs(names, columns, row) {
    const list = make("dl", { class: "row-of-one" });
    for (const column of columns) {
      list.append(make("dt", {}, labels[names[column]] ?? names[column]), make("dd", {}, shown(row[column + 1])));
    }
    return list;
  }

  // Small screens show each cell under its own head.
  function table(names, columns, given, label) {
    const titles = columns.map((column) => labels[names[column]] ?? names[column]);
    const head = make("tr", {}, ...titles.map((title) => make("th", { scope: "col" }, title)));
    const body = given.map((row) => make("tr", {}, ...columns.map((column, n) =>
      make("td", { "data-label": visible(titles[n]) }, make("div", {}, shown(row[column + 1]))))));
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      make("table", { class: "cards" }, make("thead", {}, head), make("tbody", {}, ...body)));
  }

  function rows(index, { evidence: given, rows: whole, left }) {
    const names = findings.rule(index).columns;
    const used = names.map((_, column) => column).filter((column) => given.some((row) => row[column + 1]));
    if (!given.length && left) return [heading("finding.evidence"), make("p", { class: "quiet" }, words.count("finding.evidence_left", left))];
    if (!given.length || !used.length) return [];
    const [readable, raw] = [true, false].map((want) => used.filter((column) => Object.hasOwn(labels, names[column]) === want));
    const laid = (columns, label) => (given.length === 1 && whole === 1
      ? pairs(names, columns, given[0]) : table(names, columns, given, label));
    return [
      ...(readable.length ? [heading("finding.evidence"), laid(readable, words.say("finding.evidence"))] : []),
      ...(whole > given.length
        ? [make("p", { class: "quiet" }, words.say("finding.evidence_of", { n: given.length, rows: number(whole) }))]
        : []),
      ...(raw.length
        ? [make("details", { class: "raw" }, make("summary", {}, words.say("finding.raw")), laid(raw, words.say("finding.raw")))]
        : []),
    ];
  }

  return { entries, rows };
}
