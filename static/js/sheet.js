// The weighing table: filled by keyboard or scale like a spreadsheet, saved while one types, nothing lost.
// A row is known by its number. What the server has of it is its `base`; what differs is sent, and until the server
// has it, kept in this browser.

const form = document.querySelector("[data-sheet]");
const setup = JSON.parse(document.getElementById("sheet-setup").textContent);
const words = setup.words;
const body = form.querySelector("[data-rows]");
const register = document.querySelector("[data-register]");
const stateLine = form.querySelector("[data-state]");
const sprite = document.querySelector("svg.icon use").getAttribute("href").split("#")[0];
const draftKey = `weighing:${setup.intake}`;
const SAVE_SOON = 300;
const MOST_AT_ONCE = 1000;
const MOST_PASTED = 2000;

let version = setup.version;
let nextRow = setup.nextRow;
// row element → {base: what the server has, unanswered: what was sent and never answered, refused: what it does not
// take, theirs: what somebody else wrote in the same place, misread: pasted words that mean nothing}
const known = new WeakMap();
const unknown = () => ({ base: null, unanswered: null, refused: null, theirs: null, misread: {} });

const say = (text, ...values) => values.reduce((said, value, place) => said.replaceAll(`{${place}}`, value), text);

// A number as the server writes it on the same page.
function figure(number, places = 0) {
  const [whole, part] = number.toFixed(places).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u00a0");
  return part ? grouped + setup.decimal + part : grouped;
}

// --- reading -------------------------------------------------------------------------------------------------

// A number and its unit, as people and scales write it: "0,215", "215 g", "ST,GS,+ 0.215kg".
function readQuantity(text) {
  const tidy = text.toLowerCase().replaceAll(",", ".").replace(/\s+/g, "");
  const plain = /^\+?(\d+\.?\d*|\.\d+)([a-zа-я]*)\.?$/.exec(tidy) ?? /^[a-z.:]+[+]?(\d+\.?\d*)(kg|g)$/.exec(tidy);
  return plain && { number: Number(plain[1]), unit: plain[2] };
}

const FACTORS = {
  mass: { g: 1, г: 1, kg: 1000, кг: 1000 },
  length: { mm: 1, мм: 1, cm: 10, см: 10 },
  count: { mg: 1, мг: 1 },
};

// Whole grams, millimetres or pieces; null for what is none. A horn's mass below ten with a fraction is kilograms: no
// horn weighs a part of ten grams.
function readNumber(field, text) {
  const quantity = readQuantity(text);
  if (!quantity) return null;
  const { number, unit } = quantity;
  const factors = FACTORS[field.kind];
  const isKilograms = field.kind === "mass" && setup.isHorn && number < 10 && !Number.isInteger(number);
  const factor = unit ? factors[unit] : isKilograms ? 1000 : (factors[field.unit] ?? 1);
  if (!factor || (field.kind === "count" && !Number.isInteger(number))) return null;
  return Math.round(Number((number * factor).toFixed(6)));
}

