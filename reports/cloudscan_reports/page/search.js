// Text search: a term is looked up once in every string, not once for every finding.

const SEARCHED = ["name", "key", "path", "uid", "account", "owner", "ticket"];

// Whether a term may begin in one part and end in another. Parts are strings, or numbers of what is filled in.
function mayCross(parts, term) {
  const cuts = Array.from({ length: term.length - 1 }, (_, index) => [term.slice(0, index + 1), term.slice(index + 1)]);
  return parts.some((part, index) => (typeof part === "number"
    ? typeof parts[index + 1] === "number"
    : term.includes(part) || cuts.some(([before, after]) => part.endsWith(before) || part.startsWith(after))));
}

function makeSearch(data, findings) {
  const { strings, numbers } = data;
  const lower = (text) => text.toLowerCase();
  const searched = SEARCHED.map((name) => strings[name]);
  let lowered = null;

  const parted = (rule) => rule.message.split(/\{([a-z_][a-z0-9_]*)\}/).map((part, index) => {
    const field = index % 2 ? rule.fields.indexOf(part) : -1;
    return field >= 0 ? field : lower(index % 2 ? `{${part}}` : part);
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

  // Whether a finding contains a term, which must be in lower case.
  function matcher(term) {
    const { pool, patterns, messages, rules, slots } = prepare();
    const text = makeReader({ pool, patterns }, slots);
    const within = (parts) => parts.some((part) => typeof part === "string" && part.includes(term));
    const ofPool = pool.map((string) => string.includes(term));
    const ofPattern = patterns.map(within);
    const ofRule = messages.map((parts, rule) => within(parts) || rules[rule].includes(term));
    const crossing = { patterns: patterns.map((parts) => mayCross(parts, term)), rules: messages.map((parts) => mayCross(parts, term)) };

    // The values of a pattern's slots are searched as columns of their own.
    function contains(number, index) {
      if (number >= 0) return ofPool[number];
      const pattern = -2 - number;
      return pattern >= 0 && (ofPattern[pattern] || (crossing.patterns[pattern] && text(number, index).includes(term)));
    }

    function messageContains(index) {
      const rule = numbers.rule[index];
      const values = strings.fields[index];
      const parts = messages[rule];
      if (parts.some((part) => typeof part === "number" && contains(values[part], index))) return true;
      return crossing.rules[rule]
        && parts.map((part) => (typeof part === "string" ? part : text(values[part], index) ?? "")).join("").includes(term);
    }

    return (index) => ofRule[numbers.rule[index]]
      || searched.some((column) => contains(column[index], index))
      || (strings.message[index] === -1 ? messageContains(index) : contains(strings.message[index], index))
      || findings.fingerprint(index).includes(term);
  }

  const matchers = (terms) => lower(terms).split(/\s+/).filter(Boolean).map(matcher);
  return { matchers, prepare };
}
