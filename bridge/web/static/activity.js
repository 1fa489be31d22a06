// Says how many events arrived since the list was drawn, and moves nothing in it.

"use strict";

const link = document.querySelector("[data-count]");
const ask = async () => {
  if (document.hidden) return;
  const answer = await fetch(link.dataset.count, { headers: { "X-Live": "1" }, redirect: "error" });
  if (!answer.ok) return;
  const { count } = await answer.json();
  if (!count) return;
  link.textContent = link.dataset.text.replace("#", count > 99 ? "99+" : count);
  link.classList.add("primary");
};
if (link) setInterval(() => { ask().catch(() => {}); }, 15000);
