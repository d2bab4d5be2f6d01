// Live without reload: asks every few seconds, changes only what changed, says what changed, and leaves alone what is in use.

const root = document.getElementById("live");
const told = document.getElementById("told");
const LONGEST_S = 60;
let failures = 0;
let timer = 0;

if (root) {
  root.addEventListener("htmx:configRequest", (event) => (event.detail.parameters.seen = root.dataset.seen));
  root.addEventListener("htmx:beforeSwap", (event) => {
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status === 200) show(event.detail.xhr.responseText);
  });
  root.addEventListener("htmx:afterRequest", (event) => {
    failures = event.detail.successful ? 0 : failures + 1;
    if (failures === 2) say("This page cannot reach the service. It tries again by itself.");
    plan();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) look();
  });
  plan();
}

function plan() {
  clearTimeout(timer);
  const every = Math.min(LONGEST_S, Number(root.dataset.every) * 2 ** failures);
  timer = setTimeout(look, 1000 * every);
}

// A tab that nobody sees asks nothing; it asks at once when it is seen again.
function look() {
  clearTimeout(timer);
  if (!document.hidden) root.dispatchEvent(new Event("look"));
}

function show(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
  if (!fresh) return;
  const before = states(root);
  const seen = root.dataset.seen;
  const isWhole = morph(root, fresh);
  // What had to be left as it was is asked for again.
  if (!isWhole) root.dataset.seen = seen;
  tell(before, states(root));
}

// Telling

function states(of) {
  return new Map([...of.querySelectorAll("[data-post]")].map((each) => [each.dataset.post, each]).map(([name, each]) =>
    [name, { state: each.dataset.state, about: each.dataset.about, element: each }]));
}

function tell(before, after) {
  const changed = [...after].filter(([name, now]) => before.has(name) && before.get(name).state !== now.state);
  for (const [, { element }] of changed) element.classList.add("just-changed");
  if (changed.length > 3) say(`${changed.length} posts changed.`);
  else if (changed.length) say(changed.map(([, now]) => `${now.about}: ${now.state}.`).join(" "));
}

function say(sentence) {
  if (told) told.textContent = sentence;
}

// Changing only what changed: what has the same id, or the same place, stays the same element, with its focus.

function morph(old, fresh) {
  if (isInUse(old)) return old.isEqualNode(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return true;
  }
  morphAttributes(old, fresh);
  return morphChildren(old, fresh);
}

function morphAttributes(old, fresh) {
  const isKept = (name) => old.tagName === "DETAILS" && name === "open";
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && !isKept(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value && !isKept(name)) old.setAttribute(name, value);
}

function morphChildren(old, fresh) {
  let isWhole = true;
  const ids = new Set([...fresh.children].map((each) => each.id).filter(Boolean));
  for (const child of [...old.children]) if (child.id && !ids.has(child.id)) isWhole = drop(child) && isWhole;
  let here = old.firstChild;
  for (const want of [...fresh.childNodes]) {
    const same = match(here, want);
    if (!same) {
      old.insertBefore(document.importNode(want, true), here);
      continue;
    }
    here = bring(old, same, here);
    isWhole = morph(same, want) && isWhole;
  }
  while (here) {
    const next = here.nextSibling;
    isWhole = drop(here) && isWhole;
    here = next;
  }
  return isWhole;
}

// An element that is moved loses the focus, so the others make way where it has it.
function bring(old, same, here) {
  const between = [];
  for (let each = here; each !== same; each = each.nextSibling) between.push(each);
  if (!between.length) return same.nextSibling;
  if (!same.contains(document.activeElement)) {
    old.insertBefore(same, here);
    return here;
  }
  for (const each of between) old.append(each);
  return same.nextSibling;
}

function match(from, want) {
  for (let each = from; each; each = each.nextSibling) {
    if (each.nodeName === want.nodeName && (each.id || "") === (want.id || "")) return each;
    // Without an id only the very next one can be meant.
    if (!want.id && !(each.nodeType === Node.TEXT_NODE && !each.data.trim())) return null;
  }
  return null;
}

function drop(child) {
  const isHeld = child === inUse() || (child.contains && child.contains(inUse()) && inUse() !== null);
  if (!isHeld) child.remove();
  return !isHeld;
}

// A form that has the focus, or in which something was typed, is nobody's to change.
function inUse() {
  return document.activeElement?.closest?.("#live form") ?? null;
}

function isInUse(element) {
  return element.nodeType === Node.ELEMENT_NODE && element.matches("form") && (element === inUse() || isTyped(element));
}

function isTyped(form) {
  return [...form.elements].some((each) => each.type !== "hidden" && "defaultValue" in each && each.value !== each.defaultValue);
}
