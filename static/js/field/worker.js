// The one service worker of the site. It keeps the pages that open without network (SHELLS) and the files they load
// (FILES), each version in a cache of its own; the server writes these names and VERSION above. Whatever else is asked
// for goes to the network untouched, so nothing that belongs to a person is ever kept here.

const CACHE = `field-${VERSION}`;
const MEMORY = "field-memory";
const KEPT = new Set(FILES);
const SHELL_PATHS = new Set(SHELLS.map((address) => address.split("?")[0]));
const DIGEST = /\.[0-9a-f]{12}\.[a-z0-9]+$/; // a name that carries its digest never changes its content

async function keepFile(cache, address) {
  const kept = DIGEST.test(address) && (await caches.match(address));
  if (kept) return cache.put(address, kept);
  return keepFresh(cache, address);
}

async function keepFresh(cache, address) {
  const answer = await fetch(address, { cache: "no-cache", credentials: "omit" });
  if (!answer.ok || answer.redirected) throw new Error(`${address}: ${answer.status}`);
  return cache.put(address, answer);
}

addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE).then((cache) =>
      Promise.all([
        ...FILES.map((address) => keepFile(cache, address)),
        ...SHELLS.map((address) => keepFresh(cache, address)),
      ]),
    ),
  );
});

// A new version waits until the person agrees, or until no page of the old one is open.
addEventListener("message", (event) => {
  if (event.data === "update") skipWaiting();
});

// The network is back: an open notebook sends what waits.
addEventListener("sync", (event) => {
  if (event.tag !== "notebook-send") return;
  event.waitUntil(clients.matchAll({ type: "window" }).then((pages) => {
    for (const page of pages) page.postMessage("notebook-send");
  }));
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("field-") && name !== CACHE && name !== MEMORY) await caches.delete(name);
      }
      await clients.claim();
    })(),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (SHELL_PATHS.has(url.pathname)) event.respondWith(openShell(request, url));
    else if (/^\/m\/(?!tip\/)/i.test(url.pathname)) event.respondWith(askOrScan(request, url));
  } else if (KEPT.has(url.pathname)) {
    event.respondWith(openKept(request));
  }
});

async function openKept(request) {
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request);
}

// A page in the language that is asked for, else in the one that the person reads the registry in, else in the one that
// was used last. Where the browser does not tell workers what the person chose, the registry is asked first.
async function openShell(request, url) {
  const memory = await caches.open(MEMORY);
  const asked = url.searchParams.get("lang");
  if (asked) await memory.put("/language", new Response(asked));
  const cache = await caches.open(CACHE);
  const keptIn = (language) => language && cache.match(`${url.pathname}?lang=${language}`);
  const usedLast = async () => (await memory.match("/language"))?.text();
  const chosen = asked ?? (self.cookieStore && ((await cookieStore.get("django_language"))?.value ?? (await usedLast())));
  const kept = await keptIn(chosen);
  if (kept) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    const last = await keptIn(await usedLast());
    if (last) return last;
    const any = SHELLS.find((address) => address.startsWith(`${url.pathname}?`));
    const found = await cache.match(any);
    if (!found) throw error;
    return found;
  }
}

// The address in a symbol, opened by the phone's own camera: without network the scanner answers instead.
async function askOrScan(request, url) {
  try {
    return await fetch(request);
  } catch {
    const text = url.searchParams.get("text") ?? decodeURIComponent(url.pathname.slice(3));
    return Response.redirect(`${SHELLS[0].split("?")[0]}#${encodeURIComponent(text)}`);
  }
}
