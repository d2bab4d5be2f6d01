// What every page does beyond plain HTML. Without it everything still works.

// A refusal is read out and seen first.
document.getElementById("refusal")?.focus();

// A button that cannot be undone asks once: <button data-ask="Cancel this post for good?">.
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.ask;
  if (question && !window.confirm(question)) event.preventDefault();
});

// The same form is not sent twice by two quick clicks.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
  setTimeout(() => delete event.target.dataset.sent, 3000);
});
