// Paper is light, and nobody opens a fold on it: what the prose folds, and the solutions, stand open
// in print. The code of a picture and a check stay the one line that they are.
(() => {
  const page = document.documentElement.dataset;
  const FOLDS = ".bd-article details:not([open], .code, .check, .hide, .ddim *)";
  let restore;

  function lay() {
    const { theme } = page;
    const shut = document.querySelectorAll(FOLDS);
    page.theme = "light";
    for (const fold of shut) fold.open = true;
    restore = () => {
      page.theme = theme;
      for (const fold of shut) fold.open = false;
    };
  }

  addEventListener("beforeprint", lay);
  addEventListener("afterprint", () => restore?.());
})();
