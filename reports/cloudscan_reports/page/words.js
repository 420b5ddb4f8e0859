// Texts that the page shows. Everything that third parties wrote passes `visible` and is set as textContent.

// The same characters as in visible.py.
const CONTROL = /[\x00-\x1f\x7f]/g;
const UNSEEN = /[\x80-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const hex = (character, width) => character.codePointAt(0).toString(16).padStart(width, "0");

function visible(text) {
  return text
    .replace(CONTROL, (character) => String.fromCharCode(character === "\x7f" ? 0x2421 : 0x2400 + character.charCodeAt(0)))
    .replace(UNSEEN, (character) => `⟦U+${hex(character, 4).toUpperCase()}⟧`);
}

const shortened = (text, most) => (text.length <= most ? text : text.slice(0, most - 1) + "…");

function forShell(value) {
  if (/^[A-Za-z0-9_@%+=:,./-]+$/.test(value)) return value;
  if (!value.match(CONTROL) && !value.match(UNSEEN)) return "'" + value.replaceAll("'", `'"'"'`) + "'";
  const escaped = value
    .replace(/[\\']/g, "\\$&")
    .replace(CONTROL, (character) => "\\x" + hex(character, 2))
    .replace(UNSEEN, (character) => "\\U" + hex(character, 8));
  return `$'${escaped}'`;
}

const numerals = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const number = (n) => numerals.format(n);

function makeWords(data) {
  const at = (key) => key.split(".").reduce((table, part) => table[part], data.texts);
  const say = (key, values = {}) => at(key).replace(/\{([a-z_]+)\}/g, (_, field) => String(values[field]));
  const count = (key, n, values = {}) => say(`${key}.${n === 1 ? "one" : "other"}`, { n: number(n), ...values });
  const has = (key) => {
    const [group, name] = key.split(".");
    return Object.hasOwn(data.texts[group], name);
  };
  const label = (group, id) => (Object.hasOwn(data.labels[group] ?? {}, id) ? data.labels[group][id] : id);

  function day(seconds) {
    const moment = new Date(seconds * 1000);
    if (moment.getUTCFullYear() === 9999) return say("time.never");
    const m = moment.getUTCMonth();
    return say("time.day", {
      y: moment.getUTCFullYear(), m: m + 1, d: moment.getUTCDate(), month: data.texts.time.months[m],
    });
  }

  // Days since 1970, so that two moments can be compared by their days.
  const dayNumber = (seconds) => Math.floor(seconds / 86400);

  function ago(seconds) {
    const days = Math.max(Math.floor((data.now - seconds) / 86400), 0);
    return days ? count("time.days_ago", days) : say("time.today");
  }

  return { say, has, count, label, day, dayNumber, ago };
}

function fill(template, fields, quote = (value) => value) {
  return template.replace(/\{([a-z_][a-z0-9_]*)\}/g, (whole, name) =>
    Object.hasOwn(fields, name) && fields[name] !== undefined ? quote(fields[name]) : whole);
}
