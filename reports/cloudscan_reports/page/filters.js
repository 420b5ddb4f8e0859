// Which findings are wanted: by what the address says, facet by facet.

const FEW = ["state", "due", "audience", "party"];
const MORE = ["ticketed", "rule", "cause", "platform", "account", "owner", "department", "rank", "framework", "change"];
const FACETS = [...FEW, ...MORE];
const NEEDING_WORK = ["open", "reopened"];
const PARTIES = new Set(["partner", "unlisted", "private", "unknown"]);
const SOON = 7; // days

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
  const computed = {
    due(index) {
      const days = findings.daysLeft(index);
      return days === null ? "" : days < 0 ? "overdue" : days <= SOON ? "week" : "later";
    },
    ticketed: (index) => (findings.at("ticket", index) ? "yes" : "no"),
  };
  const fixed = {
    due: data.deadlines.some((days) => days !== null) ? ["overdue", "week", "later"] : [],
    ticketed: strings.ticket.some((number) => data.pool[number]) ? ["yes", "no"] : [],
  };

  function byRule(facet, value) {
    const rules = new Set(data.rules.flatMap((rule, index) => (ofRule[facet](rule).includes(value) ? [index] : [])));
    return (index) => rules.has(numbers.rule[index]);
  }

  function byString(facet, values) {
    const pooled = new Set(values.map((value) => data.pool.indexOf(value)).filter((index) => index >= 0));
    return (index) => pooled.has(strings[facet][index]);
  }

  // One party, or all of a kind.
  function byParty(value) {
    const wanted = new Set(data.pool.flatMap((text, index) =>
      (PARTIES.has(value) ? text.startsWith(`${value}:`) : text === value) ? [index] : []));
    return (index) => strings.party[index].some((party) => wanted.has(party));
  }

  function testFor(facet, value) {
    if (ofRule[facet]) return byRule(facet, value);
    if (computed[facet]) return (index) => computed[facet](index) === value;
    return facet === "party" ? byParty(value) : byString(facet, [value]);
  }

  function testsFor(wanted) {
    const tests = [];
    if (wanted.severity) {
      const rungs = new Set(wanted.severity.split(",").map((severity) => data.severities.indexOf(severity)));
      tests.push((index) => rungs.has(numbers.severity[index]));
    }
    for (const facet of FACETS.filter((name) => wanted[name] && wanted[name] !== "any")) tests.push(testFor(facet, wanted[facet]));
    if (!wanted.state) tests.push(byString("state", NEEDING_WORK));
    if (wanted.origin) tests.push((index) => findings.at("origin", index) === wanted.origin);
    return [...tests, ...search.matchers(wanted.q ?? "")];
  }

  const matching = (wanted) => testsFor(wanted).reduce((left, test) => left.filter(test), everything);
  const matches = (wanted, index) => testsFor(wanted).every((test) => test(index));

  function valuesOf(facet) {
    if (facet === "rule") return (index) => [findings.rule(index).id];
    if (facet === "party") return (index) => findings.parties(index);
    return (index) => [findings.at(facet, index) || ""];
  }

  function title(facet, value) {
    if (facet === "rule") return data.rules.find((rule) => rule.id === value).title;
    if (facet === "framework") return data.controls[value] ? `${value} ${data.controls[value][0]}` : value;
    if (facet === "party") return value.slice(value.indexOf(":") + 1);
    return ["state", "due", "ticketed"].includes(facet) ? words.say(`${facet}.${value}`) : words.label(facet, value);
  }

  function counts(facet) {
    if (facet === "party") {
      return [...counted(strings.party.flat(), (index) => index)].map(([index, n]) => [data.pool[index], n]);
    }
    if (!ofRule[facet]) return [...counted(strings[facet], (index) => index)].map(([index, n]) => [data.pool[index], n]);
    const totals = new Map();
    for (const [rule, n] of counted(numbers.rule, (index) => index)) {
      for (const value of ofRule[facet](data.rules[rule])) totals.set(value, (totals.get(value) ?? 0) + n);
    }
    return [...totals];
  }

  // The values of a facet with their titles, the most frequent first.
  function options(facet) {
    if (fixed[facet]) return fixed[facet].map((value) => [value, title(facet, value)]);
    return counts(facet).filter(([value]) => value).toSorted((one, other) => other[1] - one[1])
      .map(([value, n]) => [value, `${shortened(title(facet, value), 80)} (${number(n)})`]);
  }

  return { matching, matches, options, valuesOf, title, prepare: search.prepare };
}
