// An explorer whose pictures are plots: a subclass gives words(setting), which returns the line in words,
// and paint(plot).

import { Explorer } from "./explorer.js";
import { element } from "./sliders.js";

export class PlotExplorer extends Explorer {
  constructor(model, kind, names, plots) {
    const canvases = plots.map((plot) => plot.canvas);
    super(model, `ddim-step ${kind}`, names, canvases);
    this.plots = plots;
    this.pictures = element("div", { class: "pictures" }, ...canvases);
    this.root.append(this.pictures, this.trouble, this.line);
  }

  show(setting) {
    this.say(this.words(setting));
  }

  // What the curves are, under them, in their colours (paintLegend).
  addLegend(words) {
    this.legend = element("p", { class: "legend", "aria-hidden": "true" });
    for (const [kind, name] of Object.entries(words))
      this.legend.append(element("span", { class: kind }, name));
    this.pictures.append(this.legend);
  }

  paintLegend(tones) {
    for (const span of this.legend.children)
      span.style.setProperty("--tone", tones[span.className]);
  }

  frame() {
    for (const plot of this.plots) if (plot.begin()) this.paint(plot);
    this.root.dataset.shown = this.line.textContent;
  }
}
