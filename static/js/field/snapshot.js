// The state of all marks in one small signed file, as marking/snapshots.py reads it; the layout is in docs/marks.md.

import { SIGNATURE_BYTES, toHex } from "./payload.js";

export const RECORD_BYTES = 5;
export const PRINT_BYTES = 6;
export const [IN_ORDER, ASK] = [0, 15];
const HEAD_BYTES = 65;
const LATEST = 2n ** 32n - 1n;

export class SnapshotError extends Error {}

const sha256 = async (bytes) => toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

export function joined(records, prints) {
  const bytes = new Uint8Array(records.length + prints.length);
  bytes.set(records);
  bytes.set(prints, records.length);
  return bytes;
}

// What the file says, once the holder of one of these keys (bytes by key id) is seen to have signed it.
export async function readSnapshot(content, publicKeys, isSignedBy) {
  const cut = Math.max(0, content.length - SIGNATURE_BYTES);
  const [body, signature] = [content.subarray(0, cut), content.subarray(cut)];
  const snapshot = takeApart(body);
  const key = publicKeys.get(snapshot.keyId);
  if (!key) throw new SnapshotError("signed with an unknown key");
  if (!(await isSignedBy(key, signature, body))) throw new SnapshotError("the signature does not fit");
  if (!snapshot.base && (await sha256(body.subarray(HEAD_BYTES))) !== snapshot.sha256) {
    throw new SnapshotError("the records do not fit their hash");
  }
  return snapshot;
}

function takeApart(body) {
  if (body.length < HEAD_BYTES) throw new SnapshotError("too short");
  const head = new DataView(body.buffer, body.byteOffset, HEAD_BYTES);
  const [edition, base] = [head.getUint32(5), head.getUint32(9)];
  const [records, prints] = [head.getUint32(25), head.getUint32(29)];
  const split = HEAD_BYTES + records * RECORD_BYTES;
  const isOurs = head.getUint32(0) === 0x53475331 && head.getUint8(4) === (base ? 1 : 0);
  if (!isOurs || body.length !== split + prints * PRINT_BYTES) throw new SnapshotError("not a snapshot of version 1");
  const madeAt = head.getBigUint64(13);
  if (madeAt > LATEST) throw new SnapshotError("made in no time of ours");
  return {
    edition,
    base,
    madeAt: Number(madeAt) * 1000,
    keyId: toHex(body.subarray(21, 25)),
    sha256: toHex(body.subarray(33, 65)),
    records: body.slice(HEAD_BYTES, split),
    prints: body.slice(split),
  };
}

// All marks after these changes, which were read by readSnapshot.
export async function applyChanges(state, changes) {
  const records = merged(state.records, changes.records, RECORD_BYTES);
  const prints = merged(state.prints, changes.prints, PRINT_BYTES);
  if ((await sha256(joined(records, prints))) !== changes.sha256) {
    throw new SnapshotError("the changes do not go upon this edition");
  }
  return { ...changes, records, prints };
}

// Two lists in order become one; of two rows with the same head the newer one stays.
function merged(old, fresh, width) {
  const rows = new Uint8Array(old.length + fresh.length);
  let [at, left, right] = [0, 0, 0];
  while (left < old.length || right < fresh.length) {
    const [older, newer] = [headAt(old, left), headAt(fresh, right)];
    const source = newer <= older ? fresh : old;
    const from = source === fresh ? right : left;
    rows.set(source.subarray(from, from + width), at);
    at += width;
    if (older <= newer) left += width;
    if (newer <= older) right += width;
  }
  return rows.slice(0, at);
}

// The 36 bits of the row that begins here; past the end, more than any row has.
function headAt(rows, at) {
  if (at >= rows.length) return Infinity;
  return (rows[at] * 0x1000000 + (rows[at + 1] << 16) + (rows[at + 2] << 8) + rows[at + 3]) * 16 + (rows[at + 4] >> 4);
}

// What the edition says of this code, {status, generation}; null when no mark has it.
export async function lookUp(state, code) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code)));
  const head = headAt(digest, 0);
  const record = search(state.records, RECORD_BYTES, head);
  if (record < 0) return null;
  const print = search(state.prints, PRINT_BYTES, head);
  return {
    status: state.records[record + 4] & 0x0f,
    generation: print < 0 ? 1 : state.prints[print + RECORD_BYTES],
  };
}

// Where the first row with this head begins; -1 when there is none.
function search(rows, width, head) {
  let [low, high] = [0, rows.length / width];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (headAt(rows, middle * width) < head) low = middle + 1;
    else high = middle;
  }
  return headAt(rows, low * width) === head ? low * width : -1;
}
