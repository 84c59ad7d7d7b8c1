// Asks every ten seconds whether the page has changed, and exchanges its content if so.
"use strict";
const every = 10000;
let tag = "";
async function refresh() {
  const busy = document.activeElement && document.activeElement.closest("form");
  if (document.hidden || busy || String(getSelection())) return;
  const stale = document.getElementById("stale");
  try {
    const answer = await fetch(location.href, { headers: tag ? { "If-None-Match": tag } : {}, cache: "no-store" });
    if (answer.status === 200) {
      tag = answer.headers.get("ETag") || "";
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("content"), shown = document.getElementById("content");
      if (fresh && fresh.innerHTML !== shown.innerHTML) shown.replaceWith(fresh);
    }
    stale.textContent = answer.ok || answer.status === 304 ? "" : `This page is not up to date: ${answer.status}.`;
  } catch (error) {
    stale.textContent = "This page is not up to date: the service does not answer.";
  }
}
setInterval(refresh, every);
