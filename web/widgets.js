// A page's widgets come to life when the reader comes near and the page is idle, or at a touch. Until
// then, and without JavaScript, their stored pictures stand. Explorers of this book are mounted here;
// only what Jupyter's own controls are linked to needs Jupyter's manager, which weighs as much as the
// rest of a page: it is not loaded before the reader moves.
(() => {
  const here = new URL(".", document.currentScript.src).href;
  const views = 'script[type="application/vnd.jupyter.widget-view+json"]';

  // --- the book's explorers: extensions/page_widgets.py writes their places and their states ---

  // What an explorer sees of a kernel's model, where there is no kernel.
  class Model {
    constructor({ source, state, buffers = {} }) {
      Object.assign(this, { source, state, heard: {} });
      for (const [name, data] of Object.entries(buffers)) {
        const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
        state[name] = new DataView(bytes.buffer);
      }
    }

    get(name) {
      return this.state[name];
    }

    set(name, value) {
      if (Object.is(this.state[name], value)) return;
      this.state[name] = value;
      for (const hear of this.heard[`change:${name}`] ?? []) hear();
    }

    on(event, hear) {
      this.heard[event] ??= new Set();
      this.heard[event].add(hear);
    }

    off(event, hear) {
      this.heard[event]?.delete(hear);
    }

    save_changes() {}

    send() {}
  }

  function link(models, [[from, trait], [to, other], both]) {
    const follow = (a, name, b, its) => a.on(`change:${name}`, () => b.set(its, a.get(name)));
    follow(models[from], trait, models[to], other);
    if (both) follow(models[to], other, models[from], trait);
  }

  const stored = { sources: {}, models: {} };

  function readStates() {
    for (const script of document.querySelectorAll("script.explorers")) {
      const { sources, models, links } = JSON.parse(script.textContent);
      Object.assign(stored.sources, sources);
      for (const [id, model] of Object.entries(models)) stored.models[id] = new Model(model);
      for (const ends of links) link(stored.models, ends);
      script.remove();
    }
  }

  // An explorer's module, imported as text: a page opened from a disk may import no file.
  function moduleOf(source) {
    source.module ??= import(
      URL.createObjectURL(new Blob([source.esm], { type: "text/javascript" }))
    );
    return source.module;
  }

  async function mount(place) {
    readStates();
    const model = stored.models[place.dataset.model];
    const source = stored.sources[model.source];
    if (!source.styled) {
      source.styled = document.createElement("style");
      source.styled.textContent = source.css;
      document.head.append(source.styled);
    }
    const explorer = await moduleOf(source);
    explorer.default.render({ model, el: place });
  }

  // --- Jupyter's manager ---

  function load(file) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      Object.assign(script, { src: here + file, onload: resolve, onerror: reject });
      document.head.append(script);
    });
  }

  // The labels of Jupyter's own controls are typeset by a call that MathJax 3 no longer has.
  function speakToMathJax3() {
    if (!window.MathJax) return;
    const typeset = ([, , element]) =>
      MathJax.startup.promise.then(() => MathJax.typesetPromise([element]));
    MathJax.Hub = { Queue: typeset };
  }

  // Jupyter's sliders have no name for a screen reader: their label stands beside them, untied.
  function nameSliders(place) {
    const name = () => {
      for (const handle of place.querySelectorAll(".noUi-handle:not([aria-label])")) {
        const label = handle.closest(".jupyter-widgets")?.querySelector("label")?.textContent;
        if (label) handle.setAttribute("aria-label", label);
      }
    };
    new MutationObserver(name).observe(place, { childList: true, subtree: true });
  }

  let managed;

  function startManager() {
    managed ??= loadManager();
    return managed;
  }

  async function loadManager() {
    await load("vendor/require.js");
    requirejs.config({
      paths: {
        anywidget: `${here}vendor/anywidget/index`,
        "@jupyter-widgets": `${here}vendor/html-manager`, // where it looks for its icon fonts
        "@jupyter-widgets/html-manager/dist": `${here}vendor/html-manager`,
      },
    });
    speakToMathJax3();
    await load("vendor/html-manager/embed-amd.js");
  }

  // --- when ---

  // A picture goes when the widget beside it has something to show.
  function replaceStills(place) {
    const replace = () => {
      for (const still of place.querySelectorAll("img.widget-still")) {
        const widget = still.nextElementSibling;
        const drawn =
          widget.matches(".widget-subarea, .explorer") &&
          widget.querySelector("canvas, input, button");
        if (drawn && !widget.querySelector("canvas[hidden]")) still.remove();
      }
    };
    const watched = { childList: true, subtree: true, attributeFilter: ["hidden"] };
    new MutationObserver(replace).observe(place, watched);
  }

  // The page is loaded, its formulas are set, and nothing else is going on.
  async function idle() {
    if (document.readyState !== "complete")
      await new Promise((resolve) => addEventListener("load", resolve, { once: true }));
    await window.MathJax?.startup?.promise;
    const ask = window.requestIdleCallback ?? ((done) => setTimeout(done, 200));
    await new Promise((resolve) => ask(resolve, { timeout: 2000 }));
  }

  // Somebody is there: a hand, a key, a page that scrolls.
  const sign = new Promise((resolve) => {
    for (const type of ["pointermove", "pointerdown", "keydown", "wheel", "scroll"])
      addEventListener(type, resolve, { once: true, passive: true });
  });

  // Start once: at a touch, or when the place is near, the page idle, and what is awaited has come.
  function prepare(place, start, awaited) {
    let begun = false;
    const begin = () => {
      if (!begun) start(place);
      begun = true;
    };
    const sight = new IntersectionObserver(
      async (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        sight.disconnect();
        await awaited;
        await idle();
        begin();
      },
      { rootMargin: "600px" },
    );
    sight.observe(place);
    for (const type of ["pointerover", "pointerdown"])
      place.addEventListener(type, begin, { once: true, passive: true });
  }

  function watch() {
    for (const explorer of document.querySelectorAll("div.explorer")) {
      const place = explorer.parentElement; // with the picture, which can be touched
      replaceStills(place);
      prepare(place, () => mount(explorer));
    }
    const places = [...document.querySelectorAll(views)].map((view) => view.parentElement);
    for (const place of new Set(places)) {
      replaceStills(place);
      nameSliders(place);
      prepare(place, startManager, sign);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
