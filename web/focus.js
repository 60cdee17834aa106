// What is wider than its column scrolls in a box of its own: by the keyboard too, in every browser.
// (The theme sees to the code that is open when the page loads, not to formulas, tables and folds.)
// It is measured when the key that needs it is pressed: formulas are typeset as the reader comes.
const WIDE = "mjx-container, div.math, pre, .pst-scrollable-table-container";
addEventListener(
  "keydown",
  ({ key }) => {
    if (key !== "Tab") return;
    for (const box of document.querySelectorAll(WIDE))
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  },
  true,
);