// A day as the server takes it; null for what is none.
function readDay(text) {
  const parts = /^(\d{1,2})\.(\d{1,2})\.(\d{4})$/.exec(text.trim()) ?? /^(\d{4})-(\d{2})-(\d{2})$/.exec(text.trim());
  if (!parts) return null;
  const [year, month, day] = parts[1].length === 4 ? parts.slice(1) : [parts[3], parts[2], parts[1]];
  const written = `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
  const found = new Date(`${written}T00:00:00Z`);
  return Number.isNaN(found.valueOf()) || found.toISOString().slice(0, 10) !== written ? null : written;
}

const codeOf = (field, text) => field.words[text.trim().toLowerCase().replace(/\.$/, "")];
const FIELDS = setup.fields;
const FIELD = Object.fromEntries(FIELDS.map((field) => [field.key, field]));
const NAMES = FIELDS.map((field) => field.key);
const sideOf = (text) => (FIELD.side ? codeOf(FIELD.side, text) : undefined);
const isNumber = (field) => ["mass", "length", "count"].includes(field.kind);

const rows = () => [...body.children];
const numberOf = (row) => Number(row.dataset.row);
const rowOf = (element) => element.closest("[data-row]");
const cell = (row, name) => row.querySelector(`[data-cell="${name}"]`);

function typedIn(row) {
  return Object.fromEntries(NAMES.map((name) => [name, cell(row, name).value]));
}

const isBlank = (typed) => NAMES.every((name) => name === "condition" || !typed[name]?.trim());

// What stands in a cell, as the server takes it: {value}, or {wrong: why not}.
function valueIn(field, text) {
  const said = text.trim();
  if (!said) {
    if (field.required) return { wrong: say(words.missing, field.heading) };
    return { value: isNumber(field) || field.kind === "day" ? null : field.default };
  }
  if (isNumber(field)) {
    const number = readNumber(field, said);
    if (number === null) return { wrong: say(words.wrong, field.heading) };
    const least = field.kind === "count" && !field.required ? 0 : 1;
    if (number < least) return { wrong: say(words.wrong, field.heading) };
    return number > field.most ? { wrong: say(words.tooMuch, field.heading, inUnit(field, field.most)) } : { value: number };
  }
  if (field.kind === "day") {
    const day = readDay(said);
    return day ? { value: day } : { wrong: say(words.wrong, field.heading) };
  }
  if (field.kind === "pair") {
    const tidy = said.replace(/\s|№/g, "").toUpperCase();
    return /^[1-9]\d{0,7}$|^KZ\d{2}-\d{7,11}$/.test(tidy) ? { value: tidy } : { wrong: say(words.wrong, field.heading) };
  }
  return { value: said };
}

// Whole grams of a column in kilograms are typed and shown as kilograms.
function inUnit(field, value) {
  return field.unit === "kg" ? String(value / 1000) : String(value);
}

// What the row says, as the server takes it; or the reasons why it cannot be taken.
function valueOf(row) {
  const typed = typedIn(row);
  const wrong = { ...known.get(row).misread };
  const value = { row: numberOf(row) };
  for (const field of FIELDS) {
    const read = valueIn(field, typed[field.key]);
    if (read.wrong) wrong[field.key] ??= read.wrong;
    else value[field.column] = read.value;
  }
  if (value.straight_mm && value.length_mm && value.straight_mm > value.length_mm) wrong.straight = words.longer;
  if (value.gross_g && value.mass_g && value.gross_g < value.mass_g) wrong.gross = words.gross;
  return Object.keys(wrong).length ? { wrong } : value;
}

const canonical = (value) => JSON.stringify(FIELDS.map((field) => value[field.column]));

// blank · clean · changed · removed · wrong · refused · disputed
function kindOf(row) {
  const { base, refused, theirs } = known.get(row);
  if (theirs) return "disputed";
  if (isBlank(typedIn(row))) return base === null ? "blank" : "removed";
  const value = valueOf(row);
  if (value.wrong) return "wrong";
  if (canonical(value) === base) return "clean";
  return refused && refused.value === canonical(value) ? "refused" : "changed";
}

// --- rows ----------------------------------------------------------------------------------------------------

const NUMBERED = new RegExp(`\\b(why|row|photo|${NAMES.join("|")})-\\d+`, "g");

function numberRow(row, number) {
  row.dataset.row = number;
  row.querySelector(".sheet-no span").textContent = number;
  row.querySelector('[name="line"]').value = number;
  for (const element of row.querySelectorAll("*")) {
    for (const name of ["name", "id", "aria-labelledby", "aria-describedby"]) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replace(NUMBERED, `$1-${number}`));
    }
  }
  for (const picture of row.querySelectorAll("[data-pictures] img")) picture.alt = say(words.photoOf, number);
  row.querySelector("[data-remove] .visually-hidden").textContent = say(words.removeRow, number);
}

function makeRow(number) {
  const row = document.importNode(form.parentElement.querySelector("template[data-line]").content.firstElementChild, true);
  known.set(row, unknown());
  numberRow(row, number);
  row.querySelector("[data-remove]").hidden = false;
  nextRow = Math.max(nextRow, number + 1);
  return row;
}

function insertRow(row) {
  const after = rows().find((other) => numberOf(other) > numberOf(row));
  body.insertBefore(row, after ?? null);
  return row;
}

function fillRow(row, values) {
  for (const field of FIELDS) cell(row, field.key).value = values[field.key] ?? (field.key === "condition" ? field.default : "");
}

// A value of the server as it stands in a cell.
function textOf(field, value) {
  if (value === null || value === undefined || (field.key === "side" && value === "U")) return "";
  return isNumber(field) ? inUnit(field, value) : String(value);
}

function fillFromServer(row, saved) {
  fillRow(row, Object.fromEntries(FIELDS.map((field) => [field.key, textOf(field, saved[field.column])])));
  for (const photo of saved.photos ?? []) showPicture(row, photo);
  Object.assign(known.get(row), unknown(), { base: canonical(saved) });
}

// One empty line at the end, where weighing goes on.
function keepOneBlank() {
  if (!setup.isLast) return;
  const all = rows();
  if (!all.length || kindOf(all.at(-1)) !== "blank") body.append(makeRow(nextRow));
}

// An empty line that others' rows have overtaken goes to the end again, with whoever is about to write on it.
function overtakeBlanks() {
  const last = Math.max(...rows().map(numberOf));
  for (const row of rows().filter((one) => kindOf(one) === "blank" && numberOf(one) !== last)) {
    const name = row.contains(document.activeElement) && document.activeElement.dataset.cell;
    row.remove();
    if (!name) continue;
    numberRow(row, nextRow++);
    body.append(row);
    focusCell(row, name);
  }
}

// --- showing -------------------------------------------------------------------------------------------------

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}

function button(text, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "btn btn-sm";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

// Why a row is asked about: measures outside the band of the rules.
function unusualIn(value) {
  const said = FIELDS.filter(({ band, column }) => band && value[column] !== null && (value[column] < band[0] || value[column] > band[1])).map((field) =>
    say(words.usually, field.heading, field.band[0], field.band[1]),
  );
  if (FIELDS.some((field) => field.band) && value.straight_mm && value.length_mm && 2 * value.straight_mm < value.length_mm) said.push(words.straight);
  return said;
}

function drawRow(row) {
  const kind = kindOf(row);
  const active = row.contains(document.activeElement);
  const state = known.get(row);
  let wrong = {};
  if (kind === "wrong") wrong = valueOf(row).wrong;
  if (kind === "refused") wrong = state.refused.fields;
  // While one is still writing a row, what is missing is no reproach.
  if (active) for (const field of FIELDS) if (field.required && wrong[field.key] && !cell(row, field.key).value.trim()) delete wrong[field.key];
  const value = kind === "wrong" || kind === "blank" || kind === "removed" ? null : valueOf(row);
  const unusual = value && !value.wrong ? unusualIn(value) : [];
  row.classList.toggle("row-stop", Object.keys(wrong).length > 0 || kind === "disputed");
  row.classList.toggle("row-attention", unusual.length > 0 && kind !== "disputed");
  const typed = typedIn(row);
  row.classList.toggle("sheet-said", (typed.condition ?? "whole") !== "whole" || typed.note.trim() !== "");
  for (const name of NAMES) cell(row, name).toggleAttribute("aria-invalid", false);
  for (const name of Object.keys(wrong)) cell(row, name)?.setAttribute("aria-invalid", "true");
  const why = row.querySelector("[data-why]");
  why.replaceChildren();
  if (kind === "disputed") {
    const side = { L: words.left, R: words.right, U: words.unknown }[state.theirs.side ?? "U"];
    why.append(icon("alert-circle"), ` ${say(words.theirs, side, state.theirs.mass_g)} `);
    why.append(button(words.takeTheirs, () => settle(row, true)), button(words.takeMine, () => settle(row, false)));
  } else if (Object.keys(wrong).length) {
    why.append(icon("alert-circle"), ` ${Object.values(wrong).join(" ")}`);
  } else if (unusual.length) {
    why.append(icon("alert-triangle"), ` ${[words.unusual, ...unusual, words.again].join(" ")}`);
  }
  row.querySelector("[data-remove]").classList.toggle("invisible", kind === "blank");
}

function settle(row, takeTheirs) {
  const state = known.get(row);
  if (takeTheirs) fillFromServer(row, state.theirs);
  state.theirs = null;
  changed(row);
  saveSoon(0);
}

const STATES = { saved: ["ok", "circle-check"], saving: ["wait", "loader-2"], unsaved: ["attention", "clock"], offline: ["attention", "wifi-off"], signedOut: ["stop", "login"], refused: ["stop", "alert-circle"], closed: ["stop", "lock"] };

let shownState = "";
function showState(name, detail = "") {
  const [tone, picture] = STATES[name];
  const text = detail || words[name];
  if (shownState === text) return;
  shownState = text;
  stateLine.dataset.tone = tone;
  stateLine.dataset.saved = name === "saved" ? "yes" : "no";
  stateLine.replaceChildren(icon(picture), text);
}

function announce(text) {
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.setAttribute("role", "status");
  form.append(spoken);
  setTimeout(() => (spoken.textContent = text), 50);
  setTimeout(() => spoken.remove(), 4000);
}

function sums() {
  const total = { ...setup.elsewhere };
  for (const row of rows()) {
    const value = valueOf(row);
    if (value.wrong || isBlank(typedIn(row))) continue;
    total.pieces += 1;
    total.grams += value.mass_g;
    total.left += value.side === "L";
    total.right += value.side === "R";
    total.outside += unusualIn(value).length > 0;
  }
  return total;
}

function showSums() {
  const total = sums();
  const shown = {
    pieces: figure(total.pieces),
    grams: say(words.kg, figure(total.grams / 1000, 3)),
    left: figure(total.left),
    right: figure(total.right),
    outside: figure(total.outside),
    ratio: setup.males ? figure(total.pieces / setup.males, 2) : "—",
  };
  for (const place of document.querySelectorAll("[data-sum]")) place.textContent = shown[place.dataset.sum];
  const isExcess = setup.expected !== null && total.pieces > setup.expected;
  document.querySelector("[data-males]")?.classList.toggle("sheet-sum-attention", isExcess);
  register.querySelector("[data-confirm]").hidden = total.outside === 0;
  register.querySelector("[data-explain]").hidden = !isExcess;
  return { ...total, isExcess };
}

function changed(row) {
  drawRow(row);
  keepOneBlank();
  showSums();
  keepDraft();
  if (stateLine.dataset.saved !== "no" && waiting().length) showState("unsaved");
}

// --- this browser's copy of what is not saved yet ------------------------------------------------------------

let absent = {}; // drafts of rows that stand on another page of the table

function waiting() {
  return rows().filter((row) => !["blank", "clean"].includes(kindOf(row)));
}

function keepDraft() {
  const draft = { ...absent };
  for (const row of waiting()) {
    const { base, unanswered, misread } = known.get(row);
    draft[numberOf(row)] = { base, unanswered, misread, typed: typedIn(row) };
  }
  try {
    if (Object.keys(draft).length) localStorage.setItem(draftKey, JSON.stringify(draft));
    else localStorage.removeItem(draftKey);
  } catch {
    // A full or forbidden store: the rows are still on the page and on their way to the server.
  }
}

function readDraft() {
  try {
    return JSON.parse(localStorage.getItem(draftKey) ?? "{}");
  } catch {
    return {};
  }
}

// Put back what an earlier visit could not save. A number that somebody else has used meanwhile is not written over.
async function restoreDraft() {
  const all = rows().filter((row) => kindOf(row) !== "blank").map(numberOf);
  const isHere = (number) => number >= (all[0] ?? 1) && (setup.isLast || number <= all.at(-1));
  for (const [text, draft] of Object.entries(readDraft())) {
    const number = Number(text);
    const row = rows().find((other) => numberOf(other) === number && known.get(other).base !== null);
    if (draft.base === null) {
      if (!setup.isLast) absent[number] = draft;
      else if (!(await isSaved(number, row, draft))) restore(insertRow(makeRow(number < setup.nextRow ? nextRow : number)), draft);
    } else if (row) {
      if (draft.base !== known.get(row).base) known.get(row).theirs = savedIn(row);
      restore(row, draft);
    } else if (!isHere(number)) {
      absent[number] = draft;
    }
  }
}

// True when a new row did reach the server, though its answer never came back.
async function isSaved(number, row, { unanswered }) {
  if (!unanswered || number >= setup.nextRow) return false;
  if (row) return known.get(row).base === unanswered;
  const answer = await ask(`${setup.rows}?first=${number}&last=${number}`);
  return answer?.body.rows?.some((saved) => canonical(saved) === unanswered) ?? false;
}

function restore(row, { typed, unanswered, misread }) {
  fillRow(row, typed);
  Object.assign(known.get(row), { unanswered, misread });
}

function savedIn(row) {
  const values = JSON.parse(known.get(row).base);
  return { row: numberOf(row), ...Object.fromEntries(FIELDS.map((field, place) => [field.column, values[place]])) };
}

// --- saving --------------------------------------------------------------------------------------------------

let timer = 0;
let pause = 1000;
let queue = Promise.resolve(true);

function saveSoon(delay = SAVE_SOON) {
  clearTimeout(timer);
  timer = setTimeout(save, delay);
}

// Sends what has changed, one request after another; true when nothing waits any more.
function save({ leaving = false } = {}) {
  clearTimeout(timer);
  queue = queue.then(() => send(leaving));
  return queue;
}

const isStuck = (row) => ["refused", "wrong", "disputed"].includes(kindOf(row));

function mayGo(row, leaving) {
  // A mass that is being typed is not a mass yet.
  const active = document.activeElement;
  return leaving || !(FIELD[active?.dataset.cell]?.required && rowOf(active) === row && active.dataset.typing);
}

async function send(leaving) {
  const going = waiting().filter((row) => ["changed", "removed"].includes(kindOf(row)) && mayGo(row, leaving)).slice(0, MOST_AT_ONCE);
  if (!going.length) {
    const left = waiting();
    if (!left.length) showState("saved");
    else showState(left.some((row) => isStuck(row) && !row.contains(document.activeElement)) ? "refused" : "unsaved");
    keepDraft();
    return !left.length;
  }
  showState("saving");
  const sent = new Map(going.filter((row) => kindOf(row) === "changed").map((row) => [row, valueOf(row)]));
  const removed = going.filter((row) => !sent.has(row));
  const before = new Map([...sent.keys()].map((row) => [row, known.get(row).unanswered]));
  for (const [row, value] of sent) known.get(row).unanswered = canonical(value);
  keepDraft();
  const answer = await ask(setup.rows, {
    method: "POST",
    keepalive: leaving,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ version, rows: [...sent.values()], removed: removed.map(numberOf) }),
  });
  if (!answer) return false;
  const isOld = answer.body.code === "table-changed";
  for (const row of sent.keys()) known.get(row).unanswered = isOld ? before.get(row) : null;
  if (answer.status === 200) {
    version = answer.body.version;
    for (const [row, value] of sent) known.get(row).base = canonical(value);
    for (const row of removed) forget(row);
    for (const row of going) if (row.isConnected) drawRow(row);
    keepOneBlank();
    showSums();
    return send(leaving);
  }
  if (isOld) return (await merge()) && send(leaving);
  if (answer.body.code === "invalid-transition") {
    showState("closed", answer.body.detail);
  } else {
    refuse(sent, answer.body);
  }
  keepDraft();
  return false;
}

function forget(row) {
  const state = known.get(row);
  state.base = null;
  const isLast = row === body.lastElementChild;
  if (!isLast && isBlank(typedIn(row)) && !row.contains(document.activeElement)) row.remove();
}

// Cells that the server does not take; they are not sent again until they change.
function refuse(sent, answer) {
  for (const [row, value] of sent) {
    const prefix = `rows.${value.row}.`;
    const names = Object.fromEntries(FIELDS.map((field) => [field.column, field.key]));
    const fields = Object.fromEntries(
      Object.entries(answer.fields ?? {})
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, text]) => [names[name.slice(prefix.length)] ?? name.slice(prefix.length), text]),
    );
    if (Object.keys(fields).length) {
      known.get(row).refused = { value: canonical(value), fields };
      drawRow(row);
    }
  }
  showState("refused", answer.fields && Object.keys(answer.fields).length ? "" : answer.detail);
}

function csrfToken() {
  // Signing in again, in another tab, changes the token; the cookie has the new one.
  const cookie = /(?:^|; )csrftoken=([^;]+)/.exec(document.cookie);
  return cookie?.[1] ?? form.elements.csrfmiddlewaretoken.value;
}

// The answer as {status, body}; null when there is none that means anything, and then it is tried again.
async function ask(address, options = {}) {
  let response;
  try {
    response = await fetch(address, { redirect: "manual", ...options, headers: { Accept: "application/json", "X-CSRFToken": csrfToken(), ...options.headers } });
  } catch {
    showState("offline");
    tryLater();
    return null;
  }
  if (response.type === "opaqueredirect" || !response.headers.get("Content-Type")?.includes("json")) {
    if (response.status >= 500) {
      showState("offline");
      tryLater();
    } else {
      showState("signedOut");
    }
    return null;
  }
  pause = 1000;
  return { status: response.status, body: await response.json() };
}

function tryLater() {
  saveSoon(pause);
  pause = Math.min(pause * 2, 30000);
}

// Somebody else has changed the table: take what they wrote, keep what was written here, and never one over the other.
async function merge() {
  const all = rows();
  const first = all.length ? numberOf(all[0]) : 1;
  const upto = setup.isLast ? "" : `&last=${numberOf(all.at(-1))}`;
  const answer = await ask(`${setup.rows}?first=${first}${upto}`);
  if (!answer) return false;
  version = answer.body.version;
  nextRow = Math.max(nextRow, answer.body.last + 1);
  const theirs = new Map(answer.body.rows.map((saved) => [saved.row, saved]));
  const moving = [];
  for (const row of all) {
    const state = known.get(row);
    const saved = theirs.get(numberOf(row));
    const kind = kindOf(row);
    if (!saved) {
      if (state.base !== null && kind === "clean") row.remove();
      state.base = null;
      continue;
    }
    theirs.delete(saved.row);
    if (canonical(saved) === state.base) continue;
    if (kind === "blank" || kind === "clean") {
      fillFromServer(row, saved);
    } else if (state.base === null && state.unanswered === canonical(saved)) {
      state.base = canonical(saved); // it was saved, only the answer was lost
    } else if (state.base === null) {
      moving.push([row, saved]);
    } else {
      const mine = valueOf(row);
      state.base = canonical(saved);
      state.theirs = !mine.wrong && canonical(mine) === state.base ? null : saved;
    }
  }
  for (const saved of theirs.values()) fillFromServer(insertRow(makeRow(saved.row)), saved);
  for (const [row, saved] of moving) {
    row.remove();
    fillFromServer(insertRow(makeRow(saved.row)), saved);
    numberRow(row, nextRow++);
    insertRow(row);
  }
  overtakeBlanks();
  for (const row of rows()) drawRow(row);
  keepOneBlank();
  showSums();
  keepDraft();
  return true;
}

// --- photos --------------------------------------------------------------------------------------------------

function showPicture(row, key) {
  const address = say(setup.photo, key);
  const place = row.querySelector("[data-pictures]");
  if ([...place.querySelectorAll("a")].some((link) => link.getAttribute("href") === address)) return;
  const link = document.createElement("a");
  link.className = "sheet-shown";
  link.href = address;
  link.target = "_blank";
  link.rel = "noopener";
  const picture = document.createElement("img");
  picture.className = "sheet-picture";
  picture.src = `${address}?small`;
  picture.loading = "lazy";
  picture.alt = say(words.photoOf, numberOf(row));
  link.append(picture);
  place.append(link);
}

function takePhoto(row) {
  if (valueOf(row).wrong) {
    announce(words.photoFirst);
    showState("unsaved", words.photoFirst);
    focusCell(row, "mass");
    return;
  }
  row.querySelector("[data-photo]").click();
}

async function sendPhotos(row, input) {
  const files = [...input.files];
  if (!files.length) return;
  input.value = "";
  if (valueOf(row).wrong) return takePhoto(row);
  for (const typing of row.querySelectorAll("[data-typing]")) delete typing.dataset.typing;
  await save();
  if (known.get(row).base === null) return showState("unsaved", words.photoFirst);
  for (const file of files) {
    const packet = new FormData();
    packet.append("photo", file);
    if (form.querySelector("[data-scale-bar]").checked) packet.append("scale_bar", "yes");
    showState("saving");
    const answer = await ask(`${setup.rows}${numberOf(row)}/photo/`, { method: "POST", body: packet });
    if (!answer) return;
    if (answer.status !== 200) {
      return showState("refused", say(words.photoFailed, [answer.body.detail, ...Object.values(answer.body.fields ?? {})].join(" ")));
    }
    showPicture(row, answer.body.photo);
    announce(say(words.photoSaved, numberOf(row)));
  }
  await save();
}

// --- keyboard and scale --------------------------------------------------------------------------------------

const PHOTO_KEYS = ["*", "f", "ф"];
const skipLength = form.querySelector("[data-skip-length]");
const showExtra = form.querySelector("[data-show-extra]");
const scaleBar = form.querySelector("[data-scale-bar]");
const FIRST = NAMES[0];

function focusCell(row, name) {
  const target = cell(row, name);
  target.focus();
  target.select?.();
}

function neighbour(row, step) {
  return step > 0 ? row.nextElementSibling : row.previousElementSibling;
}

// The columns that are seen, from left to right.
function shownFields() {
  return FIELDS.filter((field) => !field.isExtra || (showExtra?.checked ?? true));
}

// The cells one goes through with Enter: for horns side, mass and lengths; for the rest all but condition and note.
function way() {
  const cells = shownFields().filter((field) => {
    if (["condition", "note"].includes(field.key)) return false;
    return !(setup.isHorn && skipLength.checked && field.kind === "length");
  });
  return cells.map((field) => field.key);
}

function goOn(row, name) {
  keepOneBlank();
  if (name === "condition" && FIELD.note) return focusCell(row, "note");
  const cells = way();
  const following = cells[cells.indexOf(name) + 1];
  if (cells.includes(name) && following) return focusCell(row, following);
  const next = neighbour(row, 1);
  if (next) focusCell(next, FIRST);
}

// What was typed, as it is kept: "0,215" becomes 215.
function tidyCell(row, name) {
  const field = FIELD[name];
  const element = cell(row, name);
  if (!isNumber(field) || !element.value.trim()) return;
  const number = readNumber(field, element.value);
  if (number !== null) element.value = inUnit(field, number);
}

function commit(element) {
  const row = rowOf(element);
  const name = element.dataset.cell;
  delete element.dataset.typing;
  tidyCell(row, name);
  delete known.get(row).misread[name];
  changed(row);
  saveSoon();
}

function setSide(row, side) {
  cell(row, "side").value = side === "U" ? "" : side;
  commit(cell(row, "side"));
}

body.addEventListener("keydown", (event) => {
  const target = event.target.closest("[data-cell]");
  if (!target || event.isComposing || event.ctrlKey || event.metaKey) return;
  const row = rowOf(target);
  const name = target.dataset.cell;
  // A function key would be no gesture in the browser's eyes, and no chooser would open.
  if ((isNumber(FIELD[name]) || name === "side") && PHOTO_KEYS.includes(event.key.toLowerCase()) && !event.altKey) {
    event.preventDefault();
    commit(target);
    takePhoto(row);
  } else if (event.key === "Enter" && !event.altKey) {
    event.preventDefault();
    commit(target);
    if (isNumber(FIELD[name]) && target.value.trim() && readNumber(FIELD[name], target.value) === null) target.select();
    else goOn(row, name);
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    const other = neighbour(row, event.key === "ArrowDown" ? 1 : -1);
    if (other) focusCell(other, name);
  } else if (name === "side" && !event.altKey && event.key.length === 1) {
    const side = sideOf(event.key);
    if (side) {
      event.preventDefault();
      setSide(row, side);
      focusCell(row, "mass");
    } else if (/[\d.,]/.test(event.key)) {
      // A scale, or somebody who does not tell sides, begins with the mass.
      event.preventDefault();
      focusCell(row, "mass");
      cell(row, "mass").value = event.key;
      cell(row, "mass").dataset.typing = "yes";
    }
  }
});

body.addEventListener("input", (event) => {
  const target = event.target.closest("[data-cell]");
  if (!target) return;
  target.dataset.typing = "yes";
  delete known.get(rowOf(target)).misread[target.dataset.cell];
  changed(rowOf(target));
});

body.addEventListener("change", (event) => {
  const target = event.target;
  if (target.matches("[data-photo]")) sendPhotos(rowOf(target), target);
  else if (target.matches("[data-cell]")) commit(target);
});

body.addEventListener("focusout", (event) => {
  const row = rowOf(event.target);
  if (!row) return;
  const target = event.target.closest("[data-cell]");
  if (target?.dataset.typing) commit(target);
  if (!row.contains(event.relatedTarget)) setTimeout(() => row.isConnected && drawRow(row));
});

body.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-remove]");
  if (!pressed) return;
  const row = rowOf(pressed);
  const number = numberOf(row);
  const next = neighbour(row, 1) ?? neighbour(row, -1);
  fillRow(row, {});
  known.get(row).theirs = null;
  known.get(row).misread = {};
  changed(row);
  announce(say(words.rowRemoved, number));
  if (next) focusCell(next, FIRST);
  if (known.get(row).base === null && row !== body.lastElementChild) row.remove();
  saveSoon(0);
});

// --- pasting from a spreadsheet ------------------------------------------------------------------------------

function cutLines(text) {
  const lines = text.replaceAll("\r", "").replace(/\n+$/, "").split("\n").map((line) => line.split("\t"));
  // Numbers before the sides are the spreadsheet's own.
  const isNumbered = setup.isHorn && lines.some((line) => line.length > 1 && sideOf(line[1])) && lines.every((line) => !sideOf(line[0]));
  return isNumbered ? lines.map((line) => line.slice(1)) : lines;
}

function pasteCell(row, name, text) {
  const field = FIELD[name];
  if (field.kind !== "choice") {
    cell(row, name).value = text.trim();
    return;
  }
  if (!text.trim()) return;
  const code = codeOf(field, text);
  if (code) cell(row, name).value = code === "U" ? "" : code;
  else known.get(row).misread[name] = say(words.notKnown, field.heading, text.trim());
}

body.addEventListener("paste", (event) => {
  const target = event.target.closest("[data-cell]");
  const text = event.clipboardData.getData("text/plain");
  if (!target || !/[\t\n]/.test(text.trim())) return;
  event.preventDefault();
  // Into the columns that are seen: a spreadsheet has no hidden ones.
  const shown = shownFields().map((field) => field.key);
  const columns = shown.slice(shown.indexOf(target.dataset.cell));
  let lines = cutLines(text);
  const massAt = columns.indexOf("mass");
  if (lines.length > 1 && massAt >= 0 && readNumber(FIELD.mass, lines[0][massAt] ?? "") === null) lines = lines.slice(1); // its head
  if (lines.length > MOST_PASTED) return showState("refused", words.tooMany);
  let row = rowOf(target);
  for (const line of lines) {
    line.slice(0, columns.length).forEach((value, place) => pasteCell(row, columns[place], value));
    for (const name of NAMES) {
      delete cell(row, name).dataset.typing;
      tidyCell(row, name);
    }
    drawRow(row);
    if (!row.nextElementSibling && setup.isLast) body.append(makeRow(nextRow));
    if (!row.nextElementSibling) break;
    row = row.nextElementSibling;
  }
  changed(row);
  announce(say(words.pasted, lines.length));
  focusCell(row, FIRST);
  saveSoon(0);
});

// --- registering ---------------------------------------------------------------------------------------------

let mayLeave = false;
const trouble = register.querySelector("[data-register-error]");

function stop(text, element) {
  trouble.textContent = text;
  trouble.hidden = false;
  element?.focus();
}

register.addEventListener("submit", async (event) => {
  if (mayLeave) return;
  event.preventDefault();
  const pressed = event.submitter;
  trouble.hidden = true;
  const total = showSums();
  const ended = await save();
  const first = waiting()[0];
  if (!ended || first) return stop(words.wait, first && cell(first, "mass"));
  if (!total.pieces) return stop(words.nothing);
  if (total.outside && !register.elements.confirm_band.checked) return stop(words.confirm, register.elements.confirm_band);
  if (total.outside && !register.elements.band_reason.value.trim()) return stop(words.why, register.elements.band_reason);
  if (total.isExcess && !register.elements.explanation.value.trim()) return stop(words.explain, register.elements.explanation);
  register.elements.version.value = version;
  mayLeave = true;
  // In a task of its own: with nothing to wait for, this is still the first submit event, and a second one would not fire.
  setTimeout(() => register.requestSubmit(pressed));
});
addEventListener("pageshow", () => (mayLeave = false));

// --- beginning -----------------------------------------------------------------------------------------------

// A choice of this person on this device.
function remember(box, name, then = () => {}) {
  if (!box) return;
  box.checked = localStorage.getItem(name) === "yes";
  box.addEventListener("change", () => {
    localStorage.setItem(name, box.checked ? "yes" : "no");
    then();
  });
  then();
}

async function begin() {
  form.classList.add("scripted");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save();
  });
  for (const row of rows()) {
    const saved = row.hasAttribute("data-saved");
    known.set(row, unknown());
    row.querySelector("[data-remove]").hidden = false;
    if (saved) known.get(row).base = canonical(valueOf(row));
  }
  for (const row of rows()) if (kindOf(row) === "blank") row.remove();
  await restoreDraft();
  for (const row of rows()) drawRow(row);
  keepOneBlank();
  showSums();
  showState(waiting().length ? "unsaved" : "saved");
  if (waiting().length) saveSoon(0);
  for (const option of form.querySelectorAll("[data-option]")) option.hidden = false;
  form.querySelector("[data-keys]").hidden = false;
  // On a phone the table comes first; what was entered before is one tap away.
  if (matchMedia("(max-width: 767.98px)").matches) document.querySelector("[data-facts]").open = false;
  remember(skipLength, "weighing:no-lengths");
  remember(scaleBar, "weighing:scale-bar");
  remember(showExtra, "weighing:all-measures", () => form.classList.toggle("sheet-short", !showExtra.checked));
  if (setup.isLast && matchMedia("(pointer: fine)").matches && !document.querySelector("[data-error-summary]")) focusCell(body.lastElementChild, FIRST);
}

addEventListener("online", () => saveSoon(0));
addEventListener("focus", () => waiting().length && saveSoon(0));
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden" && waiting().length) save({ leaving: true });
});

begin();
