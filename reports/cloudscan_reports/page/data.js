// What the page carries: the list as one element, what an open finding shows as parcels in another.

const element = (id) => document.getElementById(id);

function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index += 1) bytes[index] = text.charCodeAt(index);
  return bytes;
}

function hexOf(bytes) {
  if (bytes.toHex) return bytes.toHex();
  const pairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
  return Array.from(bytes, (byte) => pairs[byte]).join("");
}

async function unpacked(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("gzip"));
  return await new Response(stream).json();
}

// The numbers of strings (docs/page-format.md): 0 is the next string of the pool, n > 0 the one at n - 1 again.
function resolve(table) {
  let next = 0;
  const walk = (numbers) => {
    for (let index = 0; index < numbers.length; index += 1) {
      const number = numbers[index];
      if (Array.isArray(number)) walk(number);
      else if (number === 0) numbers[index] = next++;
      else if (number > 0) numbers[index] = number - 1;
    }
  };
  for (const column of Object.values(table.strings)) walk(column);
  return table;
}

const ofPattern = (pattern, slots) => pattern.map((part) => (typeof part === "number" ? slots[part] : part)).join("");

function makeReader(table, slotsOf) {
  return (number, index) => {
    if (number >= 0) return table.pool[number];
    return number === -1 ? null : ofPattern(table.patterns[-2 - number], slotsOf(index));
  };
}

async function loaded() {
  const { type, textContent } = element("data");
  return resolve(type === "application/json" ? JSON.parse(textContent) : await unpacked(textContent));
}

// The details of findings by their index in the list. Small pages have them ready, large ones unpack them in idle time.
function makeDetails(size, slotsOf) {
  const { type, textContent } = element("details");
  const parcels = textContent.split("\n");
  const open = [];
  const at = (index) => Math.floor(index / size);

  function ready(index) {
    const parcel = at(index);
    if (type === "application/json") open[parcel] ??= resolve(JSON.parse(parcels[parcel]));
    return parcel in open;
  }

  async function load(index) {
    if (!ready(index)) open[at(index)] = resolve(await unpacked(parcels[at(index)]));
  }

  async function loadAll() {
    for (let parcel = 0; parcel < parcels.length; parcel += 1) {
      await new Promise((done) => { (globalThis.requestIdleCallback ?? setTimeout)(done); });
      await load(parcel * size);
    }
  }

  // One finding's details, their strings read.
  function of(index) {
    const table = open[at(index)];
    const row = index % size;
    const text = makeReader(table, slotsOf);
    const read = (value) => (Array.isArray(value) ? value.map(read) : text(value, index));
    return {
      ...Object.fromEntries(Object.entries(table.numbers).map(([name, column]) => [name, column[row]])),
      ...Object.fromEntries(Object.entries(table.strings).map(([name, column]) => [name, read(column[row])])),
    };
  }

  return { ready, load, loadAll, of };
}
