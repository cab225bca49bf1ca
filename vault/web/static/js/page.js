"use strict";
// Leaving fast, by the button or by Escape three times; the focus on what is wrong; a page that waits.
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
  const { sentTo } = document.body.dataset;
  if (sentTo) history.replaceState(0, "", sentTo);

  // Looks again by itself: not under somebody's hands, nor while it is read aloud.
  const again = Number(document.querySelector("meta[name=look-again]")?.content) * 1000;
  let touched = 0;
  for (const what of ["keydown", "pointerdown", "scroll"]) addEventListener(what, (event) => (touched = event.timeStamp), true);
  if (again) {
    setInterval(() => {
      const heard = document.querySelector("[aria-pressed='true']");
      if (!heard && performance.now() - touched >= again) location.reload();
    }, again);
  }
})();
