// What an explorer of one step is: traits in; sliders, a line in words and pictures out.

import { watchLooks } from "./colours.js";
import { element } from "./sliders.js";

// A subclass gives complaint(setting), a sentence on what cannot be drawn, or nothing; show(setting),
// which returns the line in words; and paint(plot).
export class StepExplorer {
  constructor(model, name, traits, plots) {
    Object.assign(this, { model, traits, plots });
    this.line = element("output");
    this.trouble = element("p", { class: "trouble", role: "alert" });
    this.pictures = element("div", { class: "pictures" }, ...plots.map((plot) => plot.canvas));
    this.root = element(
      "div",
      { class: `ddim ddim-step ${name}` },
      this.pictures,
      this.trouble,
      this.line,
    );
    this.renew = this.renew.bind(this);
  }

  get setting() {
    return Object.fromEntries(this.traits.map((name) => [name, this.model.get(name)]));
  }

  start() {
    for (const name of this.traits) this.model.on(`change:${name}`, this.renew);
    const unwatch = watchLooks(
      this.plots.map((plot) => plot.canvas),
      () => this.ask(),
    );
    this.renew();
    return () => {
      for (const name of this.traits) this.model.off(`change:${name}`, this.renew);
      unwatch();
      cancelAnimationFrame(this.asked);
    };
  }

  move(traits) {
    for (const [name, value] of Object.entries(traits)) this.model.set(name, value);
    this.model.save_changes();
  }

  renew() {
    const setting = this.setting;
    const trouble = this.complaint(setting);
    this.trouble.textContent = trouble ? `This cannot be drawn: ${trouble}.` : "";
    this.trouble.hidden = !trouble;
    for (const plot of this.plots) plot.canvas.hidden = !!trouble;
    this.line.textContent = trouble ? "" : this.show(setting);
    this.ready = !trouble;
    if (!trouble) this.ask();
  }

  ask() {
    this.asked ||= requestAnimationFrame(() => {
      this.asked = 0;
      if (!this.ready || !this.root.isConnected) return;
      for (const plot of this.plots) if (plot.begin()) this.paint(plot);
      this.root.dataset.shown = this.line.textContent;
    });
  }
}
