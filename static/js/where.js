// Says where the phone is, rounded to a tenth of a degree before it leaves the phone. Without this script the region is
// chosen from the list.

for (const form of document.querySelectorAll("[data-where]")) {
  const here = form.querySelector("[data-here]");
  const said = here.querySelector("[data-said]");
  const place = form.elements.place;
  here.hidden = !navigator.geolocation || !window.isSecureContext;

  here.querySelector("button").addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const rounded = `${coords.latitude.toFixed(1)},${coords.longitude.toFixed(1)}`;
        place.add(new Option(rounded, rounded, true, true));
        form.requestSubmit();
      },
      () => {
        said.textContent = form.dataset.refused;
        place.focus();
      },
      { timeout: 10000, maximumAge: 60000 },
    );
  });
}
