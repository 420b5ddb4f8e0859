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

const numerals = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const number = (n) => numerals.format(n);

// Days in the organisation's time zone; in UTC where the browser's own database does not have it.
function calendarOf(timeZone) {
  const parts = { calendar: "gregory", numberingSystem: "latn", year: "numeric", month: "numeric", day: "numeric" };
  try {
    return new Intl.DateTimeFormat("en", { ...parts, timeZone });
  } catch {
    return new Intl.DateTimeFormat("en", { ...parts, timeZone: "UTC" });
  }
}

function makeWords(data) {
  const at = (key) => key.split(".").reduce((table, part) => table[part], data.texts);
  const say = (key, values = {}) => at(key).replace(/\{([a-z_]+)\}/g, (_, field) => String(values[field]));
  const count = (key, n, values = {}) => say(`${key}.${n === 1 ? "one" : "other"}`, { n: number(n), ...values });
  const has = (key) => {
    const [group, name] = key.split(".");
    return Object.hasOwn(data.texts[group], name);
  };
  const label = (group, id) => (Object.hasOwn(data.labels[group] ?? {}, id) ? data.labels[group][id] : id);

  const calendar = calendarOf(data.timezone);

  const partsOf = (moment) => Object.fromEntries(calendar.formatToParts(moment).map((part) => [part.type, Number(part.value)]));
  const dayOf = ({ year: y, month: m, day: d }) => say("time.day", { y, m, d, month: data.texts.time.months[m - 1] });

  function day(seconds) {
    const moment = new Date(seconds * 1000);
    return moment.getUTCFullYear() === 9999 ? say("time.never") : dayOf(partsOf(moment));
  }

  // The organisation's days since 1970, so that moments can be compared by their days. Most findings share a few moments.
  const numbered = new Map();
  function dayNumber(seconds) {
    if (!numbered.has(seconds)) {
      const { year, month, day: d } = partsOf(new Date(seconds * 1000));
      numbered.set(seconds, Date.UTC(year, month - 1, d) / 86_400_000);
    }
    return numbered.get(seconds);
  }

  function dayNumbered(days) {
    const date = new Date(days * 86_400_000);
    return dayOf({ year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() });
  }

  function ago(seconds) {
    const days = Math.max(Math.floor((data.now - seconds) / 86400), 0);
    return days ? count("time.days_ago", days) : say("time.today");
  }

  return { say, has, count, label, day, dayNumber, dayNumbered, ago };
}

function fill(template, fields) {
  return template.replace(/\{([a-z_][a-z0-9_]*)\}/g, (whole, name) =>
    Object.hasOwn(fields, name) && fields[name] !== undefined ? fields[name] : whole);
}
