"use strict";
// Sending a paper: the browser keeps it until it was taken in, so a lost network loses nothing.
const abriSend = async (action, body) => {
  const beat = setInterval(() => dispatchEvent(new Event("abri:activity")), 5000);
  try {
    const answer = await fetch(action, { method: "POST", body }); // throws without network
    if (answer.redirected) return location.assign(answer.url);
    const errors = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("errors");
    document.getElementById("errors")?.remove();
    if (!errors) return location.reload(); // the session is over, and says so
    document.getElementById("question").prepend(document.adoptNode(errors));
    errors.focus();
    // Not the paper's fault: it can be sent again.
    if (answer.status > 499 || [409, 429].includes(answer.status)) throw errors;
  } finally {
    clearInterval(beat);
  }
};

(() => {
  for (const form of document.querySelectorAll("form[data-upload]")) {
    const state = (name) => form.querySelector(`[data-state="${name}"]`);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector('[type="submit"]');
      button.disabled = true;
      state("sending").hidden = false;
      state("offline").hidden = true;
      try {
        await abriSend(form.action, new FormData(form));
      } catch (told) {
        state("offline").hidden = "id" in told;
      }
      state("sending").hidden = true;
      button.disabled = false;
    });
  }
})();
