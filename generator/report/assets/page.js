"use strict";
(() => {
  const search = document.getElementById("search");
  const expand = document.getElementById("expand");
  const status = document.getElementById("found");
  const changes = Array.from(document.querySelectorAll("details.change"));
  const findings = Array.from(document.querySelectorAll("ul.findings li"));
  const sections = Array.from(document.querySelectorAll("section"));
  const texts = new WeakMap();
  const initiallyOpen = new Set(changes.filter((change) => change.open));
  const MOST_MARKS = 2000;
  let timer = 0;

  const textOf = (element) => {
    let text = texts.get(element);
    if (text === undefined) {
      text = element.textContent.toLowerCase();
      texts.set(element, text);
    }
    return text;
  };

  const visible = () => changes.filter((change) => !change.hidden);

  const say = (count, query) => {
    status.textContent = query ? `${count} of ${changes.length} objects` : "";
  };

  const mark = (query, shown) => {
    if (!("highlights" in CSS)) return;
    CSS.highlights.delete("found");
    if (!query) return;
    const ranges = [];
    for (const element of shown) {
      const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
      while (walker.nextNode() && ranges.length < MOST_MARKS) {
        const text = walker.currentNode.data.toLowerCase();
        for (let at = text.indexOf(query); at >= 0 && ranges.length < MOST_MARKS; at = text.indexOf(query, at + query.length)) {
          const range = new Range();
          range.setStart(walker.currentNode, at);
          range.setEnd(walker.currentNode, Math.min(at + query.length, walker.currentNode.length));
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  };

  const filter = () => {
    const query = search.value.trim().toLowerCase();
    const shown = [];
    for (const element of [...changes, ...findings]) {
      const matches = !query || textOf(element).includes(query);
      element.hidden = !matches;
      if (matches) shown.push(element);
      if (element.tagName !== "DETAILS") continue;
      if (query && matches) element.open = textOf(element.querySelector("pre")).includes(query);
      if (!query) element.open = initiallyOpen.has(element);
    }
    for (const section of sections) {
      const entries = section.querySelectorAll("details.change, ul.findings li");
      section.hidden = entries.length > 0 && Array.from(entries).every((entry) => entry.hidden);
    }
    say(visible().length, query);
    mark(query, shown);
    label();
  };

  const label = () => {
    const closed = visible().some((change) => !change.open);
    expand.textContent = closed ? "Expand all" : "Collapse all";
  };

  const toggleAll = () => {
    const open = visible().some((change) => !change.open);
    for (const change of visible()) change.open = open;
    label();
  };

  const step = (by) => {
    const shown = visible();
    if (!shown.length) return;
    const here = shown.findIndex((change) => change.contains(document.activeElement));
    const next = here < 0 ? (by > 0 ? 0 : shown.length - 1) : Math.min(Math.max(here + by, 0), shown.length - 1);
    const summary = shown[next].querySelector("summary");
    summary.focus({ preventScroll: true });
    summary.scrollIntoView({ block: "nearest" });
  };

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 120);
  });
  expand.addEventListener("click", toggleAll);
  document.addEventListener("toggle", label, true);
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") {
        search.value = "";
        filter();
        search.blur();
      }
      return;
    }
    const keys = { j: () => step(1), k: () => step(-1), e: toggleAll, "/": () => search.select() };
    const action = keys[event.key];
    if (!action) return;
    event.preventDefault();
    if (event.key === "/") search.focus();
    action();
  });
  const jumps = document.querySelector("nav > details");
  if (jumps) jumps.open = window.matchMedia("(min-width: 85rem)").matches;
  document.querySelector(".tools").hidden = false;
  label();
})();
