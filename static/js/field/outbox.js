// What was recorded on this phone and waits to be sent: in IndexedDB, in order, each with a name that the server answers
// once. Apart from what the scanner keeps, so that forgetting marks forgets no record. Knows nothing of the page.

import { deleteDB, openDB } from "../../vendor/idb/index.js";

const NAME = "saiga-notebook";
const VERSION = 1;
const BATCH = 20;
const PIECE = 256 * 1024;
const PATIENCE = 30_000;
const MOST_TRIES = 3; // of a photo that arrives broken
const REMEMBERED = 12; // records that were entered and are still shown; of the rest nothing stays
const ENDED = ["accepted", "resolved", "set_aside"];

let opened;

export function database() {
  opened ??= openDB(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore("kept");
      db.createObjectStore("records", { keyPath: "sequence" });
      db.createObjectStore("photos", { keyPath: "uuid" }).createIndex("record", "record");
    },
    blocking(_current, _blocked, event) {
      event.target.close();
      opened = undefined;
    },
    terminated() {
      opened = undefined;
    },
  });
  return opened;
}

export async function kept(name) {
  return (await database()).get("kept", name);
}

export async function keep(name, value) {
  await (await database()).put("kept", value, name);
}

// Read before a transaction begins, which waits for nothing else.
async function filesOf(photos) {
  const files = [];
  for (const photo of photos) {
    const content = await photo.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
    const sha256 = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
    files.push({ uuid: crypto.randomUUID(), name: photo.name || "photo.jpg", size: content.byteLength, sha256, content });
  }
  return files;
}

const begin = async () =>
  (await database()).transaction(["kept", "records", "photos"], "readwrite", { durability: "strict" });

function putPhotos(work, record, files, before = 0) {
  files.forEach((file, place) => {
    const order = record.sequence * 100 + before + place;
    work.objectStore("photos").put({ ...file, order, record: record.uuid });
  });
}

// A record and its photos, all or nothing; the number in the phone's order is given in the same transaction. `mends`
// is the number of the record that this one corrects: that one then remembers what its row says now.
export async function add({ act, payload, place, title, photos = [], mends = 0 }) {
  const files = await filesOf(photos);
  const work = await begin();
  const sequence = ((await work.objectStore("kept").get("sequence")) ?? 0) + 1;
  const record = {
    sequence,
    uuid: crypto.randomUUID(),
    act,
    payload,
    ...place,
    made_at: new Date().toISOString(),
    title,
    state: "waiting",
    tried: false,
    photos: files.length,
  };
  work.objectStore("kept").put(sequence, "sequence");
  work.objectStore("records").put(record);
  putPhotos(work, record, files);
  const mended = mends && (await work.objectStore("records").get(mends));
  if (mended) {
    const { row, label } = payload;
    const latest = row && { row, label: label ?? mended.latest?.label ?? mended.payload?.label ?? "" };
    work.objectStore("records").put({ ...mended, latest, isOff: !row });
  }
  await work.done;
  return record;
}

// Other words for a record that was never sent: what it said before stays with it. False when it was sent meanwhile:
// then only a correction helps.
export async function change(sequence, { payload, title, photos = [] }) {
  const files = await filesOf(photos);
  const work = await begin();
  const record = await work.objectStore("records").get(sequence);
  const isUnsent = record?.state === "waiting" && !record.tried;
  if (isUnsent) {
    const { former = [], row } = record.payload;
    const changed = { ...record, payload: { ...payload, former: [...former, row] }, title };
    changed.photos += files.length;
    work.objectStore("records").put(changed);
    putPhotos(work, record, files, record.photos);
  }
  await work.done;
  return isUnsent;
}

// Take back a record that was never sent: it goes to the register as taken back, with the reason, and enters nothing.
// False when it was sent meanwhile.
export async function takeBack(sequence, reason) {
  const work = await begin();
  const record = await work.objectStore("records").get(sequence);
  const isUnsent = record?.state === "waiting" && !record.tried;
  if (isUnsent) {
    const payload = { ...record.payload, taken_back: reason };
    work.objectStore("records").put({ ...record, payload, isOff: true });
  }
  await work.done;
  return isUnsent;
}

export async function records() {
  return (await database()).getAll("records");
}

// What waits is everything that the server has not answered for: records, and photos that are not whole there. Photos
// that it will not take are `refused`: they stay, and wait for the person.
export async function waiting() {
  const db = await database();
  const unsent = (await db.getAll("records")).filter((record) => record.state === "waiting");
  const photos = await db.getAll("photos");
  const refused = photos.filter((photo) => photo.problem).length;
  return { records: unsent.length, photos: photos.length - refused, refused, oldest: unsent[0]?.made_at ?? null };
}

// Photos that the server will not take, each with its reason.
export async function refusedPhotos() {
  const all = await (await database()).getAll("photos");
  return all.filter((photo) => photo.problem).map(({ uuid, record, name, problem }) => ({ uuid, record, name, problem }));
}

