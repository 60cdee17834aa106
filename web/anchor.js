// Equations change the height of a page after the browser has jumped to #place: jump again, unless
// the reader has moved on.
(() => {
  let moved = false;
  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"])
    addEventListener(type, () => (moved = true), { once: true, passive: true });

  addEventListener("load", async () => {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place || !window.MathJax?.startup) return;
    await MathJax.startup.promise;
    if (!moved) place.scrollIntoView();
  });
})();
