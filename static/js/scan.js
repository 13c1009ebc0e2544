// A scanner gun types a code and presses Enter, often faster than the server answers. Scans are taken at once, sent one
// after another, and each answer replaces the part of the page that it changes. Without this script every scan is an
// ordinary form.

const form = document.querySelector("form[data-scan]");
const field = form.elements.namedItem("code");
const part = document.querySelector(form.dataset.scan);

// Two short notes for good, one long low one for stop: told without looking at the screen.
const NOTES = {
  ok: [[1320, 0, 0.09]],
  attention: [[660, 0, 0.12], [660, 0.2, 0.12]],
  stop: [[196, 0, 0.6]],
};
const SHAKES = { ok: 40, attention: [80, 80, 80], stop: 600 };
let sound;

function tell(tone) {
  if (!(tone in NOTES)) return;
  navigator.vibrate?.(SHAKES[tone]);
  sound ??= window.AudioContext && new AudioContext();
  if (!sound) return;
  for (const [pitch, start, length] of NOTES[tone]) {
    const note = sound.createOscillator();
    const loudness = sound.createGain();
    note.frequency.value = pitch;
    loudness.gain.value = 0.2;
    note.connect(loudness).connect(sound.destination);
    note.start(sound.currentTime + start);
    note.stop(sound.currentTime + start + length);
  }
}

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