// Send a refused photo once more, as a new one.
export async function sendAgain(uuid) {
  const { problem, tries, ...photo } = (await (await database()).get("photos", uuid)) ?? {};
  if (photo.uuid) await replacePhoto(photo, {});
}

export async function dropPhoto(uuid) {
  await (await database()).delete("photos", uuid);
}

async function replacePhoto(photo, changes) {
  const work = (await database()).transaction("photos", "readwrite");
  void work.store.delete(photo.uuid);
  void work.store.put({ ...photo, uuid: crypto.randomUUID(), ...changes });
  await work.done;
}

export class Refused extends Error {
  constructor(status, code, detail) {
    super(detail || code || String(status));
    Object.assign(this, { status, code, detail });
  }
}

const cookie = (name) =>
  document.cookie
    .split("; ")
    .find((part) => part.startsWith(`${name}=`))
    ?.slice(name.length + 1) ?? "";

async function ask(url, { method = "GET", json, body, key } = {}) {
  const headers = { Accept: "application/json", "Accept-Language": document.documentElement.lang };
  if (json) headers["Content-Type"] = "application/json";
  if (body) headers["Content-Type"] = "application/octet-stream";
  if (key) headers.Authorization = `Device ${key}`;
  else headers["X-CSRFToken"] = cookie("csrftoken");
  const answer = await fetch(url, {
    method,
    headers,
    body: json ? JSON.stringify(json) : body,
    cache: "no-store",
    credentials: key ? "omit" : "same-origin",
    signal: AbortSignal.timeout(PATIENCE),
  });
  const type = answer.headers.get("Content-Type") ?? "";
  // A captive portal answers too; only what speaks as the registry does counts.
  if (answer.redirected || !type.includes("json")) throw new Refused(answer.status, "not-the-registry", "");
  const said = await answer.json();
  if (answer.ok) return said;
  const texts = Object.values(said.fields ?? {}).flat().filter((text) => typeof text === "string");
  throw new Refused(answer.status, said.code ?? "", [said.detail, ...texts].filter(Boolean).join(" "));
}

// Whether nothing more can be sent now: no network, no registry behind it, nobody signed in, or asked to wait. All else
// is about what was sent, and what comes after it goes on.
export const stopsAll = (error) =>
  !(error instanceof Refused) ||
  [401, 403, 408, 410, 429].includes(error.status) ||
  error.status > 500 ||
  (error.code === "not-the-registry" && error.status !== 500);

export const mustWipe = (error) => error instanceof Refused && error.status === 410 && error.code === "device-revoked";

export async function register(urls, name) {
  const made = await ask(urls.devices, { method: "POST", json: { name } });
  await keep("key", made.key);
  await keep("name", made.name);
  await navigator.storage?.persist?.();
}

// Whether the registry says that this phone must wipe itself. Asked by pages that are no notebook, too.
export async function isRevoked(urls) {
  const key = await kept("key");
  if (!key) return false;
  try {
    await ask(urls.hello, { method: "POST", json: { key } });
  } catch (error) {
    return mustWipe(error);
  }
  return false;
}

// The person has signed in: the phone may send again. Throws Refused.
export async function greet(urls) {
  return ask(urls.hello, { method: "POST", json: { key: await kept("key") } });
}

export async function fetchPack(urls) {
  const pack = { ...(await ask(urls.pack, { key: await kept("key") })), at: new Date().toISOString() };
  await keep("pack", pack);
  await tidy(new Set(pack.intakes.map((one) => one.id)));
  return pack;
}

// What the office has decided of the records that could not be entered.
export async function fetchNews(urls) {
  const { answers } = await ask(urls.records, { key: await kept("key") });
  const db = await database();
  for (const answer of answers) {
    const record = await db.get("records", answer.sequence);
    if (record && record.state !== "waiting") await answered(record.sequence, told(answer));
  }
}

const told = (answer) => ({
  state: answer.state,
  number: answer.number,
  intake: answer.intake,
  row: answer.row,
  detail: [...new Set([answer.detail, ...Object.values(answer.fields_wrong ?? {})])].filter(Boolean).join(" "),
  advice: answer.advice,
});

// Send everything that waits: records in their order, then photos one by one from where they stopped. One at a time,
// whatever the number of pages that are open. `onStep` hears of each step. Throws what stopped it; all that was not
// answered goes on waiting.
export async function send(urls, onStep = () => {}) {
  const work = async () => {
    // Where there is no network nothing is tried: what was never tried may still be changed.
    if (navigator.onLine === false) throw new TypeError("no network");
    await inTurn([() => sendRecords(urls, onStep), () => sendPhotos(urls, onStep)]);
  };
  if (!navigator.locks) return work();
  return navigator.locks.request("saiga-notebook-send", { ifAvailable: true }, async (lock) => {
    if (lock) await work();
  });
}

