// How much of a page is shown: the story alone, the code with it, or also all that is folded. The
// choice stands in the address (?show=story), so that a link shows a class the same, and is
// remembered. What a link, a search or the browser's own search leads to is opened.
(() => {
  const MODES = { story: "story", code: "with code", all: "everything open" };
  const KEY = "ddim-show";

  // A browser may refuse its storage; the choice then holds for the page alone.
  function remembered() {
    try {
      return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
    } catch {
      return null;
    }
  }

  function remember(mode, ...stores) {
    try {
      for (const store of stores) window[store].setItem(KEY, mode);
    } catch {
      return;
    }
  }

  // Hidden "until found": the browser's own search still finds it, and shows it again.
  function show(article, mode, before) {
    document.documentElement.dataset.show = mode;
    for (const part of article.querySelectorAll("div.cell > .cell_input, details.fold.code"))
      if (mode === "story") part.setAttribute("hidden", "until-found");
      else part.removeAttribute("hidden");
    if (mode === "all" || before === "all")
      for (const fold of article.querySelectorAll("details")) fold.open = mode === "all";
  }

  function open(place) {
    for (let part = place; part; part = part.parentElement) {
      if (part.matches("details")) part.open = true;
      if (part.hidden === "until-found") part.hidden = false;
    }
  }

  function openTarget() {
    const place = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!place?.closest("details, [hidden]")) return;
    open(place);
    place.scrollIntoView();
  }

  // Sphinx marks the words that were searched for a moment after the page is there.
  function openFound(article) {
    const observer = new MutationObserver(() => {
      for (const word of article.querySelectorAll(".highlighted"))
        if (word.closest("details:not([open]), [hidden]")) open(word);
    });
    observer.observe(article, { childList: true, subtree: true });
    addEventListener("load", () => setTimeout(() => observer.disconnect(), 1000));
  }

  function searched() {
    if (new URLSearchParams(location.search).has("highlight")) return true;
    try {
      return localStorage.getItem("sphinx_highlight_terms") !== null;
    } catch {
      return false;
    }
  }

  function makeSwitch(mode, choose) {
    const set = document.createElement("fieldset");
    set.className = "show-switch";
    const legend = document.createElement("legend");
    legend.textContent = "Show of this page";
    set.append(legend);
    for (const [value, words] of Object.entries(MODES)) {
      const label = document.createElement("label");
      const input = document.createElement("input");
      Object.assign(input, { type: "radio", name: "show", value, checked: value === mode });
      input.addEventListener("change", () => choose(value));
      label.append(input, words);
      set.append(label);
    }
    return set;
  }

  function inAddress(mode) {
    const url = new URL(location);
    url.searchParams.set("show", mode);
    history.replaceState(history.state, "", url);
  }

  const wasSearched = searched(); // Sphinx forgets it soon

  addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article.bd-article");
    const head = article?.querySelector(".page-head");
    if (!head) return;
    const asked = new URLSearchParams(location.search).get("show");
    let mode = [asked, remembered(), "code"].find((name) => Object.hasOwn(MODES, name));
    if (mode === asked) remember(asked, "sessionStorage");
    else if (mode !== "code") inAddress(mode);
    show(article, mode);
    head.append(
      makeSwitch(mode, (chosen) => {
        show(article, chosen, mode);
        mode = chosen;
        inAddress(chosen);
        remember(chosen, "sessionStorage", "localStorage");
      }),
    );
    if (wasSearched) openFound(article);
    openTarget();
    addEventListener("hashchange", openTarget);
    article.addEventListener("click", (event) => {
      if (event.target.closest?.("a[href]")?.href === location.href) openTarget();
    });
  });
})();
