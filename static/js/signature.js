// A field to sign in: what is drawn goes into a hidden field as a PNG, cut to its ink. Without this script the field
// does not show and the password signs alone.

function begin(field) {
  const canvas = field.querySelector("canvas");
  const kept = field.querySelector("input");
  const pen = canvas.getContext("2d");
  let last;
  let box;

  function clear() {
    pen.clearRect(0, 0, canvas.width, canvas.height);
    kept.value = "";
    box = undefined;
  }

  function place(event) {
    const edge = canvas.getBoundingClientRect();
    return [
      ((event.clientX - edge.left) * canvas.width) / edge.width,
      ((event.clientY - edge.top) * canvas.height) / edge.height,
    ];
  }

  function mark([x, y]) {
    box = box
      ? [Math.min(box[0], x), Math.min(box[1], y), Math.max(box[2], x), Math.max(box[3], y)]
      : [x, y, x, y];
  }

  function keep() {
    const room = 8;
    const left = Math.max(0, Math.floor(box[0] - room));
    const top = Math.max(0, Math.floor(box[1] - room));
    const width = Math.min(canvas.width, Math.ceil(box[2] + room)) - left;
    const height = Math.min(canvas.height, Math.ceil(box[3] + room)) - top;
    const cut = document.createElement("canvas");
    cut.width = width;
    cut.height = height;
    cut.getContext("2d").drawImage(canvas, left, top, width, height, 0, 0, width, height);
    kept.value = cut.toDataURL("image/png");
  }

  canvas.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    last = place(event);
    mark(last);
    pen.lineWidth = 3;
    pen.lineCap = "round";
    pen.lineJoin = "round";
    pen.strokeStyle = "#14213d";
    pen.beginPath();
    pen.arc(last[0], last[1], 1, 0, 2 * Math.PI);
    pen.stroke();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!last) return;
    const next = place(event);
    pen.beginPath();
    pen.moveTo(...last);
    pen.lineTo(...next);
    pen.stroke();
    mark(next);
    last = next;
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => {
      if (!last) return;
      last = undefined;
      keep();
    });
  }
  field.querySelector("[data-clear]").addEventListener("click", clear);
  clear();
  field.hidden = false;
}

for (const field of document.querySelectorAll("[data-signature]")) begin(field);
