// Jupyter's widget manager weighs as much as the rest of a page: load it only when the reader
// comes near a widget. Until then, and without JavaScript, the widget's stored picture stands.
(() => {
  const here = new URL(".", document.currentScript.src).href;
  const views = 'script[type="application/vnd.jupyter.widget-view+json"]';

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

  async function start() {
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

  // A picture goes when the widget beside it has something to show.
  function replaceStills(place) {
    const replace = () => {
      for (const still of place.querySelectorAll("img.widget-still")) {
        const widget = still.nextElementSibling;
        const drawn =
          widget.matches(".widget-subarea") && widget.querySelector("canvas, input, button");
        if (drawn && !widget.querySelector("canvas[hidden]")) still.remove();
      }
    };
    new MutationObserver(replace).observe(place, { childList: true, subtree: true });
  }

  function watch() {
    const places = new Set([...document.querySelectorAll(views)].map((view) => view.parentElement));
    const observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        observer.disconnect();
        start();
      },
      { rootMargin: "600px" },
    );
    for (const place of places) {
      replaceStills(place);
      observer.observe(place);
    }
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", watch);
  else watch();
})();
