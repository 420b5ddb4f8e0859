// The list: filter, page, open, remember in the address. The order of the data is the order of work.

const PAGE = 50;
const PRINTED = 200;
function start(data) {
  const words = makeWords(data);
  const findings = makeFindings(data, words);
  const filters = makeFilters(data, words, findings);
  const detail = makeDetail(findings, words);
  const tools = makeTools(data, findings, words);
  const { details, numbers } = findings;
  const [form, status, list, pager] = ["filters", "count", "list", "pager"].map(element);
  const severityOf = (index) => data.severities[numbers.severity[index]];
  const controls = {};
  let wanted = {};
  let shown = [];
  let open = -1;

  function row(index, order) {
    const severity = severityOf(index);
    const fingerprint = findings.fingerprint(index);
    const button = make("button", { type: "button", "aria-expanded": "false", "aria-controls": `detail-${index}` },
      shortened(findings.message(index), 300));
    const facts = make("p", { class: "facts" },
      make("span", { class: "order" }, `#${number(index + 1)}`),
      make("span", {}, findings.at("reach", index)),
      make("span", {}, findings.sinceInShort(index)),
      make("span", {}, words.label("platform", findings.at("platform", index)), " ", shortened(findings.at("account", index), 60)));
    const state = findings.at("state", index);
    const marks = [
      words.label("change", findings.at("change", index)),
      state === "open" ? "" : words.say(`state.${state}`),
      numbers.verified[index] ? "" : words.say("findings.unverified"),
      shortened(findings.at("ticket", index), 60),
    ].filter(Boolean);
    if (marks.length) facts.append(make("span", {}, [...new Set(marks)].join(" · ")));
    const item = make("li", { class: `row ${severity}`, id: `finding=${fingerprint}`, value: order },
      make("div", { class: "head" },
        make("span", { class: `badge ${severity}` }, words.say(`severity.${severity}`)),
        make("h3", {}, button)),
      facts);
    button.classList.add("clamp");
    const isOpen = () => button.getAttribute("aria-expanded") === "true";
    const unfold = () => {
      if (isOpen() && !item.querySelector(".detail")) item.append(detail(index));
    };
    const toggle = (expanded) => {
      if (expanded === isOpen()) return;
      button.setAttribute("aria-expanded", String(expanded));
      if (!expanded) item.querySelector(".detail")?.remove();
      else if (details.ready(index)) unfold();
      else details.load(index).then(unfold);
    };
    button.addEventListener("click", () => {
      const expanded = !isOpen();
      toggle(expanded);
      open = expanded ? index : -1;
      remember();
    });
    return { item, button, toggle };
  }

  function render(from = ((wanted.page ?? 1) - 1) * PAGE, most = PAGE, expanded = null) {
    const rows = shown.slice(from, from + most).map((index, n) => [index, row(index, from + n + 1)]);
    list.replaceChildren(...rows.map(([, shownRow]) => shownRow.item));
    for (const [index, shownRow] of rows) if (expanded ?? index === open) shownRow.toggle(true);
    return rows;
  }

  function refresh() {
    shown = tools.sorted(filters.matching(wanted), wanted.sort);
    if (GROUPS.includes(wanted.group)) {
      renderGroups();
      remember();
      return;
    }
    const pages = Math.max(Math.ceil(shown.length / PAGE), 1);
    wanted.page = Math.min(Math.max(Number.parseInt(wanted.page, 10) || 1, 1), pages);
    render();
    const from = (wanted.page - 1) * PAGE;
    const range = { from: number(from + 1), to: number(Math.min(from + PAGE, shown.length)), n: number(shown.length) };
    status.textContent = !shown.length ? words.say("findings.none")
      : pages === 1 ? words.count("findings.count", shown.length) : words.say("findings.shown", range);
    pager.hidden = pages === 1;
    pager.querySelector("span").textContent = words.say("findings.page", { n: wanted.page, of: pages });
    pager.firstElementChild.setAttribute("aria-disabled", String(wanted.page <= 1));
    pager.lastElementChild.setAttribute("aria-disabled", String(wanted.page >= pages));
    remember();
  }

  function renderGroups() {
    const facet = wanted.group;
    const groups = tools.grouped(shown, filters.valueOf(facet));
    const line = ({ value, n, score, first }) => {
      const button = make("button", { type: "button" }, value ? shortened(filters.title(facet, value), 120) : words.say("tools.unknown"));
      button.disabled = !value;
      button.addEventListener("click", () => {
        wanted = { ...wanted, group: "", [facet]: value, page: 1 };
        fillControls();
        refresh();
        document.getElementById("count").scrollIntoView();
      });
      const severity = severityOf(first);
      return make("li", { class: `row ${severity}` },
        make("div", { class: "head" }, make("span", { class: `badge ${severity}` }, words.say(`severity.${severity}`)), make("h3", {}, button)),
        make("p", { class: "facts group" }, make("span", {}, words.count("findings.count", n)),
          make("span", {}, `${words.say("finding.score")} ${number(score)}`), make("span", {}, shortened(findings.message(first), 120))));
    };
    list.replaceChildren(...groups.slice(0, PRINTED).map(line));
    status.textContent = words.count("tools.groups", groups.length);
    pager.hidden = true;
  }

  function remember() {
    const kept = Object.entries(wanted).filter(([name, value]) => value && !(name === "page" && value === 1));
    if (open >= 0) kept.push(["finding", findings.fingerprint(open)]);
    if (kept.length) history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
    else if (location.hash.includes("=")) history.replaceState(null, "", location.pathname);
  }

  function recall() {
    if (!location.hash.includes("=")) return;
    const remembered = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const { finding, ...rest } = remembered;
    wanted = rest;
    open = finding ? findings.find(finding) : -1;
    if (open >= 0) turnTo(open);
    fillControls();
    refresh();
    if (open >= 0) reveal(open);
    else document.getElementById("findings-title").scrollIntoView();
  }

  // Turns to the page that shows a finding, dropping filters that would hide it.
  function turnTo(index) {
    delete wanted.group;
    if (!filters.matches(wanted, index)) wanted = {};
    if (!filters.matches(wanted, index)) wanted = { state: "any" };
    wanted.page = Math.floor(tools.sorted(filters.matching(wanted), wanted.sort).indexOf(index) / PAGE) + 1;
  }

  function reveal(index) {
    const item = document.getElementById(`finding=${findings.fingerprint(index)}`);
    item?.scrollIntoView();
    item?.querySelector("button").focus({ preventScroll: true });
  }

  function change(name, value) {
    wanted = { ...wanted, [name]: value, page: 1 };
    open = -1;
    refresh();
  }

  function choice(facet) {
    const options = filters.options(facet);
    if (options.length < 2 && !(facet === "state" && options.some(([value]) => !NEEDING_WORK.includes(value)))) return [];
    const select = make("select", { id: `filter-${facet}` });
    if (facet === "state") select.append(make("option", { value: "" }, words.say("findings.needs_work")));
    select.append(make("option", { value: facet === "state" ? "any" : "" }, words.say("findings.any")));
    select.append(...options.map(([value, title]) => make("option", { value }, title)));
    select.addEventListener("change", () => change(facet, select.value));
    controls[facet] = select;
    return [make("div", {}, make("label", { for: select.id }, words.say(`findings.${facet}`)), select)];
  }

  function severities() {
    const present = new Set(numbers.severity);
    const boxes = data.severities.map((id, rung) => [id, rung]).filter(([, rung]) => present.has(rung)).toReversed()
      .map(([id]) => [id, make("input", { type: "checkbox", value: id })]);
    const pick = () => change("severity", boxes.filter(([, box]) => box.checked).map(([id]) => id).join(","));
    for (const [, box] of boxes) box.addEventListener("change", pick);
    controls.severity = boxes;
    return make("fieldset", { class: "wide" }, make("legend", {}, words.say("findings.severity")),
      make("div", { class: "chips" }, ...boxes.map(([id, box]) => make("label", {}, box, words.say(`severity.${id}`)))));
  }

  function search() {
    const input = make("input", { type: "search", id: "filter-q", autocomplete: "off", spellcheck: "false",
      placeholder: words.say("findings.search_hint") });
    let waiting = 0;
    input.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => change("q", input.value.trim()), 120);
    });
    controls.q = input;
    return make("div", { class: "wide" }, make("label", { for: "filter-q" }, words.say("findings.search")), input);
  }

  function fillControls() {
    for (const [name, control] of Object.entries(controls)) {
      if (name !== "severity") control.value = wanted[name] ?? "";
      else for (const [id, box] of control) box.checked = (wanted.severity ?? "").split(",").includes(id);
    }
  }

  function turn(by, button) {
    if (button.getAttribute("aria-disabled") === "true") return;
    wanted.page += by;
    open = -1;
    refresh();
    document.getElementById("count").scrollIntoView();
  }

  function build() {
    const clear = make("button", { type: "button" }, words.say("findings.clear"));
    clear.addEventListener("click", () => {
      wanted = {};
      open = -1;
      fillControls();
      refresh();
    });
    const [sort, sorting] = tools.pick("sort", tools.sortNames, change);
    const [group, grouping] = tools.pick("group", GROUPS, change);
    Object.assign(controls, { sort, group });
    const takeCsv = make("button", { type: "button" }, words.say("tools.csv"));
    const takeJson = make("button", { type: "button" }, words.say("tools.json"));
    takeCsv.addEventListener("click", () => tools.saveCsv(shown));
    takeJson.addEventListener("click", () => tools.saveJson(shown));
    form.append(search(), severities(), ...FACETS.flatMap(choice), sorting, grouping,
      make("div", { class: "actions" }, clear, takeCsv, takeJson));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    const previous = make("button", { type: "button" }, words.say("findings.previous"));
    const next = make("button", { type: "button" }, words.say("findings.next"));
    previous.addEventListener("click", () => turn(-1, previous));
    next.addEventListener("click", () => turn(1, next));
    pager.append(previous, make("span"), next);
  }

  document.getElementById("still").hidden = true;
  if (findings.size) {
    build();
    if (!location.hash.includes("=")) refresh();
    recall();
    filters.prepare();
    details.loadAll();
    addEventListener("hashchange", recall);
    addEventListener("beforeprint", () => render(0, PRINTED, true));
    addEventListener("afterprint", () => render());
  }
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
}

loaded().then(start).catch((error) => {
  document.getElementById("broken").hidden = false;
  throw error;
});
