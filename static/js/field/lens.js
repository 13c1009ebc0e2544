// The camera as a reader of labels. The browser's own reader is used where it knows all three symbols; otherwise the one
// kept in static/vendor/barcode-detector is loaded, and only when the camera is opened.

const FORMATS = ["qr_code", "data_matrix", "code_128"];
const EVERY = 150; // milliseconds between two looks
const AGAIN = 2500; // milliseconds out of sight before the same label counts as another scan

let reader;

async function findReader(script, wasm) {
  const known = (await window.BarcodeDetector?.getSupportedFormats?.()) ?? [];
  if (FORMATS.every((format) => known.includes(format))) return new window.BarcodeDetector({ formats: FORMATS });
  await new Promise((done, failed) => {
    const element = document.createElement("script");
    element.src = script;
    element.onload = done;
    element.onerror = failed;
    document.head.append(element);
  });
  window.BarcodeDetectionAPI.prepareZXingModule({ overrides: { locateFile: () => wasm } });
  return new window.BarcodeDetectionAPI.BarcodeDetector({ formats: FORMATS });
}

// `onRead` is given the texts of all labels in sight, each time another set of them comes into sight.
export class Lens {
  #stream;
  #looking;
  #seen = "";
  #seenAt = 0;

  constructor({ video, script, wasm, onRead }) {
    Object.assign(this, { video, script, wasm, onRead });
  }

  get isOpen() {
    return Boolean(this.#stream);
  }

  get hasTorch() {
    return Boolean(this.#stream?.getVideoTracks()[0]?.getCapabilities?.().torch);
  }

  // Throws when there is no camera, or the person does not allow it.
  async open() {
    reader ??= await findReader(this.script, this.wasm);
    this.#stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: "environment", width: { ideal: 1280 } },
    });
    this.video.srcObject = this.#stream;
    await this.video.play();
    this.#look();
  }

  close() {
    clearTimeout(this.#looking);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
  }

  async light(isOn) {
    await this.#stream?.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: isOn }] });
  }

  async #look() {
    if (!this.#stream) return;
    try {
      const found = this.video.readyState >= 2 ? await reader.detect(this.video) : [];
      const texts = found.map((label) => label.rawValue).filter(Boolean);
      if (texts.length && this.#stream) this.#take(texts);
    } catch {
      // One frame that cannot be read is no news: the next one comes at once.
    }
    this.#looking = setTimeout(() => this.#look(), EVERY);
  }

  #take(texts) {
    const [now, seen] = [Date.now(), [...texts].sort().join("\n")];
    const isAnother = seen !== this.#seen || now - this.#seenAt >= AGAIN;
    [this.#seen, this.#seenAt] = [seen, now];
    if (isAnother) this.onRead(texts);
  }
}
