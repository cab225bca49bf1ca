"use strict";
// Authenticators: the browser is asked, its answer fills the form, the form is sent. Nothing is kept here.
(() => {
  const form = document.querySelector("form[data-get], form[data-create]");
  if (!form) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const described = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  const extended = (asked) => ({ prf: { eval: { first: bytes(asked.extensions.prf.eval.first) } } });
  const secretOf = (made) => made.getClientExtensionResults().prf?.results?.first;

  const say = (name) => {
    for (const line of form.querySelectorAll("[data-key-said]")) line.hidden = line.dataset.keySaid !== name;
  };
  const put = (name, made, secret) => {
    const { response } = made;
    const parts = { clientDataJSON: text(response.clientDataJSON) };
    if (response.attestationObject) parts.attestationObject = text(response.attestationObject);
    if (response.authenticatorData && response.signature) {
      parts.authenticatorData = text(response.authenticatorData);
      parts.signature = text(response.signature);
      if (response.userHandle) parts.userHandle = text(response.userHandle);
    }
    form.elements[name].value = JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response: parts });
    form.elements[`${name}_secret`].value = secret ? text(secret) : "";
  };
  const get = (asked) =>
    navigator.credentials.get({
      publicKey: {
        challenge: bytes(asked.challenge),
        rpId: asked.rpId,
        timeout: asked.timeout,
        userVerification: asked.userVerification,
        allowCredentials: described(asked.allowCredentials),
        extensions: extended(asked),
      },
    });
  const create = (asked) =>
    navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        user: { ...asked.user, id: bytes(asked.user.id) },
        excludeCredentials: described(asked.excludeCredentials),
        extensions: extended(asked),
      },
    });

  // Some authenticators give their secret at the next touch only: that answer goes nowhere but here.
  const secretOfNew = async (made, asked) => {
    const found = made.getClientExtensionResults().prf;
    if (!found?.enabled || found.results?.first) return found?.results?.first;
    say("again");
    const again = await get({
      challenge: text(crypto.getRandomValues(new Uint8Array(32))),
      rpId: asked.rp.id,
      timeout: asked.timeout,
      userVerification: "required",
      allowCredentials: [{ id: made.id, type: "public-key" }],
      extensions: asked.extensions,
    });
    return secretOf(again);
  };

  form.addEventListener("submit", async (event) => {
    const byKey = event.submitter?.dataset.by === "key";
    if (!byKey && !form.dataset.create) return;
    event.preventDefault();
    say("touch");
    try {
      if (!window.PublicKeyCredential) throw new DOMException("", "NotSupportedError");
      if (byKey) {
        const known = await get(JSON.parse(form.dataset.get));
        put("answer", known, secretOf(known));
      }
      if (form.dataset.create) {
        const asked = JSON.parse(form.dataset.create);
        const made = await create(asked);
        put("made", made, await secretOfNew(made, asked));
      }
      form.submit();
    } catch (error) {
      say({ InvalidStateError: "known", NotSupportedError: "unable", SecurityError: "address" }[error.name] || "given-up");
    }
  });
  if (form.dataset.start) form.requestSubmit(form.querySelector("[data-by=key]"));
})();
