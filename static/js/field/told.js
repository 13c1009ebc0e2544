// What the registry has said against a mark or a print of it, until a snapshot of a later moment knows of it too. A
// phone without network would otherwise call green what it heard to be void minutes ago.

import { toHex } from "./payload.js";

export const MOST = 500; // the oldest goes when there are more
// What is said of the print alone: another label with the same code may be in order.
const OF_PRINT = new Set(["old_copy", "forged", "key_compromised"]);
const RANK = { attention: 1, stop: 2 };
// Of what such a symbol names nothing is known: nobody has shown that it is ours.
const UNPROVEN = new Set(["forged", "unknown_key", "no_keys", "cannot_check"]);

// Kept is no code that could be read back from a lost phone.
async function nameOf(text) {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

async function namesOf({ code, signed, statement }) {
  const [mark, print] = await Promise.all([nameOf(code), signed ? nameOf(JSON.stringify(statement)) : ""]);
  return { mark, print };
}

// `kept` with what the registry said of this symbol: `found`, why it is not simply in order, the gravest first.
export async function noted(kept, alone, { found, at }) {
  if (!alone.code || !Array.isArray(found) || UNPROVEN.has(alone.kind)) return kept;
  const { mark, print } = await namesOf(alone);
  const now = new Map(kept);
  const set = (name, kinds) => {
    now.delete(name);
    if (kinds.length) now.set(name, { found: kinds, at });
  };
  const ofPrint = found.filter((kind) => OF_PRINT.has(kind));
  // A forged symbol was not looked up: it says nothing of the mark whose code it names.
  if (!found.includes("forged")) set(mark, found.filter((kind) => !OF_PRINT.has(kind)));
  if (print) set(print, ofPrint);
  while (now.size > MOST) now.delete(now.keys().next().value);
  return now;
}

// What a later snapshot had heard too is its to say. It does not know which prints were never let out.
export function outlived(kept, snapshot) {
  const holds = ({ found, at }) => found.includes("forged") || !snapshot || at > snapshot.madeAt;
  return new Map([...kept].filter(([, told]) => holds(told)));
}

// The graver of what the phone finds and what it was told; of two as grave, what it was told later.
export async function graver(alone, kept, said) {
  if (!alone.code || UNPROVEN.has(alone.kind) || !kept.size) return alone;
  const { mark, print } = await namesOf(alone);
  const heard = [kept.get(print), kept.get(mark)].filter(Boolean);
  const found = heard.flatMap((told) => told.found).filter((kind) => said[kind]);
  if (!found.length) return alone;
  const weight = (kind) => 2 * RANK[said[kind].tone] + (kind === "copied");
  found.sort((one, other) => weight(other) - weight(one));
  if (RANK[said[found[0]].tone] < (RANK[said[alone.kind]?.tone] ?? 0)) return alone;
  return { ...alone, kind: found[0], others: found.slice(1), toldAt: Math.max(...heard.map((told) => told.at)) };
}
