// Reads a label with the camera of a phone and types what it says into the scan field, as a scanner gun would.

import { Lens } from "./field/lens.js";

const button = document.querySelector("[data-camera]");
const form = button?.closest("form");
const field = form?.elements.namedItem("code");
const view = document.querySelector("[data-camera-view]");
const said = view?.querySelector("[data-camera-said]");
const lens =
  button &&
  new Lens({
    video: view.querySelector("video"),
    script: button.dataset.reader,
    wasm: button.dataset.wasm,
    onRead([text]) {
      field.value = text;
      form.requestSubmit();
    },
  });

async function open() {
  view.hidden = false;
  try {
    await lens.open();
  } catch {
    said.hidden = false;
    return;
  }
  said.hidden = true;
  button.setAttribute("aria-expanded", "true");
}

function close() {
  lens.close();
  view.hidden = true;
  button.setAttribute("aria-expanded", "false");
}

if (button && navigator.mediaDevices) {
  button.hidden = false;
  button.addEventListener("click", () => (lens.isOpen || !view.hidden ? close() : open()));
  view.querySelector("[data-camera-close]").addEventListener("click", close);
  window.addEventListener("pagehide", close);
}
