// The digits of a grid explorer, sampled in the page by the network itself, once a reader asks for it.

import { DigitKnobs } from "./digit_knobs.js";
import { paintDigit } from "./greys.js";
import { NetworkOffer } from "./network_offer.js";
import { SIDE } from "./pictures.js";
import { NETWORK } from "./words_network.js";

const MANY = 200; // steps; a walk of more has fewer digits
const FEW = 4;

// digits: { seed, draws, count, columns, spacings }. The picture has a digit a place: for each spacing
// of the times, `count` of them.
export class PageDigits {
  constructor(explorer, digits) {
    Object.assign(this, { explorer, digits, seed: digits.seed, view: "x0Hat", scrub: 1 });
    this.running = false;
    this.moments = []; // of each place, those of the present walk
    this.news = new Set(); // the places that have come further since the last frame
    this.offer = new NetworkOffer(
      (network) => this.start(network),
      (why) => explorer.say(explorer.line.textContent, why),
    );
    this.root = this.offer.root;
  }

  start(network) {
    Object.assign(this, { network, running: true, frames: 2 });
    this.knobs = new DigitKnobs({
      move: (traits) => this.explorer.move(traits),
      look: (change) => this.look(change),
      choose: (seed) => this.choose(seed),
      frames: () => this.frames,
    });
    this.root.replaceChildren(this.knobs.fields);
    this.explorer.axes.replaceChildren(...this.knobs.axes);
    this.explorer.renew();
    this.showLook(); // at once: the next frame lays nothing out again
  }

  stop() {
    this.cancel?.();
  }

  // --- a walk ---

  get wanted() {
    const { eta, steps } = this.explorer.setting;
    return { eta: Math.min(eta, 1), steps: Math.min(steps, 1000) };
  }

  show() {
    const wanted = this.wanted;
    const { eta, steps } = wanted;
    this.knobs.show(wanted);
    this.stop();
    this.places = this.placesOf(steps);
    this.moments = this.places.map(() => []);
    this.news.clear();
    this.done = false;
    this.stand();
    const { draws, count } = this.digits;
    const request = { steps, eta, noise: { seed: this.seed, draws, count }, places: this.places };
    this.cancel = this.network.walk(request, {
      moment: (moment) => this.pass(moment),
      done: () => {
        this.done = true;
        this.explorer.ask();
      },
      failed: (text) => this.fail(text),
    });
    this.tell(NETWORK.computing);
  }

  placesOf(steps) {
    const { count, spacings } = this.digits;
    const few = Math.max(1, Math.floor(FEW / spacings.length));
    const digits = steps > MANY ? Math.min(few, count) : count;
    return spacings.flatMap((spacing, row) =>
      Array.from({ length: digits }, (_, digit) => ({
        place: row * count + digit,
        digit,
        spacing,
      })),
    );
  }

  // What is shown until a digit has come as far as the reader looks: the nearest stored picture, which
  // has the same noise; else the digit on its way.
  stand() {
    const { count, spacings, seed } = this.digits;
    this.standing = this.seed === seed && this.scrub === 1;
    if (this.standing) this.explorer.paintStored();
    const walking = new Set(this.places.map(({ place }) => place));
    const pen = this.explorer.canvas.getContext("2d");
    for (let place = 0; place < count * spacings.length; place++)
      if (!walking.has(place)) pen.clearRect(...this.corner(place), SIDE, SIDE);
  }

  // Moments come faster than frames: those that are looked at are painted and told once a frame.
  pass(moment) {
    this.frames = moment.frames;
    const index = this.places.findIndex(({ place }) => place === moment.place);
    this.moments[index][moment.frame] = moment;
    if (!this.looksAt(moment)) return;
    this.news.add(index);
    this.explorer.ask();
  }

  looksAt({ frame }) {
    return frame === this.frame || (frame < this.frame && !this.standing);
  }

  paintNews() {
    for (const index of this.news) {
      const moments = this.moments[index];
      this.paint(moments[this.frame] ?? moments.at(-1));
    }
    this.news.clear();
    this.showLook();
    if (this.done) this.finish();
  }

  finish() {
    this.done = false;
    this.tell(NETWORK.computed);
    this.explorer.tell(this.wanted, NETWORK.computed);
  }

  fail(text) {
    this.running = false;
    this.explorer.axes.replaceChildren(...this.explorer.sliders.map((slider) => slider.root));
    this.offer.renew();
    this.explorer.renew();
    this.explorer.say(this.explorer.line.textContent, NETWORK.failed(text));
  }

  tell(state = this.state) {
    this.state = state;
    const { eta, steps } = this.wanted;
    const all = this.digits.count * this.digits.spacings.length;
    const t = this.scrub < 1 ? this.moments[0][this.frame]?.t : undefined;
    this.explorer.say(NETWORK.line(eta, steps, t, this.places.length, all) + state);
  }

  // --- what the reader looks at ---

  get frame() {
    return Math.round(this.scrub * (this.frames - 1));
  }

  look(change) {
    Object.assign(this, change);
    for (const moments of this.moments) {
      const moment = moments[this.frame] ?? moments.at(-1);
      if (moment) this.paint(moment);
    }
    this.showLook();
  }

  choose(seed) {
    if (!Number.isInteger(seed) || seed < 0) return this.knobs.seed.show(this.seed);
    this.seed = seed;
    this.show();
  }

  showLook() {
    this.knobs.showLook(this, this.moments[0][this.frame]?.t ?? (this.scrub === 1 ? 0 : undefined));
    this.tell();
  }

  corner(place) {
    const { columns } = this.digits;
    return [(place % columns) * SIDE, Math.floor(place / columns) * SIDE];
  }

  paint({ place, [this.view]: greys }) {
    paintDigit(this.explorer.canvas.getContext("2d"), greys, ...this.corner(place));
  }
}
