// A scanner gun types a code and presses Enter, often faster than the server answers. Scans are taken at once, sent one
// after another, and each answer replaces the part of the page that it changes. Without this script every scan is an
// ordinary form.

import { tell } from "./field/tell.js";

const form = document.querySelector("form[data-scan]");
const field = form.elements.namedItem("code");
const part = document.querySelector(form.dataset.scan);

let line = Promise.resolve();

function send(action, body) {
  line = line.then(async () => {
    part.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(action, { method: "POST", body, headers: { "X-Scan": "part" } });
      const text = await answer.text();
      // Signed out, or the goods were accepted meanwhile: the server sends another page, which is then shown as such.
      if (answer.redirected || !answer.ok) {
        location.assign(answer.redirected ? answer.url : location.href);
        return;
      }
      part.innerHTML = text;
      part.dispatchEvent(new CustomEvent("htmx:afterSettle", { bubbles: true }));
      tell(part.querySelector("[data-tone]")?.dataset.tone);
    } catch {
      keep(action, body);
    } finally {
      part.removeAttribute("aria-busy");
    }
  });
}

// The network is gone: no scan is lost. What was not sent waits in sight, to be sent again by one button.
const unsent = [];
let lost;

function keep(action, body) {
  unsent.push([action, body]);
  tell("stop");
  if (!lost) {
    lost = document.getElementById("scan-lost").content.firstElementChild.cloneNode(true);
    lost.querySelector("button").addEventListener("click", sendAgain);
    part.before(lost);
  }
  lost.querySelector("[data-unsent]").textContent = unsent.map(([, kept]) => kept.get("code") ?? "…").join(", ");
}

function sendAgain() {
  lost.remove();
  lost = undefined;
  for (const [action, body] of unsent.splice(0)) send(action, body);
  field.focus();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = new FormData(form);
  // A scan sent again after the network was lost is the same scan, and is answered as such.
  body.set("scan", `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 12)}`);
  field.value = "";
  field.focus();
  if (String(body.get("code")).trim()) send(form.action, body);
});

// Small acts inside the changing part: take one off, take the last scan back.
part.addEventListener("submit", (event) => {
  const act = event.target;
  if (!act.matches("form[data-scan-act]")) return;
  event.preventDefault();
  send(act.action, new FormData(act, event.submitter));
  field.focus();
});

// A gun types wherever the focus is: anything typed outside a field goes to the scan field.
document.addEventListener("keydown", (event) => {
  if (event.key.length !== 1 || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  field.focus();
});

field.focus();
