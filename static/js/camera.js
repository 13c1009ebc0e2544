// Reads a label with the camera of a phone and types what it says into the scan field, as a scanner gun would. The
// browser's own reader is used where it knows all three symbols; otherwise the one kept in static/vendor/barcode-detector
// is loaded, and only when the button is pressed.

const FORMATS = ["qr_code", "data_matrix", "code_128"];
const EVERY = 150; // milliseconds between two looks
const AGAIN = 2500; // milliseconds before the same label counts as another scan

const button = document.querySelector("[data-camera]");
const form = button?.closest("form");
const field = form?.elements.namedItem("code");
const view = document.querySelector("[data-camera-view]");
const said = view?.querySelector("[data-camera-said]");
const video = view?.querySelector("video");
let stream;
let reader;
let looking;
let seen = "";
let seenAt = 0;

async function findReader() {
  const known = (await window.BarcodeDetector?.getSupportedFormats?.()) ?? [];
  if (FORMATS.every((format) => known.includes(format))) return new window.BarcodeDetector({ formats: FORMATS });
  await new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = button.dataset.reader;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
  window.BarcodeDetectionAPI.prepareZXingModule({ overrides: { locateFile: () => button.dataset.wasm } });
  return new window.BarcodeDetectionAPI.BarcodeDetector({ formats: FORMATS });
}

function take(text) {
  const now = Date.now();
  if (text === seen && now - seenAt < AGAIN) {
    seenAt = now;
    return;
  }
  [seen, seenAt] = [text, now];
  field.value = text;
  form.requestSubmit();
}

async function look() {
  if (!stream) return;
  try {
    const [found] = video.readyState >= 2 ? await reader.detect(video) : [];
    if (found?.rawValue) take(found.rawValue);
  } catch {
    // One frame that cannot be read is no news: the next one comes at once.
  }
  looking = setTimeout(look, EVERY);
}

async function open() {
  try {
    reader ??= await findReader();
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1280 } },
    });
  } catch {
    said.hidden = false;
    view.hidden = false;
    return;
  }
  said.hidden = true;
  video.srcObject = stream;
  await video.play();
  view.hidden = false;
  button.setAttribute("aria-expanded", "true");
  look();
}

function close() {
  clearTimeout(looking);
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = undefined;
  view.hidden = true;
  button.setAttribute("aria-expanded", "false");
}

if (button && navigator.mediaDevices) {
  button.hidden = false;
  button.addEventListener("click", () => (stream || !view.hidden ? close() : open()));
  view.querySelector("[data-camera-close]").addEventListener("click", close);
  window.addEventListener("pagehide", close);
}
