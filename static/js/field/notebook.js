// The notebook: horns, receptions and photos recorded without network. Everything is kept on the phone first and sent
// when the network returns; what waits is always in sight. Nothing is asked twice: the outbox sees to that.

import { group, parse } from "./codes.js";
import { Lens } from "./lens.js";
import * as outbox from "./outbox.js";
import { looksSigned, read } from "./payload.js";
import { forget } from "./store.js";
import { tell } from "./tell.js";
import { withoutAddress } from "./verify.js";

const page = JSON.parse(document.getElementById("notebook").textContent);
const { words, urls } = page;
const find = (selector) => document.querySelector(selector);
const fill = (text, ...values) => text.replace(/\{(\d)\}/g, (_, place) => values[place]);
// Kazakh days look as Russian ones do; browsers say that they know Kazakh and then write 2026-11-23.
const exact = new Intl.DateTimeFormat(page.language === "kk" ? "ru" : page.language, { dateStyle: "short", timeStyle: "short" });

const EVERY = 30_000; // milliseconds between two looks whether something can be sent
const LONGEST_WAIT = 5 * 60_000;
const PLACE_HOLDS = 2 * 60_000;
const MOST_PHOTO_BYTES = 20 * 1024 * 1024;
const MOST_PHOTOS = 12;
const LABEL_BYTES = 5;
const MOST_USED = 2_000;

const weigh = find("[data-weigh]");
const intake = find("[data-intake]");
let pack = null;
let labels = new Set();
let photos = [];
let confirmed = "";
let mending = null; // the record that is being corrected
let place = null;
let trouble = "";
let pause = EVERY;
let nextTry = 0;
let isBusy = false;
let isWanted = false;

// ---- What waits ----

async function showWaiting() {
  const { records, photos: files, refused, oldest } = await outbox.waiting();
  const count = records + files;
  const tone = trouble === "sign_in" || trouble === "another" ? "stop" : count || refused ? "attention" : "ok";
  const box = find("[data-status]");
  box.className = `notice notice-${tone} notebook-waits`;
  box.dataset.records = records;
  box.dataset.photos = files;
  box.querySelector(".state-icon").replaceChildren(find(`[data-sign=${count ? "wait" : tone}]`).content.cloneNode(true));
  const counts = files ? `${records} + ${fill(words.photos, files)}` : String(records);
  box.dataset.refused = refused;
  const waits = count ? fill(words.waits, counts) : refused ? "" : words.waits_none;
  find("[data-waits]").textContent = [waits, refused && fill(words.photos_refused, refused)].filter(Boolean).join(" · ");
  find("[data-oldest]").textContent = oldest ? fill(words.oldest, exact.format(new Date(oldest))) : "";
  find("[data-said]").textContent = words[trouble] ?? trouble;
  find("[data-send]").hidden = !count;
  find("[data-sign-in]").hidden = trouble !== "sign_in";
}

async function showLast() {
  const [all, refused] = [await outbox.records(), await outbox.refusedPhotos()];
  const photosOf = (record) => refused.filter((photo) => photo.record === record.uuid);
  const isOpen = (record) => ["conflict", "refused"].includes(record.state) || photosOf(record).length > 0;
  const shown = [...all.filter(isOpen), ...all.filter((record) => !isOpen(record)).slice(-12)];
  shown.sort((one, other) => other.sequence - one.sequence);
  find("[data-last]").replaceChildren(
    ...shown.map((record) => {
      const line = document.createElement("li");
      line.value = record.sequence;
      line.dataset.state = record.state;
      const state = words[isTakenBack(record) ? "state_taken_back" : `state_${record.state}`];
      line.textContent = `${words[`act_${record.act}`]}: ${record.title} — ${state}`;
      if (record.number) line.textContent += ` · ${record.number}${record.row ? ` / ${record.row}` : ""}`;
      if (isOpen(record)) {
        line.className = "notice notice-attention";
        for (const text of [record.detail, record.advice]) {
          if (text) line.append(Object.assign(document.createElement("p"), { textContent: text }));
        }
      }
      line.append(...actsOf(record), ...photosOf(record).map(refusedPhoto));
      return line;
    }),
  );
}

