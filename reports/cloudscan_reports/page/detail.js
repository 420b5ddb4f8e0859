// One finding: a view of its columns, and what opens below it.

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  for (const child of children) {
    node.append(child instanceof Node ? child : document.createTextNode(visible(String(child))));
  }
  return node;
}

function makeFindings(data, words) {
  const { numbers, strings } = data;
  const slotsOf = (index) => [data.pool[strings.name[index]], data.pool[strings.key[index]]];
  const text = makeReader(data, slotsOf);
  const at = (name, index) => text(strings[name][index], index);
  const parties = (index) => strings.party[index].map((party) => data.pool[party]);
  const rule = (index) => data.rules[numbers.rule[index]];
  const size = numbers.rule.length;
  const fingerprints = data.packed ? hexOf(bytesOf(data.fingerprints)) : data.fingerprints;
  const fingerprint = (index) => fingerprints.slice(index * data.width, (index + 1) * data.width).trimEnd();
  const details = makeDetails(data.parcel, slotsOf);

  function fields(index) {
    const values = strings.fields[index];
    return Object.fromEntries(
      rule(index).fields.map((name, field) => [name, text(values[field], index) ?? undefined]));
  }

  const message = (index) => at("message", index) ?? fill(rule(index).message, fields(index));

  function since(index) {
    const opened = numbers.since[index];
    const seconds = opened ?? numbers.first[index];
    const key = opened === null ? "finding.since_first_seen" : "finding.since_platform";
    return words.say(key, { day: words.day(seconds), ago: words.ago(seconds) });
  }

  function sinceInShort(index) {
    const opened = numbers.since[index];
    return words.say(opened === null ? "findings.first_seen" : "findings.since", { day: words.day(opened ?? numbers.first[index]) });
  }

  // The last day on which a finding is to be closed, as a number of days; null without a deadline.
  function dueDay(index) {
    const severity = numbers.severity[index];
    const days = data.rank_deadlines[at("rank", index)]?.[severity] ?? data.deadlines[severity];
    return days === null ? null : words.dayNumber(numbers.first[index]) + days;
  }

  // Whole days that are left, negative once it is overdue.
  function daysLeft(index) {
    const last = dueDay(index);
    return last === null ? null : last - words.dayNumber(data.now);
  }

  function due(index, [inTime, overdue] = ["finding.due_day", "finding.due_overdue"]) {
    const left = daysLeft(index);
    if (left === null) return "";
    return words.say(left < 0 ? overdue : inTime, { day: words.dayNumbered(dueDay(index)) });
  }

  let counts = null;
  function sharing(index) {
    counts ??= counted(numbers.rule.keys(), (other) => at("origin", other));
    return counts.get(at("origin", index));
  }

  function find(wanted) {
    for (let index = 0; index < size; index += 1) if (fingerprint(index) === wanted) return index;
    return -1;
  }

  return {
    sharing, size, numbers, strings, at, parties, rule, fingerprint, find, fields, message, since, sinceInShort, daysLeft, due, details,
  };
}

