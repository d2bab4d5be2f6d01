// The sheet: drafts save themselves, previews follow the typing, pictures come by drop. Without it everything still works.

const sheet = document.getElementById("sheet");
const isEdit = sheet.dataset.edit === "yes";
const saved = document.getElementById("saved");
const others = document.getElementById("others");
const previews = document.getElementById("previews");
const PAUSE_MS = 1200, LOOK_MS = 700, HERE_MS = 15000;

let typedAt = 0, savedAt = 0; // counts of changes: what was typed, what of it is kept
let isStopped = false; // there are two texts: a person has to choose
let saving = null; // the save that is under way
let isLeaving = false;

document.documentElement.classList.add("scripted");

// Asking the server

function said() {
  const data = new FormData(sheet);
  data.delete("upload");
  return data;
}

async function ask(path, body, more = {}) {
  const answer = await fetch(path, { method: "POST", body, headers: { "HX-Request": "true" }, ...more });
  return { status: answer.status, text: await answer.text() };
}

function put(place, text) {
  if (place.innerHTML.trim() === text.trim()) return;
  place.innerHTML = text;
}

function path(last) {
  return `/write/${sheet.dataset.number || "new"}/${last}`;
}

// Saving

async function save() {
  if (isEdit || isStopped || typedAt === savedAt) return;
  if (saving) return saving.then(save);
  saving = keep();
  await saving;
  saving = null;
}

async function keep() {
  const upTo = typedAt;
  try {
    const { status, text } = await ask(path("save"), said());
    if (status === 401) return tell("You are logged out. Log in again in another tab, then go on here: nothing is lost.");
    if (status === 409) isStopped = true;
    if (status === 200 || status === 409 || status === 422) put(saved, text);
    else return tell(`It could not be saved (${status}). It is tried again when you go on typing.`);
    if (status === 200) take(saved.querySelector("[data-base]"), upTo);
  } catch {
    tell("There is no connection: it is not saved yet.");
    later(save, 5000);
  }
}

function take(told, upTo) {
  savedAt = upTo;
  sheet.elements.base.value = told.dataset.base;
  if (sheet.dataset.number) return;
  const number = told.dataset.number;
  sheet.dataset.number = sheet.elements.number.value = number;
  sheet.action = sheet.action.replace("/write/new/", `/write/${number}/`);
  for (const button of sheet.querySelectorAll("[formaction]")) {
    button.setAttribute("formaction", button.getAttribute("formaction").replace("/write/new/", `/write/${number}/`));
  }
  history.replaceState(null, "", `/write/${number}`);
  document.querySelector("h1").firstChild.textContent = `Draft ${number} `;
  here();
}

function tell(text) {
  saved.textContent = text;
}

const timers = new Map();
function later(what, ms) {
  clearTimeout(timers.get(what));
  timers.set(what, setTimeout(what, ms));
}

function changed() {
  typedAt += 1;
  if (isEdit) tell("Not saved before you say so.");
  else if (!isStopped) tell("Not saved yet …");
  later(save, PAUSE_MS);
  later(look, LOOK_MS);
}

sheet.addEventListener("input", (event) => {
  if (event.target.id === "upload") return;
  if (["date", "time"].includes(event.target.id)) sheet.elements.when.value = "at";
  changed();
});

// Before leaving: what is not kept yet is sent along, and where that cannot be, leaving asks.

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "hidden" || isEdit || isStopped || isLeaving || saving || typedAt === savedAt) return;
  if (!sheet.dataset.number) return void save();
  const upTo = typedAt;
  ask(path("save"), said(), { keepalive: true }).then(({ status, text }) => {
    if (status !== 200) return;
    put(saved, text);
    take(saved.querySelector("[data-base]"), upTo);
  }, () => {});
});

window.addEventListener("beforeunload", (event) => {
  if (!isLeaving && typedAt !== savedAt) event.preventDefault();
});

sheet.addEventListener("submit", async (event) => {
  if (event.defaultPrevented) return;
  if (!saving) {
    isLeaving = true;
    return;
  }
  event.preventDefault(); // the base of the text is about to change
  await saving;
  delete sheet.dataset.sent;
  sheet.requestSubmit(event.submitter);
}, true);

window.addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Looking

let asked = 0;
async function look() {
  const turn = ++asked;
  previews.setAttribute("aria-busy", "true");
  try {
    const [shown, compared] = await Promise.all([ask("/write/preview", said()), ask("/write/differences", said())]);
    if (turn !== asked) return;
    if (shown.status === 200) put(previews, shown.text);
    if (compared.status === 200) compare(compared.text);
  } catch {
    // Without a connection the previews stay as they were; saving says so.
  } finally {
    if (turn === asked) previews.removeAttribute("aria-busy");
  }
}

