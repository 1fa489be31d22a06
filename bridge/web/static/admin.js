// Comfort only: every page works without it.

"use strict";

document.addEventListener("submit", (event) => {
  const asking = [event.submitter, event.target].find((element) => element?.dataset.confirm);
  const question = asking?.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  const label = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = label; }, 1500);
});

const showCopyButtons = (within) => {
  if (!navigator.clipboard) return;
  within.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
};
showCopyButtons(document);

// An element with an id and data-refresh="20" is fetched anew every 20 seconds, unless somebody
// is in it or looks elsewhere.  The server does not take that for use of the session.
const refresh = async (element) => {
  if (document.hidden || element.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { "X-Live": "1" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(element.id);
  if (!fresh) return;
  element.replaceChildren(...fresh.childNodes);
  showCopyButtons(element);
};
document.querySelectorAll("[data-refresh][id]").forEach((element) => {
  const seconds = Math.max(5, Number(element.dataset.refresh) || 20);
  setInterval(() => { refresh(element).catch(() => {}); }, seconds * 1000);
});

// A form with data-changes asks before what was typed is lost.
document.querySelectorAll("form[data-changes]").forEach((form) => {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  window.addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
});
