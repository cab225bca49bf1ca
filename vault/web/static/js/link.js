"use strict";
// The link of a square stands behind the #, which is sent to nobody: into its field, and out of the address.
(() => {
  const field = document.getElementById("link");
  const shown = decodeURIComponent(location.hash.slice(1));
  if (!field || !shown) return;
  field.value = shown;
  history.replaceState(null, "", location.pathname);
  document.getElementById("code")?.focus();
})();
