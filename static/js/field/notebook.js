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
const exact = new Intl.DateTimeFormat(page.language, { dateStyle: "medium", timeStyle: "short" });

const EVERY = 30_000; // milliseconds between two looks whether something can be sent
const LONGEST_WAIT = 5 * 60_000;
const PLACE_HOLDS = 2 * 60_000;
const MOST_PHOTO_BYTES = 20 * 1024 * 1024;
const LABEL_BYTES = 5;

const weigh = find("[data-weigh]");
const intake = find("[data-intake]");
let pack = null;
let labels = new Set();
let photos = [];
let confirmed = "";
let place = null;
let trouble = "";
let pause = EVERY;
let nextTry = 0;
let isBusy = false;
let isWanted = false;

// ---- What waits ----

async function showWaiting() {
  const { records, photos: files, oldest } = await outbox.waiting();
  const count = records + files;
  const tone = trouble === "sign_in" || trouble === "another" ? "stop" : count ? "attention" : "ok";
  const box = find("[data-status]");
  box.className = `notice notice-${tone} notebook-waits`;
  box.dataset.records = records;
  box.dataset.photos = files;
  box.querySelector(".state-icon").replaceChildren(find(`[data-sign=${count ? "wait" : tone}]`).content.cloneNode(true));
  const counts = files ? `${records} + ${fill(words.photos, files)}` : String(records);
  find("[data-waits]").textContent = count ? fill(words.waits, counts) : words.waits_none;
  find("[data-oldest]").textContent = oldest ? fill(words.oldest, exact.format(new Date(oldest))) : "";
  find("[data-said]").textContent = words[trouble] ?? trouble;
  find("[data-send]").hidden = !count;
  find("[data-sign-in]").hidden = trouble !== "sign_in";
}

async function showLast() {
  const all = await outbox.records();
  const isOpen = (record) => ["conflict", "refused"].includes(record.state);
  const shown = [...all.filter(isOpen), ...all.filter((record) => !isOpen(record)).slice(-12)];
  shown.sort((one, other) => other.sequence - one.sequence);
  find("[data-last]").replaceChildren(
    ...shown.map((record) => {
      const line = document.createElement("li");
      line.value = record.sequence;
      line.dataset.state = record.state;
      line.textContent = `${words[`act_${record.act}`]}: ${record.title} — ${words[`state_${record.state}`]}`;
      if (record.number) line.textContent += ` · ${record.number}${record.row ? ` / ${record.row}` : ""}`;
      if (isOpen(record)) {
        line.className = "notice notice-attention";
        for (const text of [record.detail, record.advice]) {
          if (text) line.append(Object.assign(document.createElement("p"), { textContent: text }));
        }
      }
      return line;
    }),
  );
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
    await withSignIn(async () => {
      await outbox.send(urls, () => void showWaiting());
      await outbox.fetchNews(urls);
      usePack(await outbox.fetchPack(urls));
    });
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
  pack = found;
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
  fillSelect("#s-case", pack.cases.map((one) => option(one.erdr, `${one.erdr} · ${one.protocol}`)));
  fillSelect("#condition", Object.entries(pack.conditions).map(([code, name]) => option(code, name)));
  find("[data-open-removal]").hidden = !(pack.stores.length && pack.permits.length && pack.brigades.length);
  find("[data-open-seizure]").hidden = !(pack.rooms.length && pack.cases.length);
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
    if (record.act === "row") return false;
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

async function isOwnLabel(code) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
  return labels.has(digest.subarray(0, LABEL_BYTES).join());
}

// What must be looked at again before it is kept; "" for nothing. What is odd but possible is kept at a second press.
async function wrongWith({ mass, length, label }) {
  if (!intake.value) return [words.choose_first, "intake", true];
  if (mass === null) return [words.mass_needed, "mass", true];
  if (Number.isNaN(mass) || mass < 1 || mass > 99_999) return [words.number_wrong, "mass", true];
  if (Number.isNaN(length) || length === 0 || length > 9_999) return [words.number_wrong, "length", true];
  if (label) {
    let code;
    try {
      code = codeOf(label);
    } catch {
      return [words.label_wrong, "label", true];
    }
    const used = (await outbox.kept("used")) ?? [];
    if (used.includes(code)) return [words.label_twice, "label", true];
    if (!(await isOwnLabel(code))) return [words.label_foreign, "label", false];
  }
  if (isOutside(mass, pack?.bands.mass_g)) return [words.mass_odd, "mass", false];
  if (isOutside(length, pack?.bands.length_mm)) return [words.length_odd, "length", false];
  return null;
}

