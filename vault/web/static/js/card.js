"use strict";
// Showing the card: pictures go to the server, which reads the square; a USB reader types like a keyboard.
(() => {
  const root = document.querySelector("[data-card-camera]");
  if (root) watch(root);
  const form = document.querySelector("form[data-scanner]");
  if (form) type(form);
  // The reader's field has the focus, and may lie far down: the page still begins at its heading.
  form?.querySelector("[autofocus]").focus({ preventScroll: true });
  scrollTo(0, 0);

  async function watch(root) {
    const video = root.querySelector("video");
    const state = (name) => root.querySelector(`[data-state="${name}"]`);
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
      });
    } catch {
      video.hidden = true;
      state("searching").hidden = true;
      state("refused").hidden = false;
      return;
    }
    addEventListener("pagehide", () => stream.getTracks().forEach((track) => track.stop()));
    video.srcObject = stream;
    await video.play();
    const canvas = document.createElement("canvas");
    const headers = { "Content-Type": "image/jpeg", "X-Abri-Token": document.body.dataset.token };
    for (;;) {
      await new Promise((done) => setTimeout(done, 350));
      canvas.width = Math.min(video.videoWidth, 960);
      canvas.height = Math.round(canvas.width * video.videoHeight / video.videoWidth);
      canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
      const body = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
      try {
        const answer = await fetch(root.dataset.cardCamera, { method: "POST", headers, body });
        if (answer.status === 200) {
          location.assign((await answer.json()).next);
          return;
        }
        if (answer.status !== 204) await new Promise((done) => setTimeout(done, 2000));
      } catch {
        await new Promise((done) => setTimeout(done, 2000));
      }
    }
  }

  // The reader believes in an American keyboard: what counts is the place of the key, not the letter on it.
  function type(form) {
    const field = form.querySelector("input[name=card]");
    let fast = "";
    let last = 0;
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.timeStamp - last > 120) fast = "";
      last = event.timeStamp;
      if (event.code === "Enter" || event.code === "NumpadEnter") {
        if (fast.length < 16) return;
        event.preventDefault();
        field.value = fast;
        form.submit();
        return;
      }
      const place = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(event.code);
      if (place) fast += event.shiftKey || !event.code.startsWith("Key") ? place[1] : place[1].toLowerCase();
      else if (event.code === "Minus") fast += "-";
      else if (event.code === "Semicolon" && event.shiftKey) fast += ":";
      else if (event.code === "Slash") fast += "/";
    }, true);
  }
})();