const isTakenBack = (record) => record.state === "waiting" && Boolean(record.payload?.taken_back);
const isUnsent = (record) => record.state === "waiting" && !record.tried && !isTakenBack(record);

// A horn is corrected while its table is open; what was never sent is taken back.
function actsOf(record) {
  const isOpen = record.state === "waiting" || (pack?.intakes ?? []).some((one) => one.id === record.intake);
  if (record.act === "row" && !record.isOff && record.payload?.row && isOpen && !isStuck(record)) {
    return [lineButton(words.correct, () => startMending(record))];
  }
  if (record.act !== "row" && isUnsent(record)) return [lineButton(words.take_back, () => takeBackLine(record))];
  return [];
}

// A photo that the register will not take stays on the phone until its person decides.
function refusedPhoto({ uuid, name, problem }) {
  const part = document.createElement("p");
  part.dataset.refusedPhoto = "";
  part.append(`${fill(words.photo_refused, name)} ${problem} `);
  const act = async (work) => {
    await work;
    await afterKeeping();
  };
  part.append(
    lineButton(words.photo_again, () => void act(outbox.sendAgain(uuid))),
    " ",
    lineButton(words.photo_drop, () => confirm(words.photo_drop_sure) && void act(outbox.dropPhoto(uuid))),
  );
  return part;
}

const isStuck = (record) => ["conflict", "refused", "set_aside"].includes(record.state);

function lineButton(text, act) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: text });
  button.addEventListener("click", act);
  return button;
}

async function takeBackLine(record) {
  const rows = (await outbox.records()).filter((one) => one.payload?.opening === record.uuid && !one.payload.taken_back);
  if (rows.length) return alert(words.take_back_rows);
  const reason = prompt(words.take_back_why)?.trim();
  if (!reason) return;
  if (!(await outbox.takeBack(record.sequence, reason.slice(0, 200)))) alert(words.sent_meanwhile);
  await showIntakes();
  await afterKeeping();
}

// ---- Sending ----

async function connect({ isAsked = false } = {}) {
  // What was kept while something was being sent follows at once.
  isWanted ||= isBusy;
  if (isBusy || !(await outbox.kept("key")) || isBusy) return;
  if (!isAsked && Date.now() < nextTry) return;
  isBusy = true;
  trouble = "sending";
  await showWaiting();
  try {
    await withSignIn(() =>
      outbox.inTurn([
        () => outbox.send(urls, () => void showWaiting()),
        () => outbox.fetchNews(urls),
        async () => usePack(await outbox.fetchPack(urls)),
        greetOnce,
      ]),
    );
    trouble = "";
    pause = EVERY;
    nextTry = 0;
  } catch (error) {
    if (outbox.mustWipe(error)) return wipeAll(words.wiped);
    trouble = troubleOf(error);
    // Others are let through first where many come back to the network at once.
    pause = Math.min(pause * 2, LONGEST_WAIT);
    nextTry = Date.now() + pause * (0.5 + Math.random() / 2);
  } finally {
    isBusy = false;
  }
  if ((await outbox.waiting()).records) navigator.serviceWorker?.ready.then(askForSync).catch(() => {});
  await showWaiting();
  await showLast();
  if (isWanted && !trouble) {
    isWanted = false;
    void connect();
  }
}

// Who is signed in here is signed in on this phone: the registry then ends that when the phone is revoked.
async function greetOnce() {
  if (greetOnce.isDone || navigator.onLine === false) return;
  try {
    await outbox.greet(urls);
  } catch (error) {
    if (outbox.mustWipe(error) || !(error instanceof outbox.Refused)) throw error;
  }
  greetOnce.isDone = true;
}

// The key of the phone holds as long as a session: a fresh sign-in renews it.
async function withSignIn(work) {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof outbox.Refused) || error.code !== "sign-in-needed") throw error;
    await outbox.greet(urls);
    await work();
  }
}

function troubleOf(error) {
  if (!(error instanceof outbox.Refused)) return navigator.onLine ? "failed" : "offline";
  if (error.code === "device-of-another") return "another";
  if (error.status === 401 || error.status === 403) return "sign_in";
  return error.detail || "failed";
}

