// Which findings are wanted: by what the address says, facet by facet.

const FACETS = ["rule", "cause", "audience", "platform", "account", "owner", "partner", "department", "framework", "change", "state"];
const STANDING = ["open", "reopened"];

function counted(things, valueOf) {
  const counts = new Map();
  for (const each of things) {
    const value = valueOf(each);
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
    const rules = new Set(data.rules.flatMap((rule, place) => (ofRule[facet](rule).includes(value) ? [place] : [])));
    return (index) => rules.has(numbers.rule[index]);
  }

  function byString(facet, values) {
    const pooled = new Set(values.map((each) => data.pool.indexOf(each)).filter((each) => each >= 0));
    return (index) => pooled.has(strings[facet][index]);
  }

  function tests(wanted) {
    const found = [];
    if (wanted.severity) {
      const rungs = new Set(wanted.severity.split(",").map((each) => data.severities.indexOf(each)));
      found.push((index) => rungs.has(numbers.severity[index]));
    }
    for (const facet of FACETS.filter((each) => wanted[each] && wanted[each] !== "any")) {
      found.push(ofRule[facet] ? byRule(facet, wanted[facet]) : byString(facet, [wanted[facet]]));
    }
    if (!wanted.state) found.push(byString("state", STANDING));
    if (wanted.origin) found.push((index) => findings.at("origin", index) === wanted.origin);
    return [...found, ...search.holders(wanted.q ?? "")];
  }

  const matching = (wanted) => tests(wanted).reduce((left, test) => left.filter(test), everything);
  const matches = (wanted, index) => tests(wanted).every((test) => test(index));

  function valueOf(facet) {
    if (facet === "rule") return (index) => findings.rule(index).id;
    return (index) => findings.at(facet, index);
  }

  function title(facet, value) {
    if (facet === "rule") return data.rules.find((rule) => rule.id === value).title;
    return facet === "state" ? words.say(`state.${value}`) : words.label(facet, value);
  }

  function counts(facet) {
    if (!ofRule[facet]) return [...counted(strings[facet], (each) => each)].map(([place, n]) => [data.pool[place], n]);
    const found = new Map();
    for (const [rule, n] of counted(numbers.rule, (each) => each)) {
      for (const value of ofRule[facet](data.rules[rule])) found.set(value, (found.get(value) ?? 0) + n);
    }
    return [...found];
  }

  // The values of a facet with their titles, the most frequent first.
  function options(facet) {
    return counts(facet).filter(([value]) => value).sort((one, other) => other[1] - one[1])
      .map(([value, n]) => [value, `${shortened(title(facet, value), 80)} (${number(n)})`]);
  }

  return { matching, matches, options, valueOf, title, prepare: search.prepare };
}
