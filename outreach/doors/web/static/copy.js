// A button that copies what stands in a field: <button type="button" data-copy="id of the field" hidden>.
for (const button of document.querySelectorAll("[data-copy]")) {
  const field = document.getElementById(button.dataset.copy);
  if (!field || !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      document.getElementById("copied").textContent = "Copied.";
    } catch {
      document.getElementById("copied").textContent = "Your browser does not allow it: copy the marked text by hand.";
    }
  });
}