async function askForSync(registration) {
  await registration.sync?.register("notebook-send");
}

async function wipeAll(said) {
  await outbox.wipe();
  await forget().catch(() => {});
  find("[data-notebook]").hidden = true;
  find("[data-gone]").hidden = false;
  find("[data-gone]").textContent = said;
}

// ---- Lists of the pack ----

function option(value, text) {
  return Object.assign(document.createElement("option"), { value, textContent: text });
}

function usePack(found) {
  if (!found) return;
  // The page is in the language that is read now; the pack is in the one of the day it was fetched.
  pack = { ...found, ...page.choices };
  const bytes = Uint8Array.from(atob(pack.labels), (sign) => sign.charCodeAt(0));
  labels = new Set();
  for (let at = 0; at < bytes.length; at += LABEL_BYTES) labels.add(bytes.subarray(at, at + LABEL_BYTES).join());
  const fillSelect = (selector, options) => {
    const select = find(selector);
    const chosen = select.value;
    select.replaceChildren(...options);
    if ([...select.options].some((one) => one.value === chosen)) select.value = chosen;
  };
  fillSelect("#r-store", pack.stores.map((one) => option(one.code, `${one.code} ${one.name}`)));
  fillSelect("#s-store", pack.rooms.map((one) => option(one.code, `${one.code} ${one.name}`)));
  fillSelect("#r-permit", pack.permits.map((one) => option(one.number, one.number)));
  fillSelect("#r-brigade", pack.brigades.map((one) => option(one.id, one.name)));
  fillSelect("#s-case", [
    option("", words.new_case),
    ...pack.cases.map((one) => option(one.number, [one.number, one.erdr, one.protocol].filter(Boolean).join(" · "))),
  ]);
  fillSelect("#s-agency", [option("", "—"), ...pack.agencies.map((one) => option(one.bin, one.name))]);
  fillSelect("#s-detection", [option("", "—"), ...pack.detections.map((one) => option(one.code, one.name))]);
  showNewCase();
  fillSelect("#condition", Object.entries(pack.conditions).map(([code, name]) => option(code, name)));
  find("[data-open-removal]").hidden = !(pack.stores.length && pack.permits.length && pack.brigades.length);
  find("[data-open-seizure]").hidden = !pack.rooms.length;
  showSides();
  find("[data-pack]").textContent = pack.at ? fill(words.pack_age, exact.format(new Date(pack.at))) : "";
  void showIntakes();
}

function showSides() {
  const box = find("[data-sides]");
  if (box.children.length) return;
  for (const [code, name] of Object.entries(pack.sides)) {
    const button = Object.assign(document.createElement("input"), { type: "radio", name: "side", value: code });
    button.id = `side-${code}`;
    button.className = "btn-check";
    const label = Object.assign(document.createElement("label"), { className: "btn", textContent: name });
    label.htmlFor = button.id;
    box.append(button, label);
  }
  weigh.elements.namedItem("side").value = "L";
}

// Receptions of the register, and those opened on this phone that it does not know yet.
async function showIntakes() {
  const [records, kept] = [await outbox.records(), await outbox.kept("chosen")];
  // Nothing is waited for from here to the choice: a horn kept meanwhile would find no reception chosen.
  const chosen = intake.value || kept || "";
  const known = pack?.intakes ?? [];
  const own = records.filter((record) => {
    if (!record.act.startsWith("open_") || record.isOff) return false;
    return record.state === "waiting" || ["conflict", "refused"].includes(record.state) || !record.intake
      ? record.state !== "set_aside"
      : !known.some((one) => one.id === record.intake);
  });
  intake.replaceChildren(
    option("", "—"),
    ...own.map((record) => option(`opening:${record.uuid}`, `${record.title} (${words.opened_here})`)),
    ...known.map((one) => option(`intake:${one.id}`, `${one.number} · ${one.on} · ${one.brigade || one.store}`)),
  );
  const followed = records.find((record) => `opening:${record.uuid}` === chosen && record.intake);
  const wanted = followed && known.some((one) => one.id === followed.intake) ? `intake:${followed.intake}` : chosen;
  intake.value = [...intake.options].some((one) => one.value === wanted) ? wanted : "";
  if (!intake.value && !chosen && intake.options.length === 2) intake.selectedIndex = 1;
  await outbox.keep("chosen", intake.value);
}

