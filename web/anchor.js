// Equations, typeset as they come near, change the height of a page after the browser has jumped to
// #place: jump again, until the page has come to rest or the reader has moved on.
(() => {
  const REST = 3000; // milliseconds after the page is there
  const observer = new ResizeObserver(jump);

  function jump() {
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  }

  function end() {
    observer.disconnect();
  }

  for (const type of ["wheel", "touchmove", "keydown", "pointerdown"])
    addEventListener(type, end, { once: true, passive: true });

  addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article.bd-article");
    if (location.hash && article) observer.observe(article);
  });
  addEventListener("load", () => setTimeout(end, REST));
})();
