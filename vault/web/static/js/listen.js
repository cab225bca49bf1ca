"use strict";
// Sentences said aloud, one or all; only when somebody presses. Playing counts as being there.
(() => {
  const player = new Audio();
  player.preload = "none";
  let queue = [];
  let button = null;
  let marked = null;
  let missed = false;

  const mark = (element) => {
    marked?.classList.remove("speaking");
    marked = element;
    marked?.classList.add("speaking");
    marked?.scrollIntoView({ block: "nearest" });
  };
  const stop = () => {
    queue = [];
    player.pause();
    mark(null);
    button?.setAttribute("aria-pressed", "false");
    button = null;
  };
  // Heard to the end: kept with the yes that the page asks for; of several cards, each tells the next.
  const heard = () => {
    for (const one of document.querySelectorAll("[data-heard]:not(:has([name=heard]))")) {
      if (one.dataset.heard) one.href = one.dataset.heard;
      else one.append(Object.assign(document.createElement("input"), { type: "hidden", name: "heard", value: "yes" }));
    }
  };
  const next = () => {
    const said = queue.shift();
    if (!said) {
      if (button?.dataset.listen !== undefined && !missed) heard();
      return stop();
    }
    if (said.element) mark(said.element);
    player.src = said.url;
    player.play().catch(stop);
  };
  const start = (pressed, parts) => {
    const again = button === pressed;
    stop();
    if (again || !parts.length) return;
    button = pressed;
    button?.setAttribute("aria-pressed", "true");
    queue = parts;
    missed = false;
    next();
  };
  const urls = (text, element) => text.split(" ").filter(Boolean).map((url) => ({ url, element }));
  const page = (attribute) =>
    [...document.querySelectorAll(`main [${attribute}]`)]
      .filter((element) => element.getClientRects().length)
      .flatMap((element) => urls(element.getAttribute(attribute), element));

  player.addEventListener("ended", next);
  player.addEventListener("error", () => {
    missed = true;
    if (queue.length) next();
    else stop();
  });
  player.addEventListener("timeupdate", () => dispatchEvent(new Event("abri:activity")));
  addEventListener("pagehide", stop);
  addEventListener("abri:say", (event) => start(null, urls(event.detail, null)));
  document.addEventListener("click", (event) => {
    const one = event.target.closest("[data-hear]");
    const all = event.target.closest("[data-listen]");
    if (one) {
      const around = one.parentElement.querySelector("[data-audio]");
      start(one, urls(one.dataset.hear, around));
    } else if (all) {
      start(all, page(all.dataset.listen === "fr" ? "data-audio-fr" : "data-audio"));
    }
  });
})();
