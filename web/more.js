// What is wider than its column fades out at the right, until it has been scrolled to its end.
(() => {
  const BOXES =
    "div.cell_input pre, div.cell_output pre, div.math, .pst-scrollable-table-container";
  const ROUNDING = 4;

  function mark(box) {
    const right = box.scrollWidth - box.clientWidth - box.scrollLeft > ROUNDING;
    const scrolls = right && getComputedStyle(box).overflowX !== "visible";
    box.classList.toggle("goes-on", scrolls);
  }

  // A fold that opens and a formula that is set change a box's size, too.
  const watch = new ResizeObserver((changes) => {
    for (const { target } of changes) mark(target);
  });
  addEventListener("DOMContentLoaded", () => {
    for (const box of document.querySelectorAll(BOXES)) watch.observe(box);
  });
  const scrolled = ({ target }) =>
    target instanceof Element && target.matches(BOXES) && mark(target);
  addEventListener("scroll", scrolled, { capture: true, passive: true });
})();
