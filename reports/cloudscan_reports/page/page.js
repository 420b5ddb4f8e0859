// The list: filter, page, open, remember in the address. The order of the data is the order of work.

const PAGE = matchMedia("(max-width: 52rem)").matches ? 20 : 50;
const PRINTED = 400; // fixes on paper; a file has all of them
const MOST_GROUPS = 200;

function start(data) {
  const words = makeWords(data);
  const findings = makeFindings(data, words);
  const filters = makeFilters(data, words, findings);
  const fixes = makeFixes(findings.numbers);
  const rows = makeRows(data, findings, words, makeDetail(data, findings, words, fixes));
  const tools = makeTools(data, findings, words);
  const [status, list, pager, rest] = ["count", "list", "pager", "rest"].map(element);
  let wanted = {};
  let shown = [];
  let listed = [];
  let open = -1;

  const form = makeForm(data, findings, filters, words, tools, {
    change(name, value) {
      wanted = { ...wanted, [name]: value, page: 1 };
      closeAll();
      form.count(wanted);
      refresh();
    },
    clear() {
      wanted = {};
      closeAll();
      form.show(wanted);
      refresh();
    },
    csv: () => tools.saveCsv(shown),
    json: () => tools.saveJson(shown),
  });

  function closeAll() {
    open = -1;
    rows.close();
  }

  function render(from = ((wanted.page ?? 1) - 1) * PAGE, most = PAGE, forPrint = false) {
    const { made, reopen } = rows.rows(listed.slice(from, from + most), from, (index) => {
      open = index;
      remember();
    }, forPrint);
    list.replaceChildren(...made.map(({ item }) => item));
    reopen(made);
    return made;
  }

  function statusOf(pages) {
    if (!listed.length) return words.say("findings.none");
    const from = (wanted.page - 1) * PAGE;
    const range = { from: number(from + 1), to: number(Math.min(from + PAGE, listed.length)), n: number(listed.length) };
    const each = listed.length === shown.length;
    if (pages > 1) return words.say(each ? "findings.shown" : "findings.shown_fixes", { ...range, findings: number(shown.length) });
    return each ? words.count("findings.count", shown.length)
      : words.count("findings.fixes", listed.length, { findings: number(shown.length) });
  }

  function refresh() {
    shown = tools.sorted(filters.matching(wanted), wanted.sort);
    listed = wanted.group === "none" ? fixes.single(shown) : fixes.of(shown);
    if (GROUPS.includes(wanted.group) && wanted.group !== "none") {
      renderGroups();
      remember();
      return;
    }
    const pages = Math.max(Math.ceil(listed.length / PAGE), 1);
    wanted.page = Math.min(Math.max(Number.parseInt(wanted.page, 10) || 1, 1), pages);
    render();
    status.textContent = statusOf(pages);
    pager.hidden = pages === 1;
    pager.querySelector("span").textContent = words.say("findings.page", { n: wanted.page, of: pages });
    pager.firstElementChild.setAttribute("aria-disabled", String(wanted.page <= 1));
    pager.lastElementChild.setAttribute("aria-disabled", String(wanted.page >= pages));
    remember();
  }

  function renderGroups() {
    const facet = wanted.group;
    const groups = tools.grouped(shown, filters.valuesOf(facet));
    list.replaceChildren(...groups.slice(0, MOST_GROUPS).map((group) =>
      rows.group(group, group.value && filters.title(facet, group.value), () => {
        wanted = { ...wanted, group: "", [facet]: group.value, page: 1 };
        form.show(wanted);
        refresh();
        status.scrollIntoView();
      })));
    status.textContent = words.count("tools.groups", groups.length);
    pager.hidden = true;
  }

  function remember() {
    const kept = Object.entries(wanted).filter(([name, value]) => value && !(name === "page" && value === 1));
    if (open >= 0) kept.push(["finding", findings.fingerprint(open)]);
    const address = kept.length ? `#${new URLSearchParams(kept)}` : "";
    if (address) history.replaceState(null, "", address);
    else if (location.hash.includes("=")) history.replaceState(null, "", location.pathname);
    form.link(address);
  }

  function recall() {
    if (!location.hash.includes("=")) return;
    const remembered = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const { finding, ...filter } = remembered;
    wanted = filter;
    closeAll();
    open = finding ? findings.find(finding) : -1;
    if (open >= 0) turnTo(open);
    form.show(wanted);
    refresh();
    if (open >= 0) reveal(open);
    else document.getElementById("findings-title").scrollIntoView();
  }

  const placeOf = (index) => listed.findIndex(({ lead, others }) => lead === index || others.includes(index));

  // Turns to the page that shows a finding, dropping filters that would hide it.
  function turnTo(index) {
    if (wanted.group !== "none") delete wanted.group;
    if (!filters.matches(wanted, index)) wanted = {};
    if (!filters.matches(wanted, index)) wanted = { state: "any" };
    shown = tools.sorted(filters.matching(wanted), wanted.sort);
    listed = wanted.group === "none" ? fixes.single(shown) : fixes.of(shown);
    wanted.page = Math.floor(placeOf(index) / PAGE) + 1;
  }

  // Opens a finding, and where it is not the one that leads its fix, the one that does before it.
  async function reveal(index) {
    const { lead } = listed[placeOf(index)];
    const item = document.getElementById(`finding=${findings.fingerprint(lead)}`);
    const button = item?.querySelector("h3 > button");
    if (button?.getAttribute("aria-expanded") === "false") {
      await findings.details.load(lead);
      button.click();
      open = index;
      remember();
    }
    const own = lead === index ? null : document.getElementById(`finding=${findings.fingerprint(index)}`);
    if (own) own.open = true;
    (own ?? item)?.scrollIntoView();
    (own?.querySelector("summary") ?? button)?.focus({ preventScroll: true });
  }

  function turn(by, button) {
    if (button.getAttribute("aria-disabled") === "true") return;
    wanted.page += by;
    closeAll();
    refresh();
    status.scrollIntoView();
  }

  function build() {
    form.build();
    const previous = make("button", { type: "button" }, words.say("findings.previous"));
    const next = make("button", { type: "button" }, words.say("findings.next"));
    previous.addEventListener("click", () => turn(-1, previous));
    next.addEventListener("click", () => turn(1, next));
    pager.append(previous, make("span"), next);
  }

  // Paper has all fixes that the filters show, a few lines each; what is open stays open.
  function forPaper() {
    if (GROUPS.includes(wanted.group) && wanted.group !== "none") return;
    render(0, PRINTED, true);
    status.textContent = statusOf(1);
    rest.hidden = listed.length <= PRINTED;
    rest.textContent = words.count("findings.not_printed", Math.max(listed.length - PRINTED, 0));
  }

  function afterPaper() {
    rest.hidden = true;
    refresh();
  }

  document.getElementById("still").hidden = true;
  if (findings.size) {
    build();
    if (!location.hash.includes("=")) refresh();
    recall();
    filters.prepare();
    findings.details.loadAll();
    addEventListener("hashchange", recall);
    addEventListener("beforeprint", forPaper);
    addEventListener("afterprint", afterPaper);
    WIDE.addEventListener("change", refresh);
  }
  if (PAGE < 50) for (const fold of document.querySelectorAll("details.fold")) fold.open = false;
  document.documentElement.dataset.ready = "yes";
  performance.mark("ready");
}

loaded().then(start).catch((error) => {
  document.getElementById("broken").hidden = false;
  throw error;
});
