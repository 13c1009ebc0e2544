// What a text proves, judged by this phone alone: by the public keys and the snapshot it keeps, without network.
// `kind` names the verdict; its words and its tone (ok, attention, stop) are written by the server into the page.
// Only `in_order` is ever green, and only for a symbol whose signature was checked against fresh knowledge.

import { CodeError, parse } from "./codes.js";
import { isSignedBy } from "./ed25519.js";
import { looksSigned, PayloadError, read, strip, verify } from "./payload.js";
import { lookUp } from "./snapshot.js";

// The numbers of marking/snapshots.py, the class Status.
const STATUS = [
  "in_order",
  "blank",
  "replaced",
  "void",
  "spoiled",
  "lost",
  "destroyed",
  "consumed",
  "withdrawn",
  "evidence",
  "held",
  "to_destroy",
  "exported",
  "sold",
  "returned",
  "ask",
];
export const CLOCKS_DIFFER = 10 * 60_000; // milliseconds by which two honest clocks may differ
// Some servers join the two slashes of an address that stands in a path.
const ADDRESS = /^(?:https?:\/+)?([^/\s]+)\/m\/(.*)$/isu;
// What guns set before what they read: which symbol it was (ISO/IEC 15424). No code of ours has this bracket.
const SYMBOL = /^\s*\][A-Za-z][0-9]/;
// As printed under the code, for paper and talk: KZ25-0003279.
const NUMBER = /^[KК]Z\d{2}[\s-]?\d{5,9}$/iu;
// No slip of the finger: signs that stand in texts of others, or far more than a code has.
const FOREIGN = /[:;={}<>?&@|\u001d]|^.{40}/su;

// What was read, without the gun's word for its symbol.
export const bare = (text) => text.replace(SYMBOL, "");

// What stands behind the address of the public check; null when the address is another's.
export function withoutAddress(given, ownHosts) {
  const text = strip(given);
  if (!text.includes("/")) return text;
  const match = ADDRESS.exec(text);
  const isOurs = match && ownHosts.some((host) => host.toLowerCase() === match[1].toLowerCase());
  return isOurs ? match[2] : null;
}

const checkDigit = (digits) =>
  (10 - ([...digits].reverse().reduce((sum, digit, place) => sum + digit * (place % 2 ? 1 : 3), 0) % 10)) % 10;
const hasCheckDigit = (digits) => checkDigit(digits.slice(0, -1)) === Number(digits.at(-1));

// The eighteen digits of a box, as ledger/sscc.py reads them; "" when the text is none.
export function parseSscc(given) {
  let digits = strip(given).replace(SYMBOL, "").replace(/[\s()\u001d-]+/gu, "");
  if (digits.length === 20 && digits.startsWith("00")) digits = digits.slice(2);
  return /^[0-9]{18}$/.test(digits) && hasCheckDigit(digits) ? digits : "";
}

// As many digits as stand on a box, of which one is wrong or missing: no code of a mark is so long.
const looksLikeBox = (given) => /^(?:(?:\(00\)|00)\d{16,20}|\d{18})$/.test(strip(given).replace(/[\s-]+/gu, ""));

