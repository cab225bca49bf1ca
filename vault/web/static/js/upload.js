"use strict";
// Sending a paper: the browser keeps it until the answer has come, so a lost network loses nothing.
const abriSend = async (action, body) => {
  const beat = setInterval(() => dispatchEvent(new Event("abri:activity")), 5000);
  try {
    const answer = await fetch(action, { method: "POST", body });
    if (answer.redirected) {
      location.assign(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const errors = page.getElementById("errors");
    document.getElementById("errors")?.remove();
    if (!errors) throw new Error("no answer to show");
    document.getElementById("question").prepend(document.adoptNode(errors));
    errors.focus();
  } finally {
    clearInterval(beat);
  }
};

(() => {
  for (const form of document.querySelectorAll("form[data-upload]")) {
    const state = form.querySelector('[data-state="sending"]');
    const offline = document.querySelector('[data-state="offline"]');
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = form.querySelector('[type="submit"]');
      button.disabled = true;
      state.hidden = false;
      if (offline) offline.hidden = true;
      try {
        await abriSend(form.action, new FormData(form));
      } catch {
        if (offline) offline.hidden = false;
        else form.submit();
      }
      state.hidden = true;
      button.disabled = false;
    });
  }
})();
