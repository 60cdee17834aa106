// The landing page's explorer. extensions/page_widgets.py puts this after flow.js, in the same script:
// Jupyter's widget manager, which weighs as much as the page, is not needed for a model that nobody
// else holds.
const state = JSON.parse(document.getElementById("flow-state").textContent);
const listeners = {};

const model = {
  get: (name) => state[name],
  set(name, value) {
    if (Object.is(state[name], value)) return;
    state[name] = value;
    for (const listener of listeners[`change:${name}`] ?? []) listener();
  },
  on: (event, listener) => (listeners[event] ??= new Set()).add(listener),
  off: (event, listener) => listeners[event]?.delete(listener),
  save_changes() {},
  send() {},
};

render({ model, el: document.getElementById("flow") });