// The state operator's DataMatrix, {gtin, serial}, by its look alone; null when the text is none.
export function parseStateCode(given) {
  const text = given.replace(SYMBOL, "").replace(/^\u001d/, "");
  const match = /^\(01\)(\d{14})\(21\)([^\u001d(]{1,20})/.exec(text) ?? /^01(\d{14})21([^\u001d]{1,20})/.exec(text);
  return match && hasCheckDigit(match[1]) ? { gtin: match[1], serial: match[2] } : null;
}

// `known`: keys (by id: {publicKey, state}), keysAt, snapshot (or null), hosts, staleAfter. Never throws.
// `typed`: a person or a gun typed it, so that what is no code of ours may be a slip of the finger.
export async function judge(text, known, { now = Date.now(), typed = true, signedBy = isSignedBy } = {}) {
  try {
    return await judgeText(text, known, { now, typed, signedBy });
  } catch {
    return { kind: "cannot_check" };
  }
}

async function judgeText(given, known, { now, typed, signedBy }) {
  const text = bare(given);
  const sscc = parseSscc(text);
  if (sscc) return { kind: "box", sscc };
  if (typed && looksLikeBox(text)) return { kind: "box_wrong" };
  const state = parseStateCode(text);
  if (state) return { kind: "state_code", ...state };
  const markText = withoutAddress(text, known.hosts);
  if (markText === null) return { kind: "foreign" };
  if (looksSigned(markText)) return judgeSigned(markText, known, now, signedBy);
  try {
    return await judgeCode(parse(markText), known, now);
  } catch (error) {
    if (!(error instanceof CodeError)) throw error;
    if (NUMBER.test(strip(markText))) return { kind: "number" };
    if (!typed || FOREIGN.test(strip(markText))) return { kind: "not_ours" };
    return { kind: "mistyped", fault: error.fault, character: error.character, length: error.length };
  }
}

async function judgeSigned(text, known, now, signedBy) {
  let signed;
  try {
    signed = read(text);
  } catch (error) {
    if (error instanceof PayloadError) return { kind: "unreadable", defect: error.defect };
    throw error;
  }
  const { code } = signed.statement;
  if (!known.keys.size) return { kind: "no_keys", code };
  const keys = new Map([...known.keys].map(([id, key]) => [id, key.publicKey]));
  try {
    await verify(signed, keys, signedBy);
  } catch (error) {
    if (!(error instanceof PayloadError)) throw error;
    return { kind: error.defect === "unknown_key" ? "unknown_key" : "forged", code };
  }
  const { state } = known.keys.get(signed.statement.keyId);
  const kind = await kindOf(signed.statement, state, known, now);
  // Of what a lost key has signed nothing is told: whoever has it may have written that.
  if (state === "compromised") return { kind, code };
  return { kind, code, signed: true, statement: signed.statement, stale: isStale(known, now) };
}

// The gravest of all that is known of a genuine symbol, as the registry names it.
async function kindOf({ code, generation }, keyState, known, now) {
  const found = known.snapshot && (await lookUp(known.snapshot, code));
  const status = found && STATUS[found.status];
  const isLost = keyState === "compromised";
  // Two marks share this record: neither its state nor its generation is known to be that of this one.
  if (status === "ask") return isLost ? "key_compromised" : "ask";
  if (status === "replaced") return status;
  // The generation that a lost key has signed proves nothing.
  if (found && !isLost && found.generation > generation) return "old_copy";
  if (status && status !== "in_order") return status;
  if (isLost) return "key_compromised";
  if (!known.snapshot) return "status_unknown";
  if (!found || found.generation < generation) return "newer_than_known";
  return isStale(known, now) ? "stale" : status;
}

async function judgeCode(code, known, now) {
  if (!known.snapshot) return { kind: "code_unchecked", code };
  const stale = isStale(known, now);
  const found = await lookUp(known.snapshot, code);
  if (!found) return { kind: "code_not_known", code, stale };
  const kind = STATUS[found.status];
  return { kind: kind === "in_order" ? "code_in_order" : kind, code, stale };
}

// Whether what the phone knows is too old to say that all is in order, or its clock cannot be trusted: `now` is what the
// clock says, and it was set back if this phone has seen a later moment.
export function isStale({ snapshot, keysAt, staleAfter, seenAt = 0 }, now) {
  if (!snapshot || !keysAt || seenAt - now > CLOCKS_DIFFER) return true;
  const oldest = Math.min(snapshot.madeAt, keysAt);
  const newest = Math.max(snapshot.madeAt, keysAt);
  return Math.max(now, seenAt) - oldest > staleAfter || newest - now > CLOCKS_DIFFER;
}
