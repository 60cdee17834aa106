// The digits of a grid explorer, sampled in the page by the network itself, once a reader asks for it.

import { paintDigit } from "./greys.js";
import { NetworkOffer } from "./network_offer.js";
import { SIDE } from "./pictures.js";
import { choice, ETA, element, field, Seed, Slider, STEPS } from "./sliders.js";
import { GRID, SLIDERS } from "./words.js";
import { NETWORK } from "./words_network.js";

const MANY = 200; // steps; a walk of more has fewer digits
const FEW = 4;

// From noise to data: a key moves it by one of the moments that are kept.
const timeScale = (frames) => ({
  ...SLIDERS.time,
  kind: "time",
  width: 1,
  value: (p) => p,
  place: (p) => p,
  nudge: (p, by) => Math.min(Math.max(p + by / frames(), 0), 1),
});

// digits: { seed, draws, count, columns, spacings }. The picture has a digit a place: for each spacing
// of the times, `count` of them.
export class PageDigits {
  constructor(explorer, digits) {
    Object.assign(this, { explorer, digits, seed: digits.seed, view: "x0Hat", scrub: 1 });
    this.running = false;
    this.moments = []; // of each place, those of the present walk
    this.offer = new NetworkOffer(
      (network) => this.start(network),
      (why) => explorer.say(explorer.line.textContent, why),
    );
    this.root = this.offer.root;
  }

  start(network) {
    Object.assign(this, { network, running: true });
    this.frames = 2;
    const move = (name) => (value) => this.explorer.move({ [name]: value });
    this.sliders = { eta: new Slider(ETA, move("eta")), steps: new Slider(STEPS, move("steps")) };
    this.time = new Slider(
      timeScale(() => this.frames - 1),
      (p) => this.look({ scrub: p }),
    );
    this.choice = choice(NETWORK.viewTitle, NETWORK.views, (view) => this.look({ view }));
    this.seedField = new Seed((seed) => this.choose(seed));
    const fields = [field(NETWORK.view, this.choice), this.seedField.root];
    this.root.replaceChildren(element("div", { class: "fields" }, ...fields));
    const { eta, steps } = this.sliders;
    this.explorer.axes.replaceChildren(this.time.axis(), eta.axis(), steps.axis());
    this.explorer.renew();
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
    for (const [name, slider] of Object.entries(this.sliders))
      slider.show(wanted[name], GRID.setting(eta, steps));
    this.stop();
    this.places = this.placesOf(steps);
    this.moments = this.places.map(() => []);
    this.stand();
    const { draws, count } = this.digits;
    const request = { steps, eta, noise: { seed: this.seed, draws, count }, places: this.places };
    this.cancel = this.network.walk(request, {
      moment: (moment) => this.pass(moment),
      done: () => this.finish(),
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

  pass(moment) {
    this.frames = moment.frames;
    const { frame, place } = moment;
    const index = this.places.findIndex((p) => p.place === place);
    this.moments[index][frame] = moment;
    const looked = this.frame;
    if (frame === looked || (frame < looked && !this.standing)) this.paint(moment);
    if (index === 0) this.showTime();
  }

  finish() {
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
    this.showTime();
  }

  choose(seed) {
    if (!Number.isInteger(seed) || seed < 0) return this.seedField.show(this.seed);
    this.seed = seed;
    this.show();
  }

  showTime() {
    const t = this.moments[0][this.frame]?.t ?? (this.scrub === 1 ? 0 : null);
    this.time.show(this.scrub, t === null ? NETWORK.computing : NETWORK.time(t));
    this.seedField.show(this.seed);
    this.choice.value = this.view;
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
