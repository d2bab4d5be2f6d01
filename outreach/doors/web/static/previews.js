// What the previews do beyond plain HTML: what was opened or chosen stays so when a new preview takes the old one's place.

const opened = new Set();
const chosen = new Map();

document.addEventListener("toggle", (event) => {
  const { id, open, isConnected } = event.target;
  if (!id || !isConnected || !event.target.closest(".previews")) return;
  open ? opened.add(id) : opened.delete(id);
}, true);

document.addEventListener("change", (event) => {
  if (event.target.type === "radio" && event.target.closest(".previews")) chosen.set(event.target.name, event.target.id);
});

// Links are asked when somebody wishes it, or at once where people decide; the card goes into its place.
async function look(link) {
  const box = link.closest(".links-box");
  link.dataset.links = "going";
  link.setAttribute("aria-busy", "true");
  const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
  if (!answer.ok || !box.isConnected) return;
  box.innerHTML = await answer.text();
  const card = box.querySelector("[data-card-of]");
  document.getElementById(card?.dataset.cardOf)?.replaceChildren(...card.childNodes);
  card?.remove();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-links]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.dataset.links !== "going") look(link);
});

function lookAtOnce() {
  for (const link of document.querySelectorAll('a[data-links="now"]')) look(link);
}

lookAtOnce();

function restore(mutations) {
  if (!mutations.some((mutation) => mutation.addedNodes.length)) return;
  lookAtOnce();
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  for (const id of chosen.values()) {
    const radio = document.getElementById(id);
    if (radio && !radio.checked) radio.checked = true;
  }
}

new MutationObserver(restore).observe(document.getElementById("main"), { childList: true, subtree: true });
