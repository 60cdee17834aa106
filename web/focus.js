// What is wider than its column scrolls in a box of its own: by the keyboard too. (The theme sees to
// the code that is open when the page loads, not to formulas and folds.)
(() => {
  function mark() {
    for (const box of document.querySelectorAll("mjx-container, div.math, pre"))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }

  addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
    mark();
    addEventListener("resize", mark);
    addEventListener("toggle", mark, true);
  });
})();
