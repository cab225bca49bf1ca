"use strict";
// Sending a paper: the browser keeps it until the answer has come, so a lost network loses nothing.
const abriSend = async (action, body) => {
  const beat = setInterval(() => dispatchEvent(new Event("abri:activity")), 5000);
  try {
    const answer = await fetch(action, { method: "POST", body }); // throws without network, and only then
    if (answer.redirected) {
      location.assign(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const errors = page.getElementById("errors");
    document.getElementById("errors")?.remove();
    if (!errors) {
      location.reload(); // the session is over, or the service says something of its own: the page itself tells it
      return;
    }
    document.getElementById("question").prepend(document.adoptNode(errors));
    errors.focus();
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
      } catch {
        state("offline").hidden = false;
      }
      state("sending").hidden = true;
      button.disabled = false;
    });
  }
})();
