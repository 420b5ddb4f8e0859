// What a reader does with many findings: sort them, group them, take them away.

const GROUPS = ["none", "owner", "party", "rule", "department"];
const EXPORTED = ["name", "platform", "account", "owner", "audience", "state", "change", "ticket", "path", "origin", "uid"];

function makeTools(data, findings, words) {
  const { numbers } = findings;
  const opened = (index) => numbers.since[index] ?? numbers.first[index];
  const days = (index) => numbers.days[index] ?? (data.now - opened(index)) / 86400 * numbers.resources[index];
  const sorts = {
    newest: (one, other) => opened(other) - opened(one),
    oldest: (one, other) => opened(one) - opened(other),
    reach: (one, other) => numbers.resources[other] - numbers.resources[one],
    exposure: (one, other) => days(other) - days(one),
  };

  const sorted = (indices, by) => (Object.hasOwn(sorts, by) ? indices.toSorted((one, other) => sorts[by](one, other) || one - other) : indices);

  // The findings by a value, the heaviest group first.
  function grouped(indices, valuesOf) {
    const groups = new Map();
    for (const index of indices) {
      for (const value of valuesOf(index).length ? valuesOf(index) : [""]) {
        const group = groups.get(value) ?? { value, n: 0, score: 0, first: index };
        group.n += 1;
        group.score += numbers.score[index];
        groups.set(value, group);
      }
    }
    return [...groups.values()].toSorted((one, other) => other.score - one.score || one.first - other.first);
  }

  const record = (index) => ({
    order: index + 1,
    severity: data.severities[numbers.severity[index]],
    score: numbers.score[index],
    finding: findings.message(index),
    ...Object.fromEntries(EXPORTED.map((name) => [name, findings.at(name, index) ?? ""])),
    external_parties: findings.parties(index).map((party) => party.slice(party.indexOf(":") + 1)).join("; "),
    since: new Date(opened(index) * 1000).toISOString(),
    resources: numbers.resources[index],
    rule: findings.rule(index).id,
    cause: findings.rule(index).cause,
    fingerprint: findings.fingerprint(index),
  });

  function csv(indices) {
    const rows = indices.map(record);
    return csvText([Object.keys(rows[0] ?? {}), ...rows.map(Object.values)]);
  }

  function save(name, type, text) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    const link = make("a", { href: url, download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  const saveCsv = (indices) => save("findings.csv", "text/csv", csv(indices));
  const saveJson = (indices) => save("findings.json", "application/json", JSON.stringify(indices.map(record), null, 1));

  function pick(name, values, change) {
    const select = make("select", { id: `pick-${name}` }, make("option", { value: "" }, words.say(`tools.${name}_default`)),
      ...values.map((value) => make("option", { value }, words.say(`tools.${name}_${value}`))));
    select.addEventListener("change", () => change(name, select.value));
    return [select, make("div", {}, make("label", { for: select.id }, words.say(`tools.${name}`)), select)];
  }

  const sortNames = Object.keys(sorts);
  return { sorted, grouped, saveCsv, saveJson, pick, sortNames };
}
