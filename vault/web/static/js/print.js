"use strict";
// A page made for paper: the button opens the browser's own print window.
document.querySelector("[data-print]")?.addEventListener("click", () => print());