// ---- Where we are ----

function watchPlace() {
  if (watchPlace.isOn || !navigator.geolocation) return;
  watchPlace.isOn = true;
  navigator.geolocation.watchPosition(
    ({ coords }) => {
      place = { lat: coords.latitude, lon: coords.longitude, accuracy_m: Math.round(coords.accuracy), at: Date.now() };
      find("[data-place]").textContent = fill(words.place, place.accuracy_m);
    },
    () => {
      find("[data-place]").textContent = words.no_place;
    },
    { enableHighAccuracy: true, maximumAge: 30_000, timeout: 60_000 },
  );
}

// Nobody is asked where they are before something is kept; who agreed before has a place by then.
async function watchPlaceWhereAllowed() {
  const permission = await navigator.permissions?.query({ name: "geolocation" }).catch(() => null);
  if (permission?.state === "granted") watchPlace();
}

function placeNow() {
  if (!place || Date.now() - place.at > PLACE_HOLDS) return {};
  const { lat, lon, accuracy_m } = place;
  return { lat, lon, accuracy_m };
}

// ---- A horn ----

// Whole grams and millimetres; a fraction below ten is kilograms, as on the weighing page. NaN for what is no number.
function quantity(text, isMass) {
  const tidy = text.trim().replace(",", ".");
  if (!tidy) return null;
  if (!/^\d+(\.\d+)?$/.test(tidy)) return Number.NaN;
  const number = Number(tidy);
  return Math.round(isMass && number < 10 && !Number.isInteger(number) ? number * 1000 : number);
}

const isOutside = (value, band) => band && value !== null && (value < band[0] || value > band[1]);

function codeOf(text) {
  const bare = withoutAddress(text, [...page.hosts, location.host]) ?? "";
  return looksSigned(bare) ? read(bare).statement.code : parse(bare);
}

const isOwnLabel = async (code) => labels.has(await cutHash(code));

// What must be looked at again before it is kept; "" for nothing. What is odd but possible is kept at a second press.
async function wrongWith({ mass, length, label }) {
  if (!intake.value && (!mending || isUnsent(mending))) return [words.choose_first, "intake", true];
  if (mass === null) return [words.mass_needed, "mass", true];
  if (Number.isNaN(mass)) return [words.number_wrong, "mass", true];
  if (mass < 1 || mass > 99_999) return [words.mass_wrong, "mass", true];
  if (Number.isNaN(length)) return [words.number_wrong, "length", true];
  if (length !== null && (length < 1 || length > 9_999)) return [words.length_wrong, "length", true];
  if (label) {
    let code;
    try {
      code = codeOf(label);
    } catch {
      return [words.label_wrong, "label", true];
    }
    const used = (await outbox.kept("used")) ?? [];
    const own = mending && (mending.latest ?? mending.payload).label;
    const isOwn = own && codeOf(own) === code;
    if (!isOwn && used.includes(await cutHash(code))) return [words.label_twice, "label", true];
    if (!(await isOwnLabel(code))) return [words.label_foreign, "label", false];
  }
  if (isOutside(mass, pack?.bands.mass_g)) return [words.mass_odd, "mass", false];
  if (isOutside(length, pack?.bands.length_mm)) return [words.length_odd, "length", false];
  return null;
}

const field = (name) => weigh.elements.namedItem(name);

// ---- Correcting a horn ----

