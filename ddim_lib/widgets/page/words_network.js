// The words of the page's own network, apart from words.js, which every explorer carries.

import { GRID } from "./words.js";

export const NETWORK = {
  run: (size) => `run the network here (${size} MB)`,
  loading: "loading the network …",
  failed: (why) => `The network does not run here: ${why}. The stored pictures remain.`,
  computing: "computing …",
  computed: "computed here",
  line: (eta, steps, t, digits, all) => {
    const time = t === undefined ? "" : `t = ${t} · `;
    const few = digits < all ? `${digits} of ${all} digits, as steps are many · ` : "";
    return `${GRID.setting(eta, steps)} · ${time}${few}`;
  },
  view: "view",
  viewTitle: "what is shown of the walk",
  views: { x0Hat: "x̂₀, the guess", x: "xₜ, on its way" },
  time: (t) => `t = ${t}`,
};
