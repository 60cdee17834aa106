// A printed table wider than its column, as on a phone, is set smaller, to 10 px; from there it scrolls.
(() => {
  const SMALLEST = 10;
  const seen = new WeakMap();

  function fit(table) {
    if (seen.get(table) === table.clientWidth) return; // its height changed, and by this function
    seen.set(table, table.clientWidth);
    table.style.fontSize = "";
    const { fontSize, paddingLeft, paddingRight } = getComputedStyle(table);
    const beside = Number.parseFloat(paddingLeft) + Number.parseFloat(paddingRight);
    const share = (table.clientWidth - beside) / (table.scrollWidth - beside);
    if (table.scrollWidth <= table.clientWidth || share <= 0) return;
    const size = Math.floor(Number.parseFloat(fontSize) * share * 10) / 10;
    table.style.fontSize = `${Math.max(SMALLEST, size)}px`;
  }

  // A fold that opens gives its tables a width, too.
  const watch = new ResizeObserver((changes) => {
    for (const { target } of changes) fit(target);
  });
  addEventListener("DOMContentLoaded", () => {
    for (const table of document.querySelectorAll("div.cell_output pre")) watch.observe(table);
  });
})();
