// What a phone keeps to check marks without network: the public keys, the snapshot, and what the registry said against
// a mark since, in IndexedDB. Nothing of persons, stores or goods. Other pages that keep something on the phone add their stores in `upgrade` below.

import { deleteDB, openDB } from "../../vendor/idb/index.js";
import { isSignedBy } from "./ed25519.js";
import { toHex } from "./payload.js";
import { applyChanges, readSnapshot } from "./snapshot.js";
import { noted, outlived } from "./told.js";
import { CLOCKS_DIFFER } from "./verify.js";

const NAME = "saiga-field";
const VERSION = 1;
// More changes than this cost more than all marks at once.
const MOST_CHANGES = 300;

let opened;

export function database() {
  opened ??= openDB(NAME, VERSION, {
    upgrade(db, from) {
      if (from < 1) db.createObjectStore("kept");
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

async function keep(name, value) {
  await (await database()).put("kept", value, name);
}

async function kept(name) {
  return (await database()).get("kept", name);
}

// What was fetched last: keys by id, when, the snapshot or null, and the latest moment this phone has heard of.
export async function recall() {
  const names = ["keys", "snapshot", "seen_at", "told"];
  const [keys, snapshot, seenAt, told] = await Promise.all(names.map(kept));
  return {
    keys: keys?.byId ?? new Map(),
    keysAt: keys?.at ?? 0,
    snapshot: snapshot ?? null,
    seenAt: seenAt ?? 0,
    told: outlived(told ?? new Map(), snapshot),
  };
}

// What the registry said of a symbol; what a later snapshot knows is no longer kept beside it.
export async function keepTold(alone, answer) {
  const [before, snapshot] = await Promise.all([kept("told"), kept("snapshot")]);
  await keep("told", await noted(outlived(before ?? new Map(), snapshot), alone, answer));
}

// What the person has chosen on this page; forgotten with everything else.
export const choose = (name, value) => keep(`chosen_${name}`, value);
export const chosen = (name) => kept(`chosen_${name}`);

// The latest moment that this phone has seen, this one with it: so that a clock set back later makes nothing fresh.
export async function witness(now = Date.now()) {
  const work = (await database()).transaction("kept", "readwrite");
  const latest = Math.max(now, (await work.store.get("seen_at")) ?? 0);
  void work.store.put(latest, "seen_at");
  await work.done;
  return latest;
}

// The registry says what time it is. Where the clock agrees with it, a time that a wrong clock has seen is forgotten;
// where it does not, the phone has only seen one more moment.
async function hearTime(at) {
  if (Math.abs(Date.now() - at) <= CLOCKS_DIFFER) await keep("seen_at", Math.max(at, Date.now()));
  else await witness(at);
}

// Time is never earlier than what this phone has seen.
export const moment = (known) => Math.max(Date.now(), known.seenAt);

// Fetch the keys, and of the marks what is new. Throws when the network or the server fails; what was kept stays.
export async function refresh({ keysUrl, indexUrl }) {
  // From the registry itself and no cache: its answer says what time it is.
  const { answer, content } = await fetchJson(keysUrl, "no-store");
  const heard = Date.parse(answer.headers.get("Date"));
  const at = heard || Date.now();
  const byId = withLost(await readKeys(content), await kept("keys"));
  await keep("keys", { byId, at });
  if (heard && !answer.headers.has("Age")) await hearTime(heard);
  else await witness();
  const before = await kept("snapshot");
  const trusted = trustedKeys(byId);
  const base = before && trusted.has(before.keyId) ? before : null;
  if (before && !base) await keep("snapshot", null);
  const snapshot = await fetchSnapshot(base, indexUrl, trusted);
  if (snapshot && snapshot !== base) await keep("snapshot", snapshot);
}

async function fetchJson(url, cache = "no-cache") {
  const answer = await fetch(url, { cache, credentials: "omit" });
  if (!answer.ok) throw Object.assign(new Error(`${url}: ${answer.status}`), { status: answer.status });
  return { answer, content: await answer.json() };
}

async function fetchBytes(url, cache) {
  const answer = await fetch(url, { cache, credentials: "omit" });
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

// Keys whose name is what it must be: the first four bytes of their SHA-256.
async function readKeys({ keys }) {
  const byId = new Map();
  for (const { id, public_key: text, state } of keys) {
    const publicKey = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", publicKey));
    if (toHex(digest.subarray(0, 4)) === id) byId.set(id, { publicKey, state });
  }
  return byId;
}

// A key that was compromised is so for good, whatever a later list says, or leaves out.
function withLost(byId, before) {
  for (const [id, key] of before?.byId ?? []) if (key.state === "compromised") byId.set(id, key);
  return byId;
}

export const trustedKeys = (byId) =>
  new Map([...byId].filter(([, key]) => key.state !== "compromised").map(([id, key]) => [id, key.publicKey]));

async function fetchSnapshot(before, indexUrl, trusted) {
  let index;
  try {
    index = (await fetchJson(indexUrl)).content;
  } catch (error) {
    if (error.status === 404) return before;
    throw error;
  }
  if (before && before.edition === index.edition && before.sha256 === index.sha256) return before;
  const missing = before ? index.edition - before.edition : 0;
  const isNear = missing > 0 && missing <= MOST_CHANGES && index.changes_from <= before.edition + 1;
  if (isNear) {
    try {
      return await withChanges(before, index, trusted);
    } catch {
      // Changes that do not fit are no loss: all marks are fetched instead.
    }
  }
  const whole = await readSnapshot(await fetchBytes(index.full, "no-cache"), trusted, isSignedBy);
  if (whole.base) throw new Error("changes, where all marks should be");
  // An older file than the one at hand is somebody's trick, or a cache on the way.
  return before && whole.madeAt < before.madeAt ? before : whole;
}

async function withChanges(before, index, trusted) {
  let state = before;
  for (let edition = before.edition + 1; edition <= index.edition; edition++) {
    const content = await fetchBytes(index.full.replace(/\.bin$/, `/${edition}.bin`), "default");
    const changes = await readSnapshot(content, trusted, isSignedBy);
    if (changes.base !== state.edition || changes.edition !== edition || changes.madeAt < state.madeAt) {
      throw new Error("these changes go upon another edition");
    }
    state = await applyChanges(state, changes);
  }
  return state;
}

// Everything of ours on this phone: what was kept, and the pages that open without network.
export async function forget() {
  const db = await opened;
  db?.close();
  opened = undefined;
  await deleteDB(NAME);
  for (const name of (await globalThis.caches?.keys()) ?? []) {
    if (name.startsWith("field-")) await caches.delete(name);
  }
  for (const worker of (await navigator.serviceWorker?.getRegistrations()) ?? []) await worker.unregister();
}
