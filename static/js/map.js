// A click on the map, or the arrow keys, fill the two fields of coordinates; typing moves the point. Without this script
// the fields are typed.

const MARGIN = 10;
const STEP = 10; // points of the picture for one press; a tenth of it with Shift

for (const picker of document.querySelectorAll("[data-place-picker]")) {
  const svg = picker.querySelector("svg");
  const place = svg.querySelector(".place");
  const latitude = document.getElementById(picker.dataset.latitude);
  const longitude = document.getElementById(picker.dataset.longitude);
  const [west, north, across, down] = ["west", "north", "across", "down"].map((name) => Number(picker.dataset[name]));

  const degrees = (field) => (field.value.trim() ? Number(field.value.trim().replace(",", ".")) : NaN);

  function show() {
    const [y, x] = [degrees(latitude), degrees(longitude)];
    const known = Number.isFinite(x) && Number.isFinite(y);
    place.toggleAttribute("hidden", !known);
    if (!known) return;
    place.setAttribute("cx", MARGIN + (x - west) * across);
    place.setAttribute("cy", MARGIN + (north - y) * down);
  }

  function put(x, y) {
    const box = svg.viewBox.baseVal;
    const inside = (value, most) => Math.min(Math.max(value, MARGIN), most - MARGIN);
    fill(north - (inside(y, box.height) - MARGIN) / down, west + (inside(x, box.width) - MARGIN) / across, 4);
  }

  function fill(north, east, places) {
    latitude.value = north.toFixed(places);
    longitude.value = east.toFixed(places);
    latitude.dispatchEvent(new Event("input", { bubbles: true }));
    longitude.dispatchEvent(new Event("input", { bubbles: true }));
  }

  svg.addEventListener("click", (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    put(point.x, point.y);
  });

  svg.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const step = event.shiftKey ? STEP / 10 : STEP;
    const box = svg.viewBox.baseVal;
    const begun = !place.hasAttribute("hidden");
    const x = begun ? Number(place.getAttribute("cx")) : box.width / 2;
    const y = begun ? Number(place.getAttribute("cy")) : box.height / 2;
    put(x + way[0] * step, y + way[1] * step);
  });

  for (const field of [latitude, longitude]) field.addEventListener("input", show);
  show();

  const here = picker.querySelector("[data-here]");
  const said = here.querySelector("[data-said]");
  here.hidden = !navigator.geolocation || !window.isSecureContext;
  here.querySelector("button").addEventListener("click", () => {
    said.textContent = "…";
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        fill(coords.latitude, coords.longitude, 6);
        said.textContent = `± ${Math.round(coords.accuracy)} m`;
      },
      () => {
        said.textContent = picker.dataset.refused;
      },
      { enableHighAccuracy: true, timeout: 20000 },
    );
  });
}
