// The scanner page: takes what the camera, a gun or a person reads, judges it on this phone at once, and asks the
// registry too while there is network. It follows no link, whatever a symbol says.

import { group } from "./codes.js";
import { Lens } from "./lens.js";
import { choose, chosen, forget, keepTold, moment, recall, refresh, witness } from "./store.js";
import { tell } from "./tell.js";
import { graver, noted } from "./told.js";
import { bare, isStale, judge } from "./verify.js";

const page = JSON.parse(document.getElementById("scanner").textContent);
const find = (selector) => document.querySelector(selector);
const form = find("[data-scanner]");
const field = form.elements.namedItem("text");
const verdict = find("[data-verdict]");
const PATIENCE = 700; // milliseconds in which the registry may answer before the phone's own verdict is shown
const GIVE_UP = 8000;
const FRESH_AGAIN = 30 * 60_000;
const SHOWN = 5;
const MINUTE = 60_000;
const PLACE_HOLDS = 10 * MINUTE;

const NOTHING = { keys: new Map(), keysAt: 0, snapshot: null, seenAt: 0, told: new Map() };
let known = NOTHING;
let hearing = Promise.resolve(); // what is kept and what is heard follow one another
let isReady = loadKnown();
let asked = 0;
let count = 0;
let standing = null; // the verdict in sight, if this phone gave it alone

const fill = (text, ...values) => text.replace(/\{(\d)\}/g, (_, place) => values[place]);
// Kazakh numbers and days look as Russian ones do; browsers say that they know Kazakh and then write 3,427 and 2026-11-23.
const locale = page.language === "kk" ? "ru" : page.language;
const exact = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeStyle: "short" });
const number = new Intl.NumberFormat(locale);

function ago(at) {
  const minutes = Math.max(0, Math.round((moment(known) - at) / 60_000));
  if (minutes < 120) return fill(page.words.minutes, number.format(minutes));
  if (minutes < 48 * 60) return fill(page.words.hours, number.format(Math.round(minutes / 60)));
  return fill(page.words.days, number.format(Math.round(minutes / 1440)));
}

function withKnown() {
  return { ...known, hosts: [...page.hosts, location.host], staleAfter: page.stale_after * 1000 };
}

function loadKnown() {
  hearing = hearing.then(async () => {
    try {
      known = await recall();
    } catch {
      // A browser that keeps nothing (a private window) checks with network alone.
    }
  });
  return hearing;
}

// This page has seen this moment, and so has the phone: kept only where there is something that can grow old.
function noteTime() {
  if (!known.keysAt) return;
  known.seenAt = moment(known);
  void witness(known.seenAt).catch(() => {});
}

// ---- Checking ----

async function check(given, { typed }) {
  const text = bare(given);
  if (!text.trim()) return;
  const turn = ++asked;
  standing = null;
  show({ ...page.said.asking, isQuiet: true });
  await isReady;
  noteTime();
  const answer = ask(text, turn);
  const judged = await judge(text, withKnown(), { typed });
  void answer.then((told) => told && hear(judged, told));
  const alone = await graver(judged, known.told, page.said);
  const quick = await Promise.race([answer, new Promise((done) => setTimeout(done, PATIENCE, "slow"))]);
  if (turn !== asked) return;
  if (quick && quick !== "slow") return finish(alone, quick, { isFirst: true });
  showAlone(alone, { isAsking: quick === "slow" });
  remember(alone);
  if (quick !== "slow") return;
  const late = await answer;
  if (turn !== asked) return;
  if (late) finish(alone, late, { isFirst: false });
  else showAlone(alone, { isQuiet: true });
}

