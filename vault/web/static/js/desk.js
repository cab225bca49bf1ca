"use strict";
// Keyboard first: `/` goes to the filter of a table, arrows turn the pages of a paper.
(() => {
  const typing = (element) => element.matches("input, select, textarea");
  addEventListener("keydown", (event) => {
    if (typing(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "/") {
      const filter = document.querySelector("[data-filter]");
      if (filter) {
        event.preventDefault();
        filter.focus();
      }
    }
    document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`)?.click();
  });
  document.addEventListener("input", (event) => {
    const name = event.target.dataset?.filter;
    if (!name) return;
    const wanted = event.target.value.trim().toLocaleLowerCase();
    for (const row of document.querySelectorAll(`#${CSS.escape(name)} tbody tr`)) {
      row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
    }
  });
})();