// Each of these, even where one before it failed by itself. Throws what failed first.
export async function inTurn(works) {
  const failed = [];
  for (const work of works) {
    try {
      await work();
    } catch (error) {
      if (stopsAll(error)) throw error;
      failed.push(error);
    }
  }
  if (failed.length) throw failed[0];
}

// The next records in their order. From here on they may have arrived, whatever becomes of the answer.
async function takeBatch(most) {
  const work = await begin();
  const records = work.objectStore("records");
  const unsent = (await records.getAll()).filter((record) => record.state === "waiting").slice(0, most);
  for (const record of unsent) if (!record.tried) records.put({ ...record, tried: true });
  await work.done;
  return unsent;
}

async function answered(sequence, said) {
  const work = await begin();
  const record = await work.objectStore("records").get(sequence);
  if (record) work.objectStore("records").put({ ...record, ...said });
  await work.done;
}

async function sendRecords(urls, onStep) {
  const key = await kept("key");
  let most = BATCH;
  for (;;) {
    const unsent = await takeBatch(most);
    if (!unsent.length) return;
    const batch = unsent.map(({ uuid, sequence, act, payload, made_at, lat = null, lon = null, accuracy_m = null }) => ({
      uuid, sequence, act, payload, made_at, lat, lon, accuracy_m,
    }));
    let answers;
    try {
      ({ answers } = await ask(urls.records, { method: "POST", json: { records: batch }, key }));
    } catch (error) {
      if (stopsAll(error) || most === 1) throw error;
      // One of them breaks the batch: one by one, those before it arrive.
      most = 1;
      continue;
    }
    for (const answer of answers) {
      const record = unsent.find((one) => one.uuid === answer.uuid);
      if (!record) continue;
      if (answer.state === "unsent" && answer.code !== "record-differs") {
        throw new Refused(409, answer.code, answer.detail);
      }
      const state = answer.state === "unsent" ? { ...told(answer), state: "conflict" } : told(answer);
      await answered(record.sequence, state);
      onStep();
    }
  }
}

// Photos of records that are there, one by one. One that is refused stops no other: it stays on the phone with its reason.
async function sendPhotos(urls, onStep) {
  const key = await kept("key");
  const db = await database();
  const unsent = new Set((await db.getAll("records")).filter((one) => one.state === "waiting").map((one) => one.uuid));
  const photos = (await db.getAll("photos")).filter((photo) => !photo.problem && !unsent.has(photo.record));
  const names = photos.sort((one, other) => one.order - other.order).map((photo) => photo.uuid);
  await inTurn(
    names.map((name) => async () => {
      const photo = await db.get("photos", name);
      if (!photo) return;
      try {
        await sendPhoto(urls, photo, { key, onStep });
      } catch (error) {
        if (stopsAll(error) || error.status >= 500) throw error;
        const tries = (photo.tries ?? 0) + 1;
        // What arrived broken is sent anew, as another one, but not for ever.
        const mayTry = error.code === "photo-broken" && tries < MOST_TRIES;
        await replacePhoto(photo, { tries, problem: mayTry ? "" : error.message });
        onStep();
        if (mayTry) throw error;
        return;
      }
      await db.delete("photos", photo.uuid);
      onStep();
    }),
  );
}

async function sendPhoto(urls, { uuid, record, name, sha256, size, content }, { key, onStep }) {
  let { received, is_kept: isKept } = await ask(urls.photos, {
    method: "POST", json: { uuid, record, name, sha256, size }, key,
  });
  while (!isKept && received < size) {
    const url = `${urls.photos}${uuid}/${received}/`;
    const piece = content.slice(received, received + PIECE);
    ({ received, is_kept: isKept } = await ask(url, { method: "PUT", body: piece, key }));
    onStep();
  }
}

// Of what is in the register, the phone keeps a line for the last few: without the place where it was, and with what was
// weighed only for horns that may still be corrected, on tables that are open.
async function tidy(open) {
  const work = await begin();
  const records = work.objectStore("records");
  const photos = new Set((await work.objectStore("photos").getAll()).map((photo) => photo.record));
  const ended = (await records.getAll()).filter((record) => ENDED.includes(record.state) && !photos.has(record.uuid));
  for (const record of ended.slice(0, -REMEMBERED)) records.delete(record.sequence);
  for (const { lat, lon, accuracy_m, payload, latest, ...line } of ended.slice(-REMEMBERED)) {
    const mayChange = line.act === "row" && !line.isOff && line.state !== "set_aside" && open.has(line.intake);
    const { row, label } = latest ?? payload ?? {};
    records.put(mayChange && row ? { ...line, payload: { row, label } } : { ...line, payload: null });
  }
  await work.done;
}

// Everything the notebook kept on this phone, records that were not sent included.
export async function wipe() {
  const db = await opened;
  db?.close();
  opened = undefined;
  await deleteDB(NAME);
}