// What the registry says; null without network, or when what was read is not for it.
async function ask(text) {
  if (!navigator.onLine || text.length > 500) return null;
  try {
    const about = coarsePlace();
    const address = `${page.check}?${new URLSearchParams({ text, lang: page.language, ...(about && { place: about }) })}`;
    const answer = await fetch(address, { signal: AbortSignal.timeout(GIVE_UP), cache: "no-store" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

// What it says against a mark is not forgotten with the network.
function hear(judged, { found, at }) {
  hearing = hearing.then(async () => {
    const answer = { found, at: Date.parse(at) };
    const told = await noted(known.told, judged, answer);
    known = { ...known, told };
    // A browser that keeps nothing remembers it as long as this page is open.
    await keepTold(judged, answer).catch(() => {});
  });
  return hearing;
}

// The registry knows the state of a mark; what a symbol is, and whether its signature fits, this phone sees itself.
const OWN = new Set(["box", "box_wrong", "state_code", "number", "not_ours", "foreign", "unreadable"]);

function finish(alone, told, { isFirst }) {
  standing = null;
  const own = OWN.has(alone.kind) && !told.is_genuine;
  const said = told.kind ? page.said[told.kind] : own ? page.said[alone.kind] : told.said;
  const facts = told.facts?.length ? told.facts : factsOf(alone);
  show({ ...said, others: told.others, facts, link: told.link, age: own ? "" : page.words.registry });
  if (isFirst) remember({ ...alone, said });
}

function showAlone(alone, { isAsking = false, isQuiet = false }) {
  standing = alone;
  const said = wordsOf(alone);
  const snapshot = known.snapshot;
  let age = "";
  if (alone.toldAt) {
    age = fill(page.words.told_before, exact.format(alone.toldAt), ago(alone.toldAt));
  } else if (alone.code && alone.kind !== "forged" && snapshot) {
    age = fill(page.words.alone, exact.format(snapshot.madeAt), ago(snapshot.madeAt));
    if (isStale(withKnown(), Date.now())) age += ` ${page.words.stale}`;
  }
  if (isAsking) age = `${age} ${page.words.asking}`;
  const others = (alone.others ?? []).map((kind) => page.said[kind]);
  show({ ...said, others, facts: factsOf(alone), age, isQuiet });
}

function wordsOf(alone) {
  if (alone.said) return alone.said;
  if (alone.kind !== "mistyped") return page.said[alone.kind];
  const text = fill(page.faults[alone.fault], alone.character || alone.length);
  return { title: page.faults.title, text, tone: "attention" };
}

function factsOf({ code, statement, signed, sscc, gtin, serial }) {
  const { names } = page;
  if (sscc) return [[names.box, `(00) ${sscc.replace(/^(.)(.{4})(.{4})(.{4})(.{4})(.)$/, "$1 $2 $3 $4 $5 $6")}`]];
  if (gtin) return [[names.gtin, gtin], [names.serial, serial]];
  const facts = code ? [[names.mark, group(code)]] : [];
  if (!signed) return facts;
  if (statement.term) facts.push([names.thing, page.things[statement.term] ?? statement.term]);
  if (statement.origin) facts.push([names.origin, page.origins[statement.origin] ?? statement.origin]);
  if (statement.massG !== null) facts.push([names.mass, fill(page.words.grams, number.format(statement.massG))]);
  if (statement.datedOn) {
    const day = new Intl.DateTimeFormat(locale, { dateStyle: "short", timeZone: "UTC" });
    facts.push([names.day, day.format(Date.parse(statement.datedOn))]);
  }
  facts.push([names.signature, page.words.signed]);
  return facts;
}

// ---- Drawing ----

function make(name, { className = "", text = "" } = {}) {
  const element = document.createElement(name);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

const drawIcon = (tone) => find(`template[data-tone="${tone}"]`).content.cloneNode(true);

function show({ title, text, tone, others = [], facts = [], link = "", age = "", isQuiet = false }) {
  verdict.hidden = false;
  verdict.className = `verdict verdict-${tone}`;
  verdict.querySelector(".verdict-icon").replaceChildren(drawIcon(tone));
  verdict.querySelector(".verdict-title").textContent = title;
  verdict.querySelector(".verdict-text").textContent = text;
  find("[data-age]").textContent = age;
  find("[data-others]").replaceChildren(...others.map(drawOther));
  const list = find("[data-facts] dl");
  list.replaceChildren(...facts.map(([name, value]) => drawFact(name, value, link)));
  find("[data-facts]").hidden = !facts.length;
  find("[data-compare]").hidden = !facts.length || tone === "neutral";
  if (isQuiet) return;
  tell(tone);
  verdict.scrollIntoView({ block: "nearest" });
}

function drawOther({ title, text, tone }) {
  const notice = make("p", { className: `notice notice-${tone}` });
  const words = make("span");
  words.append(make("strong", { text: `${title}.` }), ` ${text}`);
  notice.append(drawIcon(tone), " ", words);
  return notice;
}

function drawFact(name, value, link) {
  const [fact, told] = [make("div"), make("dd")];
  const isCode = name === page.names.mark || name === page.names.box;
  const words = make(link && isCode ? "a" : "span", { className: isCode ? "code" : "", text: value });
  if (link && isCode) words.href = link;
  told.append(words);
  fact.append(make("dt", { text: name }), told);
  return fact;
}

// The last five, in this page's memory only.
function remember(alone) {
  const said = wordsOf(alone);
  const line = make("li");
  line.append(drawIcon(said.tone), " ");
  const what = alone.code ? group(alone.code) : alone.sscc || alone.gtin || "";
  if (what) line.append(make("span", { className: "code", text: what }), " ");
  line.append(make("span", { text: said.title }));
  const list = find("[data-latest] ol");
  list.prepend(line);
  while (list.children.length > SHOWN) list.lastElementChild.remove();
  find("[data-count]").textContent = `(${number.format(++count)})`;
  find("[data-latest]").hidden = false;
}

// ---- Roughly where ----

// Only when the person has switched it on: a region, or the position to a tenth of a degree, which is about ten
// kilometres. It is rounded before it is kept anywhere, even in this page.
const where = { isOn: find("[data-place-on]"), region: find("[data-place-region]"), said: find("[data-place-said]") };
let about = { text: "", at: 0 };

function coarsePlace() {
  if (!where.isOn.checked) return "";
  if (where.region.value) return where.region.value;
  if (Date.now() - about.at > PLACE_HOLDS / 2) locate();
  return Date.now() - about.at > PLACE_HOLDS ? "" : about.text;
}

function locate() {
  navigator.geolocation?.getCurrentPosition(
    ({ coords }) => {
      about = { text: `${coords.latitude.toFixed(1)},${coords.longitude.toFixed(1)}`, at: Date.now() };
      sayPlace();
    },
    () => sayPlace(true),
    { enableHighAccuracy: false, maximumAge: PLACE_HOLDS, timeout: 10_000 },
  );
  if (!navigator.geolocation) sayPlace(true);
}

function sayPlace(isUnknown = false) {
  const isOn = where.isOn.checked;
  const text = where.region.value ? where.region.selectedOptions[0].textContent : about.text;
  where.said.textContent = !isOn ? page.words.place_off : text ? fill(page.words.place_on, text) : isUnknown ? page.words.place_unknown : "";
  where.region.closest("[data-place-more]").hidden = !isOn;
}

function placeChosen() {
  void choose("place", { isOn: where.isOn.checked, region: where.region.value }).catch(() => {});
  about = { text: "", at: 0 };
  sayPlace();
  if (where.isOn.checked && !where.region.value) locate();
}

async function recallPlace() {
  const { isOn = false, region = "" } = (await chosen("place").catch(() => null)) ?? {};
  where.isOn.checked = isOn;
  where.region.value = region;
  where.isOn.disabled = false;
  sayPlace();
  if (isOn && !region) locate();
}

// ---- What this phone knows ----

function showKnown(message = "") {
  const isOld = isStale(withKnown(), Date.now());
  const { snapshot } = known;
  let words = page.words.nothing;
  if (snapshot) {
    const marks = number.format(snapshot.records.length / 5);
    words = fill(page.words.fresh, marks, exact.format(snapshot.madeAt), ago(snapshot.madeAt));
    if (isOld) words += ` ${page.words.stale}`;
  }
  const notice = find("[data-freshness]");
  const tone = isOld ? "attention" : "ok";
  notice.className = `notice notice-${tone}`;
  notice.querySelector("[aria-hidden]").replaceChildren(drawIcon(tone));
  notice.querySelector("[data-words]").textContent = `${words} ${message}`;
  find("[data-known]").hidden = false;
}

let fetching;

// One at a time: whoever asks meanwhile waits for the same answer.
function fetchKnown() {
  fetching ??= fetchNow().finally(() => {
    fetching = undefined;
  });
  return fetching;
}

async function fetchNow() {
  showKnown(page.words.fetching);
  let message = "";
  try {
    await refresh({ keysUrl: page.keys, indexUrl: page.index });
  } catch (error) {
    message = error.name === "SnapshotError" ? page.words.refused : page.words.not_fetched;
  }
  await loadKnown();
  showKnown(message);
  await wipeRevoked().catch(() => {});
}

// A lost phone is wiped at its next contact, whichever page has it.
async function wipeRevoked() {
  const databases = (await indexedDB.databases?.()) ?? [];
  if (!databases.some((one) => one.name === "saiga-notebook")) return;
  const outbox = await import("./outbox.js");
  if (await outbox.isRevoked({ hello: page.hello })) await outbox.wipe();
}

// ---- Camera ----

const buttons = { open: find("[data-open]"), close: find("[data-close]"), torch: find("[data-torch]") };
const view = find("[data-view]");
const lens = new Lens({
  video: view.querySelector("video"),
  script: page.reader,
  wasm: page.wasm,
  onRead(texts) {
    // Beside a state code or another symbol ours is the one that proves something.
    const ours = texts.find((text) => /\/m\//i.test(text));
    check(ours ?? texts[0], { typed: false });
  },
});

async function openCamera() {
  view.hidden = false;
  const noCamera = find("[data-no-camera]");
  noCamera.hidden = true;
  buttons.open.hidden = true;
  buttons.close.hidden = false;
  try {
    await lens.open();
  } catch {
    closeCamera();
    view.hidden = false;
    noCamera.hidden = false;
    field.focus();
    return;
  }
  buttons.torch.hidden = !lens.hasTorch;
  buttons.torch.setAttribute("aria-pressed", "false");
}

function closeCamera() {
  lens.close();
  view.hidden = true;
  buttons.open.hidden = !navigator.mediaDevices;
  buttons.close.hidden = true;
  buttons.torch.hidden = true;
}

async function switchTorch() {
  const isOn = buttons.torch.getAttribute("aria-pressed") !== "true";
  try {
    await lens.light(isOn);
    buttons.torch.setAttribute("aria-pressed", String(isOn));
  } catch {
    buttons.torch.hidden = true;
  }
}

// ---- Without network ----

async function installWorker() {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register(page.worker, { scope: "/", updateViaCache: "none" });
  const offer = () => {
    if (registration.waiting && navigator.serviceWorker.controller) find("[data-update]").hidden = false;
  };
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", offer));
  offer();
  let isAgreed = false;
  find("[data-update] button").addEventListener("click", () => {
    isAgreed = true;
    registration.waiting?.postMessage("update");
  });
  navigator.serviceWorker.addEventListener("controllerchange", () => isAgreed && location.reload());
}

let installing;
addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault();
  installing = event;
  find("[data-install]").hidden = false;
});

// ---- The page ----

form.addEventListener("submit", (event) => {
  event.preventDefault();
  check(field.value, { typed: true });
  field.select();
});
// A gun types wherever the focus is: anything typed outside a field goes into the field.
document.addEventListener("keydown", (event) => {
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, button, a, [contenteditable]")) return;
  field.value = "";
  field.focus();
});
buttons.open.addEventListener("click", openCamera);
buttons.close.addEventListener("click", closeCamera);
buttons.torch.addEventListener("click", switchTorch);
addEventListener("pagehide", closeCamera);
addEventListener("online", fetchKnown);
addEventListener("hashchange", checkHash);
find("[data-refresh]").addEventListener("click", fetchKnown);
find("[data-install]").addEventListener("click", async () => {
  find("[data-install]").hidden = true;
  await installing?.prompt();
});
find("[data-forget]").addEventListener("click", async () => {
  if (!confirm(page.words.really)) return;
  await fetching;
  await forget();
  where.isOn.checked = false;
  sayPlace();
  known = NOTHING;
  showKnown(page.words.forgotten);
});

// Time passes: the age that is shown grows, and what was green turns amber when it is too old.
function pass() {
  if (fetching) return;
  noteTime();
  showKnown();
  if (standing?.kind === "in_order" && isStale(withKnown(), Date.now())) {
    showAlone({ ...standing, kind: "stale", stale: true }, { isQuiet: true });
  }
}

function checkHash() {
  if (location.hash.length < 2) return;
  let text = location.hash.slice(1);
  try {
    text = decodeURIComponent(text);
  } catch {
    // Then it is taken as it stands.
  }
  history.replaceState(null, "", location.pathname + location.search);
  check(text, { typed: false });
}

const theme = /(?:^|; )theme=(light|dark)/.exec(document.cookie);
if (theme) document.documentElement.dataset.bsTheme = theme[1];
buttons.open.hidden = !navigator.mediaDevices;
where.isOn.addEventListener("change", placeChosen);
where.region.addEventListener("change", placeChosen);
await isReady;
await recallPlace();
noteTime();
showKnown();
checkHash();
if (navigator.onLine) fetchKnown();
setInterval(() => navigator.onLine && fetchKnown(), FRESH_AGAIN);
setInterval(pass, MINUTE);
installWorker().catch(() => {});
