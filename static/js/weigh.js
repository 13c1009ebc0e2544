// A scanner gun types a code and presses Enter, then a scale types a mass and presses Enter. Without this script the
// first Enter asks the server for the item, and the page comes back with the cursor in the field of the mass.

const form = document.querySelector("form[data-weigh]");
const code = form.elements.namedItem("code");
const grams = form.elements.namedItem("grams");

code.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !code.value.trim() || grams.value.trim()) return;
  event.preventDefault();
  grams.focus();
});

// Another item than the one that was asked about: its mass is asked about anew.
code.addEventListener("input", () => {
  form.elements.namedItem("confirm").value = "";
});

form.querySelector("[autofocus]")?.select();
