// Commands to paste, filled by the rules of cloudscan/text/shell.py. tests/reports/commands.json specifies both.

const FIELD = /(--[a-z][a-z-]*[ =])?\{([a-z_][a-z0-9_]*|[A-Z][A-Z0-9_]*)\}/g;
const READ_FROM_ELSEWHERE = { aws: /^(fileb?|https?):\/\//i, az: /^@/ };
const NOT_SEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/u;

// The value as one word of a shell; null if it cannot be typed as it is.
function shellWord(shell, template, option, value) {
  if (!shell || NOT_SEEN.test(value)) return null;
  if (shell === "powershell") return `${option}'${value.replace(/['\u2018-\u201b]/g, "$&$&")}'`;
  if (READ_FROM_ELSEWHERE[template.split(" ", 1)[0]]?.test(value)) return null;
  const quoted = /^[A-Za-z0-9_/.][A-Za-z0-9_@%+=:,./-]*$/.test(value) ? value : "'" + value.replaceAll("'", `'"'"'`) + "'";
  if (!value.startsWith("-")) return option + quoted;
  return option ? `${option.slice(0, -1)}=${quoted}` : null;
}

// The command with its values, and the words in it that the reader has to replace; null if a value cannot be typed.
function filledCommand(template, shell, fields) {
  const missing = new Set();
  let refused = false;
  const text = template.replace(FIELD, (_, option = "", name) => {
    const value = Object.hasOwn(fields, name) ? fields[name] : "";
    if (!value) {
      missing.add(name.toUpperCase());
      return option + name.toUpperCase();
    }
    const word = shellWord(shell, template, option, value);
    refused ||= word === null;
    return word ?? "";
  });
  return refused ? null : { text, missing: [...missing] };
}
