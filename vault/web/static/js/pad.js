"use strict";
// Keys for a code. What is chosen is held by the fields that a page without script shows; no key ever lights up.
(() => {
  const keepFocus = (event) => {
    if (event.target.closest(".pad-key")) event.preventDefault();
  };
  for (const pad of document.querySelectorAll("[data-pad]")) {
    const field = pad.querySelector("input");
    const length = Number(pad.dataset.pad);
    pad.addEventListener("pointerdown", keepFocus);
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("[data-digit], [data-erase]");
      if (!key) return;
      if (key.hasAttribute("data-erase")) field.value = field.value.slice(0, -1);
      else if (field.value.length < length) field.value += key.dataset.digit;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  for (const pad of document.querySelectorAll("[data-picture-pad]")) {
    const fields = [...pad.querySelectorAll("select")];
    const halves = [...pad.querySelectorAll("[data-half]")];
    const dots = pad.querySelector("[data-dots]");
    const label = dots.getAttribute("aria-label");
    const show = () => {
      const count = fields.filter((field) => field.value !== "").length;
      [...dots.children].forEach((dot, index) => dot.classList.toggle("pad-dot-full", index < count));
      dots.setAttribute("aria-label", `${label} : ${count} / ${fields.length}`);
    };
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("[data-picture]");
      if (key) {
        const empty = fields.find((field) => field.value === "");
        if (empty) empty.value = key.dataset.picture;
      } else if (event.target.closest("[data-erase]")) {
        const full = fields.filter((field) => field.value !== "").at(-1);
        if (full) full.value = "";
      } else if (event.target.closest("[data-other-half]")) {
        for (const half of halves) half.hidden = !half.hidden;
      }
      show();
    });
    show();
  }
})();