function makeDetail(data, findings, words, fixes) {
  const { numbers, at } = findings;
  const evidence = makeEvidence(data, findings, words);
  const heading = (key) => make("h4", {}, words.say(key));

  function table(pairs, name = "") {
    const list = make("dl", name ? { class: name } : {});
    for (const [key, value] of pairs) {
      if (value) list.append(make("dt", {}, words.say(key)), make("dd", {}, value));
    }
    return list;
  }

  // Text between backticks is code, as in the rule files.
  function prose(tag, line) {
    const node = make(tag);
    line.split("`").forEach((part, n) => node.append(n % 2 ? make("code", {}, part) : visible(part)));
    return node;
  }

  async function copy(button, line) {
    try {
      await navigator.clipboard.writeText(line);
    } catch {
      const code = button.parentElement.querySelector("code");
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    element("announced").textContent = button.textContent = words.say("finding.copied");
    setTimeout(() => {
      button.textContent = words.say("finding.copy");
      element("announced").textContent = "";
    }, 2000);
  }

  // What has to be completed first has no button: a reader would run it as it is.
  function command({ text: line, missing }) {
    const code = make("pre", { tabindex: "0" }, make("code", {}, line));
    if (missing.length) return make("div", { class: "command" }, code);
    const button = make("button", { type: "button", class: "copy", "aria-label": words.say("finding.copy_command") },
      words.say("finding.copy"));
    button.addEventListener("click", () => copy(button, line));
    return make("div", { class: "command" }, code, button);
  }

  function commandNotes(lines) {
    const missing = [...new Set(lines.flatMap((line) => line?.missing ?? []))];
    return [
      missing.length ? words.say("finding.replace_words", { words: missing.join(words.say("list.comma")) }) : "",
      lines.includes(null) ? words.say("finding.no_command") : "",
    ].filter(Boolean).map((note) => make("span", { class: "quiet block" }, note));
  }

  function remedy(index) {
    const fields = findings.fields(index);
    const list = make("ol");
    for (const [step, ...commands] of findings.rule(index).steps) {
      const item = prose("li", fill(step, fields));
      const lines = commands.map(([template, shell]) => filledCommand(template, shell, fields));
      item.append(...commandNotes(lines), ...lines.filter(Boolean).map(command));
      list.append(item);
    }
    return list;
  }

  const effort = (rule) => make("p", { class: "quiet" },
    words.say("finding.effort"), words.say("list.colon"), words.say(`level.${rule.effort}`));

  function chains(rows) {
    const seen = new Map(rows.filter(([chain]) => chain.length).map(([chain]) => [chain.join(), chain]));
    return [...seen.values()].map((chain) => make("ol", {}, ...chain.map((sentence) => make("li", {}, sentence))));
  }

  function link(url, title = url) {
    if (!url?.startsWith("https://")) return "";
    return make("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, shortened(title, 120));
  }

  function tickets({ tickets: links }) {
    const parts = links.map(([key, url, tracker, state]) =>
      make("span", { class: "block" }, link(url, key) || key, ` (${tracker})${words.say("list.comma")}${state}`));
    return parts.length ? make("span", {}, ...parts) : "";
  }

  function behind(index, { size, people }) {
    const resources = numbers.resources[index];
    return [
      resources > 1 ? words.count("finding.resources", resources) : "",
      size ?? "",
      people ? words.count("finding.people", people) : "",
    ].filter(Boolean).join(" · ");
  }

  // Who gets in, by what, where that is set, what is affected: from the first piece of evidence.
  function way(index, more) {
    const names = findings.rule(index).columns;
    const cell = (name) => {
      const column = names.indexOf(name);
      return (column < 0 ? null : more.evidence[0]?.[column + 1]) ?? "";
    };
    const via = cell("via");
    const audience = cell("audience") || words.label("audience", at("audience", index));
    if (!at("reach", index) || !(via || cell("principal_name"))) return [];
    const stations = [
      ["tools.who", cell("principal_name") || audience],
      ["tools.how", via],
      ["tools.where", cell("origin_name") || at("name", index)],
      ["tools.resources", behind(index, more) || cell("resource_name") || at("name", index)],
    ].filter(([, value]) => value);
    return [heading("tools.access_path"), make("ol", { class: "access-path" }, ...stations.map(([key, value]) =>
      make("li", {}, make("span", { class: "quiet block" }, words.say(key)), shortened(value, 80))))];
  }

  // Where more than this fix is set on the same thing.
  function together(index) {
    const origin = at("origin", index);
    const n = findings.sharing(index);
    if (n <= fixes.together(index).length) return [];
    const href = `#${new URLSearchParams({ origin })}`;
    return [make("p", {}, make("a", { href }, words.count("tools.together", n)))];
  }

  function past({ events, happened }) {
    if (!events.length) return [];
    const line = ([kind, reason, judged], n) => {
      const why = reason && words.has(`event.${reason}`) ? ` (${words.say(`event.${reason}`)})` : "";
      return make("li", {}, `${words.day(happened[n])}${words.say("list.colon")}${words.say(`event.${kind}`)}${why}${judged ? `${words.say("list.stop")}${judged}` : ""}`);
    };
    return [heading("tools.history"), make("ul", {}, ...events.map(line))];
  }

  // The other findings that the same change closes, each to be opened in its turn.
  function also(index) {
    const others = fixes.together(index).filter((other) => other !== index);
    if (!others.length) return [];
    const item = (other) => {
      const severity = data.severities[numbers.severity[other]];
      const state = at("state", other);
      const box = make("details", { id: `finding=${findings.fingerprint(other)}` }, make("summary", {},
        make("span", { class: `badge ${severity}` }, words.say(`severity.${severity}`)), " ",
        make("span", {}, shortened(findings.message(other), 300)),
        ...(state === "open" ? [] : [" ", make("span", { class: "quiet" }, words.say(`state.${state}`))])));
      box.addEventListener("toggle", () => {
        if (!box.open || box.querySelector(".detail")) return;
        const show = () => box.append(detail(other, false));
        if (findings.details.ready(other)) show();
        else findings.details.load(other).then(show);
      });
      return make("li", {}, box);
    };
    return [heading("finding.also"), make("ul", { class: "also" }, ...others.map(item))];
  }

  function controls(rule) {
    const parts = rule.frameworks.map((id) => {
      const [title, url] = data.controls[id] ?? ["", ""];
      return make("span", { class: "block" }, link(url, id) || id, ...(title ? [` ${title}`] : []));
    });
    return parts.length ? make("span", {}, ...parts) : "";
  }

  function rankOf(name, n) {
    const said = name ? words.say("finding.rank_named", { name: words.label("rank", name), n }) : words.say("finding.rank_of", { n });
    return make("span", {}, said, make("span", { class: "quiet block" }, words.say("finding.rank_order")));
  }

  function about(index, { rank, likelihood, impact, last, url }) {
    const rule = findings.rule(index);
    const score = { score: numbers.score[index], likelihood, impact };
    const own = make("a", { href: `#finding=${findings.fingerprint(index)}` }, findings.fingerprint(index));
    return table([
      ["finding.what", [words.label("kind", at("kind", index)), at("name", index)].filter(Boolean).join(" ")],
      ["finding.account", `${words.label("platform", at("platform", index))} ${at("account", index)}`],
      ["finding.owner", at("owner", index)],
      ["finding.path", at("path", index)],
      ["finding.url", link(url)],
      ["finding.uid", at("uid", index)],
      ["finding.seen", words.say("finding.seen_from_to",
        { first: words.day(numbers.first[index]), last: words.day(last) })],
      ["finding.rank", rank ? rankOf(at("rank", index), rank) : ""],
      ["finding.score", words.say("finding.score_of", score)],
      ["finding.confidence", rule.confidence && words.say(`level.${rule.confidence}`)],
      ["finding.cause", rule.cause && words.label("cause", rule.cause)],
      ["finding.rule", rule.title === rule.id ? rule.id : `${rule.title} (${rule.id})`],
      ["finding.frameworks", controls(rule)],
      ["finding.fingerprint", own],
    ]);
  }

  function detail(index, whole = true) {
    const rule = findings.rule(index);
    const state = words.say(`state.${at("state", index)}`);
    const doubt = numbers.verified[index] ? "" : words.say("finding.unverified");
    const more = findings.details.of(index);
    const reasons = chains(more.evidence);
    return make("div", { class: "detail", id: `detail-${index}` },
      table([
        ["finding.who", at("reach", index)],
        ["finding.since", findings.since(index)],
        ["finding.due", NEEDING_WORK.includes(at("state", index)) && findings.due(index)],
        ["finding.reach", behind(index, more)],
        ["finding.change", words.label("change", at("change", index))],
        ["finding.ticket", tickets(more)],
        ["finding.state", [more.waived || state, doubt].filter(Boolean).join(" · ")],
      ], "lead-facts"),
      ...(rule.why ? [heading("finding.why"), prose("p", rule.why)] : []),
      ...(rule.steps.length ? [heading("finding.fix"), effort(rule), ...together(index), remedy(index)] : []),
      ...(whole ? also(index) : []),
      ...way(index, more),
      ...evidence.entries(more),
      ...(reasons.length ? [heading("finding.chain"), ...reasons] : []),
      ...evidence.rows(index, more),
      ...past(more),
      heading("finding.about"), about(index, more));
  }

  return detail;
}
