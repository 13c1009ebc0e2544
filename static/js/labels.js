// When the last part is drawn, the page of the run shows its files.
if (document.querySelector("[data-label-run]")) {
  document.body.addEventListener("htmx:afterSettle", () => {
    if (!document.querySelector(".job[hx-get]")) location.reload();
  });
}