function startMending(record) {
  mending = record;
  const { row, label } = record.latest ?? record.payload;
  const { intake: known, opening } = record.payload;
  weigh.dataset.before = intake.value;
  if (isUnsent(record)) intake.value = opening ? `opening:${opening}` : `intake:${known}`;
  field("side").value = row.side;
  field("mass").value = row.mass_g;
  field("length").value = row.length_mm ?? "";
  field("label").value = label ?? "";
  field("condition").value = row.condition ?? "whole";
  field("note").value = row.note ?? "";
  field("condition").closest("details").open = Boolean(row.note) || (row.condition ?? "whole") !== "whole";
  find("[data-mending-said]").textContent = fill(words.mending, record.sequence, record.title);
  showMending();
  find("[data-mending]").scrollIntoView({ block: "nearest" });
  field("mass").focus();
}

function showMending() {
  find("[data-mending]").hidden = !mending;
  find("[data-keep-words]").textContent = mending ? words.keep_correction : words.keep;
  find("[data-off-reason]").value = "";
  find("[data-off]").open = false;
  find("[data-warning]").hidden = true;
  confirmed = "";
}

function endMending() {
  mending = null;
  if (weigh.dataset.before) intake.value = weigh.dataset.before;
  clearHorn();
  showMending();
}

const typed = () => Object.fromEntries(["mass", "length", "label", "note"].map((name) => [name, field(name).value]));

// For the next horn; what was typed of it since `taken` stays.
function clearHorn(taken = typed()) {
  photos = [];
  for (const [name, text] of Object.entries(taken)) if (field(name).value === text) field(name).value = "";
  field("condition").value = "whole";
  showPhotos();
}

// Not sent yet, the record itself says it right; sent, or perhaps sent, a correction follows it.
async function keepMended({ row, label, code, title }) {
  const [kind, key] = intake.value.split(/:(.*)/s);
  const now = mending.latest ?? mending.payload;
  const foreign = Boolean(code) && !(await isOwnLabel(code));
  const whole = { [kind]: kind === "intake" ? Number(key) : key, row, label, confirm_foreign: foreign };
  if (isUnsent(mending) && (await outbox.change(mending.sequence, { payload: whole, title, photos }))) return;
  const payload = { record: mending.uuid, row, label: label === (now.label ?? "") ? null : label, confirm_foreign: foreign };
  await outbox.add({ act: "correct_row", payload, place: placeNow(), title, photos, mends: mending.sequence });
}

async function takeOff() {
  const reason = find("[data-off-reason]").value.replaceAll("\0", "").trim().slice(0, 200);
  if (!reason) return find("[data-off-reason]").focus();
  const { sequence, uuid, title } = mending;
  if (!isUnsent(mending) || !(await outbox.takeBack(sequence, reason))) {
    const payload = { record: uuid, row: null, reason };
    await outbox.add({ act: "correct_row", payload, place: placeNow(), title: `${title}: ${reason}`, mends: sequence });
  }
  await forgetLabel((mending.latest ?? mending.payload).label);
  endMending();
  tell("ok");
  await afterKeeping();
}

// Labels that this phone has used, as cut hashes: so that none is used twice.
async function cutHash(code) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
  return digest.subarray(0, LABEL_BYTES).join();
}

async function noteLabel(code) {
  const used = (await outbox.kept("used")) ?? [];
  await outbox.keep("used", [...used.slice(-MOST_USED), await cutHash(code)]);
}

async function forgetLabel(label) {
  if (!label) return;
  const cut = await cutHash(codeOf(label));
  await outbox.keep("used", ((await outbox.kept("used")) ?? []).filter((one) => one !== cut));
}

// ---- Keeping a horn ----

