// Scanner guns press a key for the sign GS, which text fields have none for: Ctrl+] or F8. It is written as its picture,
// which the registry reads as GS and as nothing else.

const PICTURE = "\u241d";

document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!field.matches?.("input[data-separator]")) return;
  const isBracket = event.ctrlKey && !event.altKey && (event.key === "]" || event.code === "BracketRight");
  if (!isBracket && event.key !== "F8") return;
  event.preventDefault();
  field.setRangeText(PICTURE, field.selectionStart, field.selectionEnd, "end");
});
