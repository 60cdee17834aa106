// What every explorer is: traits in; pictures, sliders, a line in words and a sentence on trouble out.

import { watchLooks } from "./colours.js";
import { element, write } from "./sliders.js";
import { WORDS } from "./words.js";

// A subclass gives complaint(setting), a sentence on what cannot be drawn, or nothing; show(setting);
// and, where it moves, frame(now). kind: its class on the page; names: the traits that it follows;
// canvases: what is painted anew when the page's looks change.
export class Explorer {
  constructor(model, kind, names, canvases) {
    Object.assign(this, { model, names, canvases });
    this.line = element("output");
    this.trouble = element("p", { class: "trouble", role: "alert" });
    this.trouble.hidden = true;
    this.root = element("div", { class: `ddim ${kind}` });
    this.renew = this.renew.bind(this);
  }

  get setting() {
    return Object.fromEntries(this.names.map((name) => [name, this.model.get(name)]));
  }

  move(traits) {
    for (const [name, value] of Object.entries(traits)) this.model.set(name, value);
    this.model.save_changes();
  }

  // Follow the model and the page's looks; returns what ends that.
  start() {
    for (const name of this.names) this.model.on(`change:${name}`, this.renew);
    const unwatch = watchLooks(this.canvases, () => this.ask());
    this.renew();
    return () => {
      for (const name of this.names) this.model.off(`change:${name}`, this.renew);
      unwatch();
      cancelAnimationFrame(this.asked);
    };
  }

  renew() {
    const setting = this.setting;
    const why = this.complaint(setting);
    this.ready = !why;
    if (why) this.say("", WORDS.trouble(why));
    else this.show(setting);
    for (const canvas of this.canvases) canvas.hidden = !!why;
    this.ask();
  }

  say(line, trouble = "") {
    write(this.line, line);
    write(this.trouble, trouble);
    this.trouble.hidden = !trouble;
  }

  // Paints what show() has not.
  frame() {}

  ask() {
    this.asked ||= requestAnimationFrame((now) => {
      this.asked = 0;
      if (this.ready && this.root.isConnected) this.frame(now);
    });
  }
}

// What a page calls to show an explorer: its elements go into el.
export const rendering = (Kind) => ({
  render({ model, el }) {
    const explorer = new Kind(model);
    el.append(explorer.root);
    return explorer.start();
  },
});