async function keepHorn() {
  const field = (name) => weigh.elements.namedItem(name);
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
  const [kind, key] = intake.value.split(/:(.*)/s);
  const code = given.label ? codeOf(given.label) : "";
  const payload = {
    [kind]: kind === "intake" ? Number(key) : key,
    row: {
      side: field("side").value,
      mass_g: given.mass,
      length_mm: given.length,
      condition: field("condition").value || "whole",
      note: field("note").value.replaceAll("\0", "").trim(),
    },
    label: given.label,
    confirm_foreign: Boolean(code) && !(await isOwnLabel(code)),
  };
  const side = pack.sides[payload.row.side];
  const title = `${side} ${given.mass} ${words.gram}${code ? ` · ${group(code)}` : ""}`;
  try {
    await outbox.add({ act: "row", payload, place: placeNow(), title, photos });
  } catch (error) {
    warning.textContent = error.name === "QuotaExceededError" ? words.full : String(error);
    warning.hidden = false;
    return tell("stop");
  }
  if (code) await outbox.keep("used", [...((await outbox.kept("used")) ?? []).slice(-2_000), code]);
  photos = [];
  confirmed = "";
  warning.hidden = true;
  for (const name of ["mass", "length", "label", "note"]) field(name).value = "";
  field("condition").value = "whole";
  field("side").value = { L: "R", R: "L" }[payload.row.side] ?? payload.row.side;
  showPhotos();
  field("mass").focus();
  tell("ok");
  await afterKeeping();
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

async function keepOpening(form) {
  const said = Object.fromEntries(new FormData(form));
  for (const name of ["males", "females", "young", "carcasses", "brigade"]) {
    if (name in said) said[name] = Number(said[name]);
  }
  const what = form.querySelector("[name=brigade]")?.selectedOptions[0]?.textContent ?? said.known_case;
  const record = await outbox.add({
    act: form.dataset.act, payload: said, place: placeNow(), title: `${said.on} · ${said.store} · ${what}`,
  });
  form.closest("details").open = false;
  await outbox.keep("chosen", `opening:${record.uuid}`);
  intake.value = "";
  await showIntakes();
  tell("ok");
  await afterKeeping();
  weigh.elements.namedItem("mass").focus();
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
    const large = files.some((file) => file.size > MOST_PHOTO_BYTES);
    photos.push(...files.filter((file) => file.size && file.size <= MOST_PHOTO_BYTES));
    event.target.value = "";
    find("[data-warning]").hidden = !large;
    if (large) find("[data-warning]").textContent = words.photo_large;
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
  find("[data-send]").addEventListener("click", () => void connect({ isAsked: true }));
  find("[data-begin]").addEventListener("submit", (event) => {
    event.preventDefault();
    void begin(new FormData(event.target).get("name"));
  });
  find("[data-wipe]").addEventListener("click", async () => {
    const { records, photos: files } = await outbox.waiting();
    const question = records + files ? fill(words.wipe_sure, records + files) : words.wipe_ask;
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
  const today = new Date(Date.now() - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
  for (const field of document.querySelectorAll("[data-act] [name=on]")) field.value ||= today;
  usePack(await outbox.kept("pack"));
  await showWaiting();
  if (hasKey) await showLast();
  else find("[data-status]").hidden = true;
  if (!hasKey) return;
  find("[data-status]").hidden = false;
  await connect({ isAsked: true });
}

listen();
open().catch((error) => {
  find("[data-gone]").hidden = false;
  find("[data-gone]").textContent = String(error);
});
navigator.serviceWorker?.register(page.worker).catch(() => {});
