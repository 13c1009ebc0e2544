// Ed25519 by the browser itself, and by the library kept in static/vendor where the browser does not know it.

import { verifyAsync } from "../../vendor/noble-ed25519/index.js";

const imported = new Map();
let isKnown;

// Whether this key signed these bytes. Throws where the page has no cryptography at all: a page that is not secure.
export async function isSignedBy(publicKey, signature, message) {
  if (!globalThis.crypto?.subtle) throw new Error("no cryptography in this page");
  const key = isKnown === false ? undefined : await nativeKey(publicKey);
  if (key) return crypto.subtle.verify("Ed25519", key, signature, message);
  return isSignedByLibrary(publicKey, signature, message);
}

export async function isSignedByLibrary(publicKey, signature, message) {
  try {
    return await verifyAsync(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}

async function nativeKey(publicKey) {
  const name = publicKey.join(",");
  if (!imported.has(name)) {
    try {
      imported.set(name, await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]));
      isKnown = true;
    } catch {
      if (isKnown === undefined) isKnown = false;
      return undefined;
    }
  }
  return imported.get(name);
}
