// Says beside a password's field that Caps Lock is on. Without it the pages work as well.
"use strict";

let isOn = false;

function show() {
  for (const hint of document.querySelectorAll("[data-caps-lock]")) {
    const told = isOn && document.activeElement === document.getElementById(hint.dataset.for);
    const words = told ? hint.dataset.capsLock : "";
    // Written only where it changes: each writing may be read out.
    if (hint.textContent !== words) hint.textContent = words;
  }
}

function learn(event) {
  // What a browser fills in by itself comes without the state of any key.
  if (typeof event.getModifierState !== "function") return;
  isOn = event.getModifierState("CapsLock");
  show();
}

for (const kind of ["keydown", "keyup", "mousedown"]) document.addEventListener(kind, learn);
for (const kind of ["focusin", "focusout"]) document.addEventListener(kind, () => setTimeout(show));
