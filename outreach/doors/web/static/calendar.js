// Moving posts in the calendar: by drag, and by Alt with an arrow key. Both send the form that stands in the card.

const DAY_MS = 86400000;
const box = document.getElementById("calendar");
let focusOn = "";

function prepare() {
  for (const card of box.querySelectorAll("[data-move]")) {
    card.draggable = true;
    card.querySelector(".what a").setAttribute("aria-describedby", "how-to-move");
  }
}

function send(card, day, time) {
  const form = card.querySelector(".move form");
  if (!form || (form.day.value === day && !time)) return;
  form.day.value = day;
  if (time) form.time.value = time;
  focusOn = card.dataset.move;
  form.requestSubmit();
}

const shifted = (day, days) => new Date(Date.parse(`${day}T12:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

function shiftedTime(time, hours) {
  const hour = Number(time.slice(0, 2)) + hours;
  return hour < 0 || hour > 23 ? time : `${String(hour).padStart(2, "0")}${time.slice(2)}`;
}

box.addEventListener("keydown", (event) => {
  const card = event.altKey && event.target.closest("[data-move]");
  if (!card || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const form = card.querySelector(".move form");
  const isWeek = Boolean(box.querySelector(".days.week"));
  const days = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: isWeek ? 0 : -7, ArrowDown: isWeek ? 0 : 7 }[event.key];
  const hours = isWeek ? { ArrowUp: -1, ArrowDown: 1 }[event.key] || 0 : 0;
  send(card, shifted(form.day.defaultValue, days), hours ? shiftedTime(form.time.defaultValue, hours) : "");
});

let dragged = null;
box.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-move]");
  event.dataTransfer?.setData("text/plain", dragged?.dataset.move ?? "");
});
box.addEventListener("dragover", (event) => {
  const day = dragged && event.target.closest("[data-day]");
  if (!day) return;
  event.preventDefault();
  for (const other of box.querySelectorAll(".over")) other.classList.remove("over");
  day.classList.add("over");
});
box.addEventListener("dragend", () => {
  dragged = null;
  for (const other of box.querySelectorAll(".over")) other.classList.remove("over");
});
box.addEventListener("drop", (event) => {
  const day = dragged && event.target.closest("[data-day]");
  if (!day) return;
  event.preventDefault();
  send(dragged, day.dataset.day);
});

// Not before the new forms are htmx's own, which they are when all is settled: a key pressed earlier would leave the page.
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.target !== box) return;
  prepare();
  const card = focusOn && box.querySelector(`[data-move="${CSS.escape(focusOn)}"]`);
  (card ? card.querySelector(".what a") : document.getElementById("calendar-said")).focus?.();
  focusOn = "";
});

prepare();
