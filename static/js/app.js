// What scripts add to pages that already work without them.

const root = document.documentElement;

// "/" goes to the search box from anywhere that is not a field.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const field = document.querySelector('[data-hot-key="/"]');
  if (!field) return;
  event.preventDefault();
  if (!field.checkVisibility()) field.closest("[popover]")?.showPopover();
  field.focus();
  field.select();
});

// Of many tabs the one that is open stays in sight on a narrow screen.
const tab = document.querySelector(".tabs [aria-current]");
if (tab) {
  const row = tab.closest("ul");
  row.scrollLeft += tab.getBoundingClientRect().left - row.getBoundingClientRect().left - 48;
}

// Copy buttons appear only where copying is possible.
function copyWithField(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.setAttribute("readonly", "");
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  return copied;
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyWithField(text);
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button || !(await copyText(button.dataset.copy))) return;
  button.focus();
  button.classList.add("copied");
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.setAttribute("role", "status");
  button.after(spoken);
  spoken.textContent = button.dataset.copied;
  setTimeout(() => {
    button.classList.remove("copied");
    spoken.remove();
  }, 2000);
});

// Light or dark: the choice is a cookie, so that the server draws the next page right at once.
function isDark() {
  const chosen = root.dataset.bsTheme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme(button) {
  const theme = isDark() ? "light" : "dark";
  root.dataset.bsTheme = theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  button.setAttribute("aria-pressed", String(theme === "dark"));
}

// Forms: the server words what is wrong, in the reader's language; unsaved work is not lost by a slip.
const changed = new WeakSet();

function watchForm(form) {
  if (form.method === "post") form.noValidate = true;
  if (!form.hasAttribute("data-warn-unsaved")) return;
  form.addEventListener("input", () => changed.add(form));
  form.addEventListener("submit", () => changed.delete(form));
}

addEventListener("beforeunload", (event) => {
  const unsaved = [...document.querySelectorAll("form[data-warn-unsaved]")].some((form) => changed.has(form));
  if (unsaved) event.preventDefault();
});

// A link in the error summary leads into the field itself, not merely to its place.
document.addEventListener("click", (event) => {
  const link = event.target.closest('[data-error-summary] a[href^="#"]');
  const field = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!field) return;
  event.preventDefault();
  field.scrollIntoView({ block: "center" });
  field.focus({ preventScroll: true });
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  setTimeout(() => delete form.dataset.sent, 5000);
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A table that fits keeps its head in sight; a wider one scrolls in its box, also by keyboard.
const tables = new ResizeObserver((entries) => {
  for (const box of new Set(entries.map((entry) => entry.target.closest(".table-responsive")).filter(Boolean))) {
    const fits = box.scrollWidth <= box.clientWidth;
    box.toggleAttribute("data-fits", fits);
    if (fits) box.removeAttribute("tabindex");
    else box.tabIndex = 0;
  }
});

// On a phone the search box opens from its button, ready to type.
document.addEventListener(
  "toggle",
  (event) => {
    if (event.newState === "open") event.target.querySelector?.('input[type="search"]')?.focus();
  },
  true,
);

function enhance(within) {
  for (const button of within.querySelectorAll("[data-copy][hidden]")) button.hidden = false;
  for (const button of within.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(isDark()));
    button.onclick = () => switchTheme(button);
  }
  for (const form of within.querySelectorAll("form")) watchForm(form);
  for (const box of within.querySelectorAll(".table-responsive, .table-responsive > table")) tables.observe(box);
}

enhance(document);
document.querySelector("[data-error-summary]")?.focus();
document.addEventListener("htmx:afterSettle", (event) => enhance(event.target.parentElement ?? document));