async function keepHorn() {
  const taken = typed();
  const given = {
    mass: quantity(field("mass").value, true),
    length: quantity(field("length").value, false),
    label: field("label").value.replaceAll("\0", "").trim(),
  };
  const warning = find("[data-warning]");
  const wrong = await wrongWith(given);
  const said = JSON.stringify([given, wrong?.[0]]);
  if (wrong && (wrong[2] || confirmed !== said)) {
    confirmed = said;
    warning.textContent = wrong[0];
    warning.hidden = false;
    (wrong[1] === "intake" ? intake : field(wrong[1])).focus();
    return tell("attention");
  }
  const code = given.label ? codeOf(given.label) : "";
  const row = {
    side: field("side").value,
    mass_g: given.mass,
    length_mm: given.length,
    condition: field("condition").value || "whole",
    note: field("note").value.replaceAll("\0", "").trim(),
  };
  const title = `${pack.sides[row.side]} ${given.mass} ${words.gram}${code ? ` · ${group(code)}` : ""}`;
  try {
    if (mending) await keepMended({ row, label: given.label, code, title });
    else await keepNew({ row, label: given.label, code, title });
  } catch (error) {
    warning.textContent = error.name === "QuotaExceededError" ? words.full : String(error);
    warning.hidden = false;
    return tell("stop");
  }
  if (mending) await forgetLabel((mending.latest ?? mending.payload).label);
  if (code) await noteLabel(code);
  if (mending) endMending();
  else field("side").value = { L: "R", R: "L" }[row.side] ?? row.side;
  clearHorn(taken);
  confirmed = "";
  warning.hidden = true;
  if (!field("mass").value) field("mass").focus();
  tell("ok");
  await afterKeeping();
}

async function keepNew({ row, label, code, title }) {
  const [kind, key] = intake.value.split(/:(.*)/s);
  const payload = {
    [kind]: kind === "intake" ? Number(key) : key,
    row,
    label,
    confirm_foreign: Boolean(code) && !(await isOwnLabel(code)),
  };
  await outbox.add({ act: "row", payload, place: placeNow(), title, photos });
}

async function afterKeeping() {
  await showWaiting();
  await showLast();
  void connect();
}

function showPhotos() {
  find("[data-chosen]").textContent = photos.length ? `(${photos.length})` : "";
}

// ---- A reception or a seizure ----

function showNewCase() {
  const part = find("[data-new-case]");
  part.hidden = part.disabled = find("#s-case").value !== "";
}

function removalOf(said) {
  for (const name of ["males", "females", "young", "carcasses", "brigade"]) said[name] = Number(said[name]);
  return said;
}

// Of a case that the register does not know: what its protocol says, and no person.
function seizureOf({ store, on, known_case: known, detection, ...facts }) {
  if (known) return { store, on, known_case: known };
  const erdr = facts.erdr_number.replace(/\s+/g, "");
  return { store, on, case: { ...facts, erdr_number: erdr }, detection: detection || null };
}

function wrongWithSeizure({ on, case: facts }) {
  if (!facts) return "";
  if (facts.erdr_number && !/^\d{15}$/.test(facts.erdr_number)) return words.erdr_wrong;
  if (facts.protocol_on < facts.seized_on) return words.protocol_early;
  return on < facts.seized_on ? words.goods_early : "";
}

async function keepOpening(form) {
  const given = Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, text.replaceAll("\0", "").trim()]));
  const isSeizure = form.dataset.act === "open_seizure";
  const said = isSeizure ? seizureOf(given) : removalOf(given);
  const wrong = isSeizure ? wrongWithSeizure(said) : "";
  const warning = form.querySelector("[data-wrong]");
  if (warning) {
    warning.textContent = wrong;
    warning.hidden = !wrong;
  }
  if (wrong) return tell("attention");
  const what = isSeizure
    ? (said.known_case ?? said.case.protocol_number)
    : form.querySelector("[name=brigade]").selectedOptions[0].textContent;
  const record = await outbox.add({
    act: form.dataset.act, payload: said, place: placeNow(), title: `${said.on} · ${said.store} · ${what}`,
  });
  form.closest("details").open = false;
  form.reset();
  fillDays();
  showNewCase();
  await outbox.keep("chosen", `opening:${record.uuid}`);
  intake.value = "";
  await showIntakes();
  tell("ok");
  await afterKeeping();
  weigh.elements.namedItem("mass").focus();
}

function fillDays() {
  const today = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  for (const day of document.querySelectorAll("[data-act] [type=date]")) day.value ||= today;
}

// ---- The page ----

