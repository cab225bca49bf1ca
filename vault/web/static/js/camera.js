"use strict";
// A photo of a paper. It stays in the page until the server has it, or until the session ends.
(() => {
  const root = document.querySelector("[data-camera]");
  if (!root) return;
  const video = root.querySelector("video");
  const shot = root.querySelector("[data-shot]");
  const shutter = root.querySelector("[data-shutter]");
  const turn = root.querySelector("[data-switch]");
  const retry = root.querySelector("[data-retry]");
  const state = (name) => root.querySelector(`[data-state="${name}"]`);
  let stream = null;
  let facing = "environment";
  let photo = null;

  const close = () => stream?.getTracks().forEach((track) => track.stop());
  const open = async () => {
    close();
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        video: { facingMode: facing, width: { ideal: 3264 }, height: { ideal: 2448 } },
      });
      video.srcObject = stream;
      await video.play();
      shutter.disabled = false;
      const cameras = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "videoinput");
      turn.hidden = cameras.length < 2;
    } catch {
      video.hidden = true;
      shutter.hidden = true;
      state("refused").hidden = false;
    }
  };
  const send = async () => {
    state("offline").hidden = true;
    state("sending").hidden = false;
    retry.hidden = true;
    const body = new FormData();
    body.append("token", document.body.dataset.token);
    body.append("file", photo, "photo.jpg");
    try {
      await abriSend(root.dataset.camera, body);
      again();
    } catch (told) {
      state("offline").hidden = "id" in told;
      retry.hidden = false;
    }
    state("sending").hidden = true;
  };
  const again = () => {
    shot.hidden = true;
    video.hidden = false;
    shutter.disabled = false;
  };
  const take = () => {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    shutter.disabled = true;
    canvas.toBlob((blob) => {
      photo = blob;
      shot.src = URL.createObjectURL(blob);
      shot.hidden = false;
      video.hidden = true;
      send();
    }, "image/jpeg", 0.92);
  };

  shutter.addEventListener("click", take);
  retry.addEventListener("click", send);
  turn.addEventListener("click", () => {
    facing = facing === "environment" ? "user" : "environment";
    open();
  });
  addEventListener("pagehide", close);
  open();
})();
