// The filters: a few that everybody needs, the others behind "more", and a link to what they show.

function makeForm(data, findings, filters, words, tools, on) {
  const { numbers } = findings;
  const form = element("filters");
  const controls = {};
  const more = make("details", { class: "more" });

  function grouped(select, options) {
    const kinds = [...PARTIES].map((kind) => [kind, options.filter(([value]) => value.startsWith(`${kind}:`))]);
    for (const [kind, own] of kinds.filter(([, each]) => each.length)) {
      const label = words.say(`party.${kind}`);
      select.append(make("optgroup", { label: visible(label) },
        make("option", { value: kind }, words.say("findings.all_of", { what: label })),
        ...own.map(([value, title]) => make("option", { value }, title))));
    }
  }

  function choice(facet) {
    const options = filters.options(facet);
    const least = facet === "party" ? 1 : 2;
    if (options.length < least && !(facet === "state" && options.some(([value]) => !NEEDING_WORK.includes(value)))) return [];
    const select = make("select", { id: `filter-${facet}` });
    if (facet === "state") select.append(make("option", { value: "" }, words.say("findings.needs_work")));
    select.append(make("option", { value: facet === "state" ? "any" : "" }, words.say("findings.any")));
    if (facet === "party") grouped(select, options);
    else select.append(...options.map(([value, title]) => make("option", { value }, title)));
    select.addEventListener("change", () => on.change(facet, select.value));
    controls[facet] = select;
    return [make("div", {}, make("label", { for: select.id }, words.say(`findings.${facet}`)), select)];
  }

  function severities() {
    const present = new Set(numbers.severity);
    const boxes = data.severities.map((id, rung) => [id, rung]).filter(([, rung]) => present.has(rung)).toReversed()
      .map(([id]) => [id, make("input", { type: "checkbox", value: id })]);
    const pick = () => on.change("severity", boxes.filter(([, box]) => box.checked).map(([id]) => id).join(","));
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
      waiting = setTimeout(() => on.change("q", input.value.trim()), 120);
    });
    controls.q = input;
    return make("div", { class: "wide" }, make("label", { for: "filter-q" }, words.say("findings.search")), input);
  }

  // Shows in the controls what is wanted, those behind "more" too.
  function show(wanted) {
    for (const [name, control] of Object.entries(controls)) {
      if (name !== "severity") control.value = wanted[name] ?? "";
      else for (const [id, box] of control) box.checked = (wanted.severity ?? "").split(",").includes(id);
    }
    count(wanted, true);
  }

  function count(wanted, reveal = false) {
    const hidden = MORE.filter((facet) => controls[facet] && wanted[facet]).length;
    more.firstElementChild.textContent = hidden ? words.count("findings.more_active", hidden) : words.say("findings.more");
    if (hidden && reveal) more.open = true;
  }

  function button(key, onClick) {
    const made = make("button", { type: "button" }, words.say(key));
    made.addEventListener("click", onClick);
    return made;
  }

  async function copyLink() {
    const line = element("view-link");
    try {
      await navigator.clipboard.writeText(line.href);
    } catch {
      getSelection().selectAllChildren(line);
      document.execCommand("copy");
    }
    element("announced").textContent = words.say("finding.copied");
    setTimeout(() => { element("announced").textContent = ""; }, 2000);
  }

  // The address of what is shown, to be kept or sent to anyone who has the same file.
  function link(address) {
    const line = element("view-link");
    line.parentElement.hidden = !address;
    line.href = address || "#";
    line.textContent = visible(shortened(decodeURI(address), 160));
  }

  function build() {
    const [sort, sorting] = tools.pick("sort", tools.sortNames, on.change);
    const [group, grouping] = tools.pick("group", GROUPS, on.change);
    Object.assign(controls, { sort, group });
    more.append(make("summary", {}), make("div", { class: "fields" }, ...MORE.flatMap(choice)));
    const address = make("p", { class: "view", hidden: "" }, `${words.say("findings.view")}${words.say("list.colon")}`,
      make("a", { id: "view-link", href: "#" }), " ", button("findings.copy_link", copyLink));
    form.append(search(), severities(), ...FEW.flatMap(choice), sorting, grouping, more,
      make("div", { class: "actions" }, button("findings.clear", on.clear), button("tools.csv", on.csv), button("tools.json", on.json)),
      address);
    count({});
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
  }

  return { build, show, count, link };
}
