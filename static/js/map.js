// A click on the map, or the arrow keys, fill the two fields of coordinates; typing moves the point. Buttons, the wheel,
// two fingers and the keys + − 0 bring the map nearer; a near map is moved by dragging. Without this script the fields
// are typed.

const MARGIN = 10;
const STEP = 10; // points of the whole picture for one press; a tenth of it with Shift, and less on a near map
const NEAREST = 16;
const CLOSER = 1.6; // for one press of a button
const STILL = 4; // a finger or mouse that moved less than so many pixels has clicked

for (const picker of document.querySelectorAll("[data-place-picker]")) {
  const svg = picker.querySelector("svg");
  const place = svg.querySelector(".place");
  const latitude = document.getElementById(picker.dataset.latitude);
  const longitude = document.getElementById(picker.dataset.longitude);
  const [west, north, across, down] = ["west", "north", "across", "down"].map((name) => Number(picker.dataset[name]));
  const { width, height } = svg.viewBox.baseVal;
  const radius = Number(place.getAttribute("r"));
  let view = { x: 0, y: 0, near: 1 };

  const degrees = (field) => (field.value.trim() ? Number(field.value.trim().replace(",", ".")) : NaN);
  const between = (value, least, most) => Math.min(Math.max(value, least), most);
  const isPlaced = () => !place.hasAttribute("hidden");
  const placed = () => ({ x: Number(place.getAttribute("cx")), y: Number(place.getAttribute("cy")) });
  const pointAt = ({ clientX, clientY }) => new DOMPoint(clientX, clientY).matrixTransform(svg.getScreenCTM().inverse());

  function look(x, y, near) {
    const [wide, high] = [width / near, height / near];
    view = { x: between(x, 0, width - wide), y: between(y, 0, height - high), near };
    svg.setAttribute("viewBox", `${view.x} ${view.y} ${wide} ${high}`);
    place.setAttribute("r", radius / near);
    picker.toggleAttribute("data-near", near > 1);
    picker.querySelector("[data-zoom=in]").disabled = near >= NEAREST;
    for (const button of picker.querySelectorAll("[data-zoom=out], [data-zoom=all]")) button.disabled = near <= 1;
  }

  // What lies under `point` stays where it is on the screen.
  function zoom(by, point) {
    const near = between(view.near * by, 1, NEAREST);
    const kept = view.near / near;
    look(point.x - (point.x - view.x) * kept, point.y - (point.y - view.y) * kept, near);
  }

  const middle = () => ({ x: view.x + width / view.near / 2, y: view.y + height / view.near / 2 });
  const fixed = () => (isPlaced() ? placed() : middle());

  function follow() {
    const { x, y } = placed();
    const [wide, high] = [width / view.near, height / view.near];
    if (x < view.x || x > view.x + wide || y < view.y || y > view.y + high) look(x - wide / 2, y - high / 2, view.near);
  }

  function show() {
    const [y, x] = [degrees(latitude), degrees(longitude)];
    const known = Number.isFinite(x) && Number.isFinite(y);
    place.toggleAttribute("hidden", !known);
    if (!known) return;
    place.setAttribute("cx", MARGIN + (x - west) * across);
    place.setAttribute("cy", MARGIN + (north - y) * down);
    follow();
  }

  function put(x, y) {
    const inside = (value, most) => between(value, MARGIN, most - MARGIN);
    fill(north - (inside(y, height) - MARGIN) / down, west + (inside(x, width) - MARGIN) / across, 4);
  }

  function fill(north, east, places) {
    latitude.value = north.toFixed(places);
    longitude.value = east.toFixed(places);
    latitude.dispatchEvent(new Event("input", { bubbles: true }));
    longitude.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // Fingers on the map, by their ids: one drags, two bring nearer.
  const fingers = new Map();
  let travelled = 0;

  const spread = () => {
    const [one, two] = [...fingers.values()];
    return Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY) || 1;
  };
  const midway = () => {
    const [one, two] = [...fingers.values()];
    return { clientX: (one.clientX + two.clientX) / 2, clientY: (one.clientY + two.clientY) / 2 };
  };
  const drag = (from, to) => look(view.x + from.x - to.x, view.y + from.y - to.y, view.near);

  svg.addEventListener("pointerdown", (event) => {
    if (!fingers.size) travelled = 0;
    fingers.set(event.pointerId, event);
  });

  addEventListener("pointermove", (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    travelled += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
    if (fingers.size === 2) {
      const [wide, from] = [spread(), pointAt(midway())];
      fingers.set(event.pointerId, event);
      travelled += STILL;
      zoom(spread() / wide, from);
      drag(from, pointAt(midway()));
    } else {
      if (view.near > 1 && travelled > STILL) drag(pointAt(before), pointAt(event));
      fingers.set(event.pointerId, event);
    }
  });

  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, (event) => fingers.delete(event.pointerId));
  }

  svg.addEventListener("click", (event) => {
    if (travelled > STILL) return;
    const point = pointAt(event);
    put(point.x, point.y);
  });

  svg.addEventListener(
    "wheel",
    (event) => {
      const by = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002));
      // At either end the wheel moves the page again.
      if (by > 1 ? view.near >= NEAREST : view.near <= 1) return;
      event.preventDefault();
      zoom(by, pointAt(event));
    },
    { passive: false },
  );

  const zooms = {
    in: () => zoom(CLOSER, fixed()),
    out: () => zoom(1 / CLOSER, fixed()),
    all: () => look(0, 0, 1),
  };
  const acts = picker.querySelector("[data-zooms]");
  acts.hidden = false;
  acts.addEventListener("click", (event) => {
    const button = event.target.closest("[data-zoom]");
    if (!button) return;
    zooms[button.dataset.zoom]();
    if (button.disabled) svg.focus({ preventScroll: true });
  });

  svg.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const zoomed = { "+": "in", "=": "in", "-": "out", "−": "out", 0: "all" }[event.key];
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!zoomed && !way) return;
    event.preventDefault();
    if (zoomed) return zooms[zoomed]();
    const step = (event.shiftKey ? STEP / 10 : STEP) / view.near;
    const { x, y } = fixed();
    put(x + way[0] * step, y + way[1] * step);
  });

  for (const field of [latitude, longitude]) field.addEventListener("input", show);
  look(0, 0, 1);
  show();

  const here = picker.querySelector("[data-here]");
  const said = here.querySelector("[data-said]");
  here.hidden = !navigator.geolocation || !window.isSecureContext;
  here.querySelector("button").addEventListener("click", () => {
    said.textContent = "…";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        fill(coords.latitude, coords.longitude, 6);
        const metres = Math.round(coords.accuracy).toLocaleString(document.documentElement.lang === "kk" ? "ru" : document.documentElement.lang);
        said.textContent = picker.dataset.accuracy.replace("#", metres);
      },
      () => {
        said.textContent = picker.dataset.refused;
      },
      { enableHighAccuracy: true, timeout: 20000 },
    );
  });
}
