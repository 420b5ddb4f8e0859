// Text search: a term is looked up once in every string, not once for every finding.

const SEARCHED = ["name", "path", "uid", "account", "owner"];

function makeSearch(data, findings) {
  const { strings, numbers } = data;
  const lower = (text) => text.toLowerCase();
  const searched = SEARCHED.map((name) => strings[name]);
  let lowered = null;

  // A template in lower-case parts; a number stands for a field.
  const parted = (rule) => rule.message.split(/\{([a-z_][a-z0-9_]*)\}/).map((part, place) => {
    const field = place % 2 ? rule.fields.indexOf(part) : -1;
    return field >= 0 ? field : lower(place % 2 ? `{${part}}` : part);
  });

  function prepare() {
    lowered ??= {
      pool: data.pool.map(lower),
      patterns: data.patterns.map((parts) => parts.map((part) => (typeof part === "number" ? part : lower(part)))),
      messages: data.rules.map(parted),
      rules: data.rules.map((rule) => lower(`${rule.title}\n${rule.id}`)),
      slots: (index) => ["name", "key"].map((slot) => lowered.pool[strings[slot][index]]),
    };
    return lowered;
  }

  // Whether a finding holds a term in lower case.
  function holder(term) {
    const { pool, patterns, messages, rules, slots } = prepare();
    const text = makeReader({ pool, patterns }, slots);
    const within = pool.map((each) => each.includes(term));
    const holds = (number, index) => (number >= 0 ? within[number] : number < -1 && text(number, index).includes(term));
    const ofRule = data.rules.map((_, rule) => rules[rule].includes(term)
      || messages[rule].some((part) => typeof part === "string" && part.includes(term)));
    const said = (index) => messages[numbers.rule[index]].map((part) =>
      (typeof part === "string" ? part : text(strings.fields[index][part], index) ?? "")).join("");
    return (index) => ofRule[numbers.rule[index]]
      || searched.some((column) => holds(column[index], index))
      || (strings.message[index] === -1 ? said(index).includes(term) : holds(strings.message[index], index))
      || findings.fingerprint(index).includes(term);
  }

  const holders = (terms) => lower(terms).split(/\s+/).filter(Boolean).map(holder);
  return { holders, prepare };
}
