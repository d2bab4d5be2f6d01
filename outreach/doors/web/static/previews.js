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

function restore(mutations) {
  if (!mutations.some((mutation) => mutation.addedNodes.length)) return;
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  for (const id of chosen.values()) {
    const radio = document.getElementById(id);
    if (radio && !radio.checked) radio.checked = true;
  }
}

new MutationObserver(restore).observe(document.getElementById("main"), { childList: true, subtree: true });
