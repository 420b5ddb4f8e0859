// Text search: a term is looked up once in every string, not once for every finding.

const SEARCHED = ["name", "key", "path", "uid", "account", "owner", "ticket"];

// Whether a term may begin in one part and end in another. Parts are strings, or numbers of what is filled in.
function mayCross(parts, term) {
  const cuts = Array.from({ length: term.length - 1 }, (_, place) => [term.slice(0, place + 1), term.slice(place + 1)]);
  return parts.some((part, place) => (typeof part === "number"
    ? typeof parts[place + 1] === "number"
    : term.includes(part) || cuts.some(([before, after]) => part.endsWith(before) || part.startsWith(after))));
}

function makeSearch(data, findings) {
  const { strings, numbers } = data;
  const lower = (text) => text.toLowerCase();
  const searched = SEARCHED.map((name) => strings[name]);
  let lowered = null;

  const parted = (rule) => rule.message.split(/\{([a-z_][a-z0-9_]*)\}/).map((part, place) => {
    const field = place % 2 ? rule.fields.indexOf(part) : -1;
    return field >= 0 ? field : lower(place % 2 ? `{${part}}` : part);
  }).filter((part) => part !== "");

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
    const within = (parts) => parts.some((part) => typeof part === "string" && part.includes(term));
    const ofPool = pool.map((each) => each.includes(term));
    const ofPattern = patterns.map(within);
    const ofRule = messages.map((parts, rule) => within(parts) || rules[rule].includes(term));
    const crossing = { patterns: patterns.map((each) => mayCross(each, term)), rules: messages.map((each) => mayCross(each, term)) };

    // What stands in a pattern's slots is searched as a column of its own.
    function holds(place, index) {
      if (place >= 0) return ofPool[place];
      const pattern = -2 - place;
      return pattern >= 0 && (ofPattern[pattern] || (crossing.patterns[pattern] && text(place, index).includes(term)));
    }

    function says(index) {
      const rule = numbers.rule[index];
      const values = strings.fields[index];
      const parts = messages[rule];
      if (parts.some((part) => typeof part === "number" && holds(values[part], index))) return true;
      return crossing.rules[rule]
        && parts.map((part) => (typeof part === "string" ? part : text(values[part], index) ?? "")).join("").includes(term);
    }

    return (index) => ofRule[numbers.rule[index]]
      || searched.some((column) => holds(column[index], index))
      || (strings.message[index] === -1 ? says(index) : holds(strings.message[index], index))
      || findings.fingerprint(index).includes(term);
  }

  const holders = (terms) => lower(terms).split(/\s+/).filter(Boolean).map(holder);
  return { holders, prepare };
}
