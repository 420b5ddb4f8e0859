// A row of the list: a fix, led by its strongest finding, and what opens below it, or beside the list where it is wide.

const WIDE = matchMedia("(min-width: 110rem)");

function makeRows(data, findings, words, detail) {
  const { details, numbers } = findings;
  const beside = element("beside");
  const opened = new Set();
  const severityOf = (index) => data.severities[numbers.severity[index]];
  const badge = (severity) => make("span", { class: `badge ${severity}` }, words.say(`severity.${severity}`));

  function marks(index) {
    const state = findings.at("state", index);
    return [...new Set([
      words.label("change", findings.at("change", index)),
      state === "open" ? "" : words.say(`state.${state}`),
      numbers.verified[index] ? "" : words.say("findings.unverified"),
      shortened(findings.at("ticket", index), 60),
    ].filter(Boolean))];
  }

  function due(index) {
    const left = NEEDING_WORK.includes(findings.at("state", index)) ? findings.daysLeft(index) : null;
    if (left === null) return [];
    return [make("span", left < 0 ? { class: "overdue" } : {}, findings.due(index, ["findings.due_on", "findings.overdue_on"]))];
  }

  // The weaker findings of a fix, by their rules: what else is wrong with the same thing.
  function weaker(others) {
    if (!others.length) return [];
    const titles = [...new Set(others.map((index) => findings.rule(index).title))];
    const names = shortened(titles.slice(0, 3).join(words.say("list.comma")), 200) + (titles.length > 3 ? " …" : "");
    return [make("p", { class: "weaker" }, `${words.count("findings.also", others.length)}${words.say("list.colon")}${names}`)];
  }

  function facts(index) {
    const owner = findings.at("owner", index);
    return make("p", { class: "facts" },
      make("span", { class: "order" }, `#${number(index + 1)}`),
      make("span", {}, findings.at("reach", index)),
      make("span", {}, findings.sinceInShort(index)),
      make("span", {}, words.label("platform", findings.at("platform", index)), " ", shortened(findings.at("account", index), 60)),
      ...due(index),
      ...(owner ? [make("span", { class: "owner" }, shortened(owner, 60))] : []),
      ...marks(index).map((mark) => make("span", { class: "mark" }, mark)));
  }

  function place(index, item) {
    if (!WIDE.matches || printing) {
      item.append(detail(index));
      return;
    }
    beside.replaceChildren(make("h3", {}, shortened(findings.message(index), 300)), detail(index));
    beside.scrollTop = 0;
  }

  const hint = () => beside.replaceChildren(make("p", { class: "quiet" }, words.say("findings.beside")));
  let printing = false;
  let current = null;

  function row({ lead: index, others }, order, onToggle) {
    const severity = severityOf(index);
    const button = make("button", { type: "button", class: "clamp", "aria-expanded": "false", "aria-controls": `detail-${index}` },
      shortened(findings.message(index), 300));
    const item = make("li", { class: `row ${severity}`, id: `finding=${findings.fingerprint(index)}`, value: order },
      make("div", { class: "head" }, badge(severity), make("h3", {}, button)), ...weaker(others), facts(index));
    const isOpen = () => button.getAttribute("aria-expanded") === "true";
    const unfold = () => {
      if (isOpen() && !document.getElementById(`detail-${index}`)) place(index, item);
    };
    const toggle = (expanded) => {
      if (expanded === isOpen()) return;
      if (expanded && WIDE.matches && !printing) current?.toggle(false);
      button.setAttribute("aria-expanded", String(expanded));
      item.classList.toggle("current", expanded);
      if (expanded) opened.add(index);
      else opened.delete(index);
      current = expanded ? { toggle } : null;
      if (!expanded) {
        const below = item.querySelector(".detail");
        if (below) below.remove();
        else if (WIDE.matches) hint();
      } else if (details.ready(index)) unfold();
      else details.load(index).then(unfold);
    };
    button.addEventListener("click", () => {
      toggle(!isOpen());
      onToggle(isOpen() ? index : -1);
    });
    return { index, item, toggle };
  }

  // Rows of fixes from a place in the order of work on; those that are open stay open.
  function rows(fixes, from, onToggle, forPrint = false) {
    const open = new Set(opened);
    printing = forPrint;
    current = null;
    opened.clear();
    hint();
    return {
      made: fixes.map((fix, n) => row(fix, from + n + 1, onToggle)),
      reopen: (made) => {
        for (const one of made) if (open.has(one.index)) one.toggle(true);
      },
    };
  }

  // One row for a group of findings.
  function group({ n, score, first }, title, onChosen) {
    const button = make("button", { type: "button" }, shortened(title || words.say("tools.unknown"), 120));
    button.disabled = !title;
    button.addEventListener("click", onChosen);
    const severity = severityOf(first);
    return make("li", { class: `row ${severity}` },
      make("div", { class: "head" }, badge(severity), make("h3", {}, button)),
      make("p", { class: "facts group" }, make("span", {}, words.count("findings.count", n)),
        make("span", {}, `${words.say("finding.score")} ${number(score)}`), make("span", {}, shortened(findings.message(first), 120))));
  }

  const close = () => opened.clear();
  hint();
  return { rows, group, close };
}
