// The picture of the first sheet follows what is chosen in the form of a label order.

const form = document.querySelector("[data-label-order]");
const picture = document.querySelector("[data-label-preview]");

function drawPreview() {
  const chosen = new FormData(form);
  const query = new URLSearchParams();
  for (const name of ["profile", "start", "dpi", "language"]) query.set(name, chosen.get(name) ?? "");
  const next = new Image();
  next.addEventListener("load", () => {
    picture.src = next.src;
    picture.classList.remove("opacity-50");
  });
  picture.classList.add("opacity-50");
  next.src = `${picture.dataset.labelPreview}?${query}`;
}

if (form && picture) form.addEventListener("change", drawPreview);

// When the last part is drawn, the page of the run shows its files.
if (document.querySelector("[data-label-run]")) {
  document.body.addEventListener("htmx:afterSettle", () => {
    if (!document.querySelector(".job[hx-get]")) location.reload();
  });
}
