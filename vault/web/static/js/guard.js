"use strict";
// First of all: a page that the browser kept aside is never shown again, it is asked for anew.
document.documentElement.classList.add("js");
addEventListener("pagehide", () => {
  document.documentElement.hidden = true;
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
