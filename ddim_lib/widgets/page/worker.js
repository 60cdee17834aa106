// The network in a Worker: it walks digits one after another, tells each moment, and hears between two
// steps that a walk is no longer wanted.

import { DigitWalk } from "./digit_walk.js";
import { linearSchedule, timesOf } from "./schedule.js";
import { unet } from "./unet.js";
import { readWeights } from "./weights.js";

const walks = new Map(); // by their ids, the oldest first
let network;
let working = false;

// From numbers in [-1, 1], as plots.sheet does.
const grey = (x) => Uint8ClampedArray.from(x, (v) => 127.5 * (v + 1));

// A moment is { place, frame, t, x, x0Hat }: x there, and the guess made there; or nothing new.
function* seen({ steps, eta, noise, places }) {
  const { model, schedule } = network;
  for (const { place, digit, spacing } of places) {
    const times = timesOf(schedule, steps, spacing);
    const walk = new DigitWalk(model, { schedule, times, eta, noise, digit });
    const { kept, paths } = walk;
    const moment = (frame, guess) => {
      const pictures = { x: grey(paths[frame]), x0Hat: grey(guess) };
      return { place, frame, frames: kept.length, t: times[kept[frame]], ...pictures };
    };
    for (const done of walk.walking()) {
      const frame = kept.indexOf(done - 1);
      yield frame < 0 ? null : moment(frame, walk.x0Hat);
    }
    yield moment(kept.length - 1, paths.at(-1)); // data: the guess is x_0 itself
  }
}

const channel = new MessageChannel();
const turn = () =>
  new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });

async function work() {
  if (working || !network) return;
  working = true;
  while (walks.size) {
    const [[id, walk]] = walks;
    const { value, done } = walk.next();
    if (done) walks.delete(id);
    if (done || value) postMessage({ type: done ? "done" : "moment", id, ...value });
    await turn();
  }
  working = false;
}

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

const ORDERS = {
  // weights: a Blob, or the base64 of the file
  async load({ weights }) {
    const file = typeof weights === "string" ? bytes(weights) : await weights.arrayBuffer();
    const { config, tensors, schedule } = readWeights(file);
    network = { model: unet({ config, tensors }), schedule: linearSchedule(schedule.T) };
    postMessage({ type: "ready", kind: network.model.kind });
  },
  walk({ id, ...request }) {
    walks.set(id, seen(request));
  },
  stop({ id }) {
    walks.delete(id);
  },
};

self.onmessage = async ({ data: { type, ...order } }) => {
  try {
    await ORDERS[type](order);
    await work();
  } catch (error) {
    postMessage({ type: "failed", text: error.message });
  }
};
