// The signed statement of a symbol, as marking/payload.py reads it; the layout is in docs/marks.md.

import { fromNumber, CODE_LENGTH, RANDOM_BITS } from "./codes.js";

export const VERSION = 1;
export const SIGNATURE_BYTES = 64;
export const ORIGINS = ["removal", "found", "seizure", "confiscated", "old_stock", "imported", "unknown"];

const HEAD_BYTES = 1 + 4 + 7 + 1 + 1;
const [TERM, MASS, DATE, RESERVED, ORIGIN] = [0x80, 0x40, 0x20, 0x10, 0x0f];
const LONGEST_TEXT = Math.ceil((8 * (HEAD_BYTES + 7 + SIGNATURE_BYTES)) / 5);
const FIRST_DAY = Date.UTC(2000, 0, 1);
const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
// White space at the ends, as Python strips it.
const ENDS = /^[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

// `defect` says why a text is no genuine statement: text, length, version, fields, unknown_key, signature.
export class PayloadError extends Error {
  constructor(defect) {
    super(defect);
    this.defect = defect;
  }
}

export const strip = (text) => text.replace(ENDS, "");

export const toHex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function fromBase32(text) {
  // What base 32 can never be as long as, and signs outside of it.
  if ([1, 3, 6].includes(text.length % 8)) throw new PayloadError("text");
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let [held, bits, at] = [0, 0, 0];
  for (const sign of text) {
    const value = BASE32.indexOf(sign);
    if (value < 0) throw new PayloadError("text");
    held = ((held << 5) | value) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[at++] = (held >> bits) & 0xff;
    }
  }
  return bytes;
}

export function toBase32(bytes) {
  let [text, held, bits] = ["", 0, 0];
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(held >> bits) & 31];
    }
  }
  return bits ? text + BASE32[(held << (5 - bits)) & 31] : text;
}

// The statement of these bytes, without looking at any signature.
export function decode(body) {
  if (!body.length) throw new PayloadError("length");
  if (body[0] !== VERSION) throw new PayloadError("version");
  if (body.length < HEAD_BYTES) throw new PayloadError("length");
  const number = BigInt(`0x${toHex(body.subarray(5, 12))}`);
  const [generation, stated] = [body[12], body[13]];
  const origin = stated & ORIGIN;
  if (number >> RANDOM_BITS || generation === 0 || stated & RESERVED || origin > ORIGINS.length) {
    throw new PayloadError("fields");
  }
  const expected = HEAD_BYTES + (stated & TERM ? 2 : 0) + (stated & MASS ? 3 : 0) + (stated & DATE ? 2 : 0);
  if (body.length !== expected) throw new PayloadError("length");
  let at = HEAD_BYTES;
  const take = (count) => {
    at += count;
    return body.subarray(at - count, at).reduce((value, byte) => value * 256 + byte, 0);
  };
  let [term, massG, datedOn] = [null, null, null];
  if (stated & TERM) {
    const packed = take(2);
    const letters = [packed >> 10, (packed >> 5) & 31, packed & 31];
    if (Math.max(...letters) > 25) throw new PayloadError("fields");
    term = String.fromCharCode(...letters.map((letter) => 65 + letter));
  }
  if (stated & MASS) massG = take(3);
  if (stated & DATE) datedOn = new Date(FIRST_DAY + take(2) * 86_400_000).toISOString().slice(0, 10);
  return {
    keyId: toHex(body.subarray(1, 5)),
    code: fromNumber(number),
    generation,
    term,
    origin: origin ? ORIGINS[origin - 1] : null,
    massG,
    datedOn,
  };
}

// Whether the text is long enough to be meant as a signed statement and not as a code alone.
export const looksSigned = (text) => [...text].length > 4 * CODE_LENGTH;

// The signed statement in this text; not verified.
export function read(given) {
  const text = strip(given);
  if (!/^[0-9A-Za-z]+$/.test(text)) throw new PayloadError("text");
  if (text.length > LONGEST_TEXT) throw new PayloadError("length");
  const upper = text.toUpperCase();
  const raw = fromBase32(upper);
  const cut = Math.max(0, raw.length - SIGNATURE_BYTES);
  const [body, signature] = [raw.subarray(0, cut), raw.subarray(cut)];
  const statement = decode(body);
  if (toBase32(raw) !== upper) throw new PayloadError("text");
  return { statement, body, signature };
}

// The statement, which the holder of one of these keys (bytes by key id) did sign.
export async function verify(signed, publicKeys, isSignedBy) {
  const key = publicKeys.get(signed.statement.keyId);
  if (!key) throw new PayloadError("unknown_key");
  if (!(await isSignedBy(key, signed.signature, signed.body))) throw new PayloadError("signature");
  return signed.statement;
}