function listen() {
  weigh.addEventListener("submit", (event) => {
    event.preventDefault();
    watchPlace();
    // One after another: a second press waits for the first.
    listen.line = (listen.line ?? Promise.resolve()).then(keepHorn);
  });
  weigh.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.name !== "mass") return;
    event.preventDefault();
    weigh.elements.namedItem("length").focus();
  });
  weigh.elements.namedItem("photo").addEventListener("change", (event) => {
    const files = [...event.target.files];
    const fit = files.filter((file) => file.size && file.size <= MOST_PHOTO_BYTES);
    const room = Math.max(0, MOST_PHOTOS - photos.length - (mending && isUnsent(mending) ? mending.photos : 0));
    photos.push(...fit.slice(0, room));
    event.target.value = "";
    const large = files.some((file) => file.size > MOST_PHOTO_BYTES);
    const wrong = fit.length > room ? fill(words.photos_most, MOST_PHOTOS) : large ? words.photo_large : "";
    find("[data-warning]").hidden = !wrong;
    find("[data-warning]").textContent = wrong;
    showPhotos();
  });
  for (const form of document.querySelectorAll("form[data-act]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      watchPlace();
      void keepOpening(form);
    });
  }
  intake.addEventListener("change", () => void outbox.keep("chosen", intake.value));
  find("#s-case").addEventListener("change", showNewCase);
  find("[data-mending-end]").addEventListener("click", endMending);
  find("[data-off-do]").addEventListener("click", () => {
    listen.line = (listen.line ?? Promise.resolve()).then(takeOff);
  });
  find("[data-send]").addEventListener("click", () => void connect({ isAsked: true }));
  find("[data-begin]").addEventListener("submit", (event) => {
    event.preventDefault();
    void begin(new FormData(event.target).get("name"));
  });
  find("[data-wipe]").addEventListener("click", async () => {
    const { records, photos: files, refused } = await outbox.waiting();
    const count = records + files + refused;
    const question = count ? fill(words.wipe_sure, count) : words.wipe_ask;
    if (confirm(question)) await wipeAll(words.wiped_here);
  });
  addEventListener("online", () => void connect({ isAsked: true }));
  addEventListener("offline", () => {
    trouble = "offline";
    void showWaiting();
  });
  navigator.serviceWorker?.addEventListener("message", (event) => {
    if (event.data === "notebook-send") void connect({ isAsked: true });
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void connect();
  });
  setInterval(() => void connect(), EVERY);
  listenToLens();
}

function listenToLens() {
  const view = find("[data-lens]");
  const button = find("[data-camera-open]");
  const shut = () => {
    lens.close();
    view.hidden = true;
    button.setAttribute("aria-expanded", "false");
  };
  const lens = new Lens({
    video: view.querySelector("video"),
    script: page.reader,
    wasm: page.wasm,
    onRead([text]) {
      try {
        codeOf(text);
      } catch {
        return tell("stop");
      }
      weigh.elements.namedItem("label").value = text;
      tell("ok");
      shut();
    },
  });
  button.addEventListener("click", async () => {
    if (lens.isOpen) return shut();
    view.hidden = false;
    button.setAttribute("aria-expanded", "true");
    try {
      await lens.open();
    } catch {
      shut();
      find("[data-warning]").textContent = words.camera_off;
      find("[data-warning]").hidden = false;
    }
  });
  find("[data-camera-shut]").addEventListener("click", shut);
  addEventListener("pagehide", () => lens.close());
}

async function begin(name) {
  try {
    await outbox.register(urls, name);
  } catch (error) {
    trouble = troubleOf(error);
    find("[data-status]").hidden = false;
    return showWaiting();
  }
  await open();
}

async function open() {
  const hasKey = Boolean(await outbox.kept("key"));
  find("[data-notebook]").hidden = false;
  find("[data-begin]").hidden = hasKey;
  find("[data-main]").hidden = !hasKey;
  find("[data-end]").hidden = !hasKey;
  fillDays();
  usePack(await outbox.kept("pack"));
  await showWaiting();
  if (hasKey) await showLast();
  else find("[data-status]").hidden = true;
  if (!hasKey) return;
  void watchPlaceWhereAllowed();
  find("[data-status]").hidden = false;
  await connect({ isAsked: true });
}

listen();
open().catch((error) => {
  find("[data-gone]").hidden = false;
  find("[data-gone]").textContent = String(error);
});
navigator.serviceWorker?.register(page.worker).catch(() => {});