function compare(text) {
  const told = document.createElement("template");
  told.innerHTML = text;
  for (const place of sheet.querySelectorAll("[data-difference]")) {
    const found = [...told.content.children].find((one) => one.dataset.difference === place.dataset.difference);
    put(place, found ? found.innerHTML : "");
  }
}

// Who else is here

async function here() {
  if (!sheet.dataset.number || document.visibilityState === "hidden") return;
  try {
    const data = new FormData();
    data.set("form_token", sheet.elements.form_token.value);
    data.set("base", sheet.elements.base.value);
    const { status, text } = await ask(path("here"), data);
    if (status !== 200) return;
    // A save that was under way makes the text of the answer an old one.
    const told = document.createElement("template");
    told.innerHTML = text;
    const newer = told.content.querySelector("[data-newer]");
    if (newer && (saving || newer.dataset.newer === sheet.elements.base.value)) newer.remove();
    put(others, told.innerHTML);
  } catch {
    // Tried again soon.
  }
}
here();
setInterval(here, HERE_MS);

// Times

sheet.addEventListener("click", (event) => {
  const wish = event.target.closest("[data-date]");
  if (!wish) return;
  event.preventDefault();
  set("date", wish.dataset.date);
  set("time", wish.dataset.time);
  set("zone", sheet.dataset.zone);
  sheet.elements.when.value = "at";
  changed();
});

sheet.addEventListener("click", (event) => {
  const wish = event.target.closest("[data-earlier]");
  if (!wish) return;
  const { earlier, than } = wish.dataset;
  const field = (name, channel) => document.getElementById(`${name}.${channel}`)?.value;
  const date = field("date", than) || sheet.elements.date.value, time = field("time", than) || sheet.elements.time.value;
  if (!date || !time) return void document.getElementById("date").focus();
  const at = new Date(`${date}T${time.slice(0, 5)}:00Z`); // only counts; the zone is said elsewhere
  at.setUTCHours(at.getUTCHours() - 2);
  set(`date.${earlier}`, at.toISOString().slice(0, 10));
  set(`time.${earlier}`, at.toISOString().slice(11, 16));
  changed();
});

function set(id, value) {
  const input = document.getElementById(id);
  if (input.type === "text" && id !== "zone") input.type = id.startsWith("date") ? "date" : "time";
  input.value = value;
}

// Pictures

const list = document.getElementById("picture-list");
const status = document.getElementById("picture-status");
const upload = document.getElementById("upload");
const drop = document.querySelector(".drop");

upload.addEventListener("change", () => {
  add([...upload.files]);
  upload.value = "";
});
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("is-over", name === "dragover");
    if (name === "drop") add([...event.dataTransfer.files]);
  });
}
for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());

async function add(files) {
  const troubles = [];
  let count = 0;
  for (const file of files) {
    status.textContent = `Adding ${file.name} …`;
    const { shown, refused } = await send(file);
    troubles.push(...refused);
    for (const picture of shown) {
      if (has(picture.dataset.picture)) continue;
      list.append(picture);
      count += 1;
    }
  }
  status.replaceChildren(...troubles);
  if (!count) return;
  status.prepend(`${count === 1 ? "One picture is" : `${count} pictures are`} added. Say what it shows.`);
  list.lastElementChild.querySelector("textarea").focus();
  changed();
}

function has(file) {
  return [...list.children].some((picture) => picture.dataset.picture === file);
}

async function send(file) {
  const data = new FormData();
  for (const name of ["form_token", "number"]) data.set(name, sheet.elements[name].value);
  data.set("upload", file);
  const told = document.createElement("template");
  try {
    const { status: code, text } = await ask("/write/pictures", data);
    told.innerHTML = code === 200 || code === 422 ? text : "";
    if (code === 413) return { shown: [], refused: [wrong(`${file.name} is larger than 12 MB. Save it smaller.`)] };
    if (!told.content.children.length) return { shown: [], refused: [wrong(`${file.name} could not be added (${code}).`)] };
  } catch {
    return { shown: [], refused: [wrong(`${file.name} could not be sent. Try it again.`)] };
  }
  const refused = [...told.content.querySelectorAll(".wrong")];
  return { shown: [...told.content.querySelectorAll("[data-picture]")], refused };
}

function wrong(text) {
  const line = document.createElement("p");
  line.className = "wrong";
  line.textContent = text;
  return line;
}

list.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do]");
  if (!button) return;
  event.preventDefault();
  const picture = button.closest("[data-picture]"), { previousElementSibling: before, nextElementSibling: after } = picture;
  if (button.dataset.do === "remove") {
    picture.remove();
    status.textContent = "The picture is removed.";
    (after ?? before)?.querySelector("textarea").focus() ?? upload.focus();
  } else {
    if (button.dataset.do === "up") before?.before(picture);
    else after?.after(picture);
    button.focus();
    status.textContent = `It is picture ${[...list.children].indexOf(picture) + 1} of ${list.children.length} now.`;
  }
  changed();
});
