"use strict";
// Nobody there: a spoken warning, then the end page. Touch, keys, sound and uploads all count as being there.
(() => {
  const { idle, warn, end, alive } = document.body.dataset;
  const dialog = document.getElementById("still-here");
  const limit = Number(idle) * 1000;
  const warning = Math.min(Number(warn) * 1000, limit - 1000);
  const sayEvery = 60000;
  let last = Date.now();
  let told = Date.now();

  const tell = () => {
    told = Date.now();
    if (!alive) return;
    fetch(alive, { cache: "no-store", redirect: "manual" })
      .then((answer) => answer.ok || close())
      .catch(() => {});
  };
  const close = () => {
    document.documentElement.hidden = true;
    location.replace(end);
  };
  const here = () => {
    last = Date.now();
    if (last - told > sayEvery) tell();
  };
  const stay = () => {
    dialog.close();
    here();
    tell();
  };
  const look = () => {
    const quiet = Date.now() - last;
    if (quiet >= limit) return close();
    if (quiet >= limit - warning && !dialog.open) {
      dialog.showModal();
      const said = dialog.querySelector("[data-warning]").dataset.warning;
      if (said) dispatchEvent(new CustomEvent("abri:say", { detail: said }));
    }
  };

  for (const name of ["pointerdown", "keydown", "wheel", "touchmove", "scroll", "input"]) {
    addEventListener(name, () => dialog.open || here(), { passive: true, capture: true });
  }
  addEventListener("abri:activity", () => dialog.open || here());
  dialog.querySelector("[data-stay]").addEventListener("click", stay);
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    stay();
  });
  addEventListener("visibilitychange", look);
  setInterval(look, 1000);
})();
