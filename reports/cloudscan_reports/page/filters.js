// Which findings are wanted: by what the address says, facet by facet.

const FACETS = ["rule", "cause", "audience", "platform", "account", "owner", "partner", "department", "framework", "change", "state"];
const NEEDING_WORK = ["open", "reopened"];

function counted(values, valueOf) {
  const counts = new Map();
  for (const item of values) {
    const value = valueOf(item);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return counts;
}

function makeFilters(data, words, findings) {
  const { numbers, strings } = data;
  const search = makeSearch(data, findings);
  const everything = Array.from({ length: findings.size }, (_, index) => index);
  const ofRule = { rule: (rule) => [rule.id], cause: (rule) => [rule.cause], framework: (rule) => rule.frameworks };

  function byRule(facet, value) {
    const rules = new Set(data.rules.flatMap((rule, index) => (ofRule[facet](rule).includes(value) ? [index] : [])));
    return (index) => rules.has(numbers.rule[index]);
  }

  function byString(facet, values) {
    const pooled = new Set(values.map((value) => data.pool.indexOf(value)).filter((index) => index >= 0));
    return (index) => pooled.has(strings[facet][index]);
  }

  function testsFor(wanted) {
    const tests = [];
    if (wanted.severity) {
      const rungs = new Set(wanted.severity.split(",").map((severity) => data.severities.indexOf(severity)));
      tests.push((index) => rungs.has(numbers.severity[index]));
    }
    for (const facet of FACETS.filter((name) => wanted[name] && wanted[name] !== "any")) {
      tests.push(ofRule[facet] ? byRule(facet, wanted[facet]) : byString(facet, [wanted[facet]]));
    }
    if (!wanted.state) tests.push(byString("state", NEEDING_WORK));
    if (wanted.origin) tests.push((index) => findings.at("origin", index) === wanted.origin);
    return [...tests, ...search.matchers(wanted.q ?? "")];
  }

  const matching = (wanted) => testsFor(wanted).reduce((left, test) => left.filter(test), everything);
  const matches = (wanted, index) => testsFor(wanted).every((test) => test(index));

  function valueOf(facet) {
    if (facet === "rule") return (index) => findings.rule(index).id;
    return (index) => findings.at(facet, index);
  }

  function title(facet, value) {
    if (facet === "rule") return data.rules.find((rule) => rule.id === value).title;
    return facet === "state" ? words.say(`state.${value}`) : words.label(facet, value);
  }

  function counts(facet) {
    if (!ofRule[facet]) return [...counted(strings[facet], (index) => index)].map(([index, n]) => [data.pool[index], n]);
    const totals = new Map();
    for (const [rule, n] of counted(numbers.rule, (index) => index)) {
      for (const value of ofRule[facet](data.rules[rule])) totals.set(value, (totals.get(value) ?? 0) + n);
    }
    return [...totals];
  }

  // The values of a facet with their titles, the most frequent first.
  function options(facet) {
    return counts(facet).filter(([value]) => value).toSorted((one, other) => other[1] - one[1])
      .map(([value, n]) => [value, `${shortened(title(facet, value), 80)} (${number(n)})`]);
  }

  return { matching, matches, options, valueOf, title, prepare: search.prepare };
}
