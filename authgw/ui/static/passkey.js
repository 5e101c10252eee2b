// Passkeys: what a form asks of the browser's authenticator. Without it the form stays hidden, a line says why, and every
// other way works.
"use strict";

const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const spelt = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const listed = (credentials) => (credentials || []).map((each) => ({ ...each, id: bytes(each.id) }));

async function create(options) {
  const made = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      user: { ...options.user, id: bytes(options.user.id) },
      excludeCredentials: listed(options.excludeCredentials),
    },
  });
  return {
    id: made.id,
    rawId: spelt(made.rawId),
    type: made.type,
    response: {
      clientDataJSON: spelt(made.response.clientDataJSON),
      attestationObject: spelt(made.response.attestationObject),
    },
  };
}

async function prove(options) {
  const found = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: bytes(options.challenge),
      allowCredentials: listed(options.allowCredentials),
    },
  });
  return {
    id: found.id,
    rawId: spelt(found.rawId),
    type: found.type,
    response: {
      clientDataJSON: spelt(found.response.clientDataJSON),
      authenticatorData: spelt(found.response.authenticatorData),
      signature: spelt(found.response.signature),
    },
  };
}

for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  form.nextElementSibling.hidden = true; // that passkeys need a script
  for (const hint of form.querySelectorAll("[data-with-passkey]")) hint.hidden = false;
  form.addEventListener("submit", async (event) => {
    // Where something else may be typed in its place, and was, no passkey is asked for.
    if (form.dataset.unless && form.elements[form.dataset.unless].value) return;
    event.preventDefault();
    const trouble = form.querySelector("[data-trouble]");
    const button = form.querySelector("button");
    trouble.hidden = true;
    button.disabled = true;
    try {
      const ask = form.dataset.passkey === "create" ? create : prove;
      form.elements.answer.value = JSON.stringify(await ask(JSON.parse(form.dataset.options)));
      form.submit();
    } catch {
      // Cancelled, timed out, or no fitting device: the person decides what to try next.
      trouble.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}
