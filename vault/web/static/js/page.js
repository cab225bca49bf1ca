"use strict";
// Leaving fast, by the button or by Escape three times; and the focus on what must be put right.
(() => {
  const leave = document.body.dataset.leave;
  const go = (event) => {
    event.preventDefault();
    document.documentElement.hidden = true;
    location.replace(leave);
  };
  document.querySelector("[data-leave-now]")?.addEventListener("click", go);
  let presses = [];
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    presses = [...presses, event.timeStamp].filter((at) => event.timeStamp - at < 2000);
    if (leave && presses.length >= 3) go(event);
  });
  document.getElementById("errors")?.focus();
})();
