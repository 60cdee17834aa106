// The network in a Worker: it does one task after another, tells each moment, and hears between two
// steps that a walk is no longer wanted.

import { DigitClimb, DigitWalk, momentsOf, predictX0 } from "./digit_walk.js";
import { greysOf } from "./greys.js";
import { PIXELS } from "./pictures.js";
import { linearSchedule, timesOf } from "./schedule.js";
import { unet } from "./unet.js";
import { readWeights } from "./weights.js";

const walks = new Map(); // by their ids, the oldest first
let network;
let working = false;

// What may be asked of the network: { model, schedule }. Each yields what is told, which it keeps none
// of, or nothing new.
const TASKS = {
  // A picture's digits, from noise: each moment of each is { place, frame, frames, t, x, x0Hat }.
  *digits({ model, schedule }, { steps, eta, noise, places }) {
    for (const { place, digit, spacing } of places) {
      const times = timesOf(schedule, steps, spacing);
      const walk = new DigitWalk(model, { schedule, times, eta, noise, digit });
      for (const moment of momentsOf(walk))
        yield moment && {
          ...moment,
          place,
          x: greysOf(moment.x),
          x0Hat: greysOf(moment.x0Hat),
        };
    }
  },

  // From a picture x down the times: its moments, in numbers.
  *walk({ model, schedule }, { x, times, eta, draws }) {
    for (const moment of momentsOf(new DigitWalk(model, { schedule, times, eta, x, draws })))
      yield moment && { ...moment, x: moment.x.slice(), x0Hat: moment.x0Hat.slice() };
  },

  // From a picture x up to its code: the last that is told.
  *climb({ model, schedule }, { x, steps }) {
    const climb = new DigitClimb(model, {
      schedule,
      times: timesOf(schedule, steps, "uniform"),
      x,
    });
    for (const _ of climb.walking()) yield null;
    yield { x: climb.paths.at(-1) };
  },

  // What clean picture it expects behind x at time t.
  *guess({ model, schedule }, { x, t }) {
    yield { x: predictX0(schedule, x, model(x, t), t, new Float64Array(PIXELS)) };
  },
};

const channel = new MessageChannel();
const turn = () =>
  new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });

// The numbers of what is told are handed over: the page copies none.
function tell(told) {
  const numbers = Object.values(told).filter(ArrayBuffer.isView);
  postMessage(
    told,
    numbers.map(({ buffer }) => buffer),
  );
}

async function work() {
  if (working || !network) return;
  working = true;
  while (walks.size) {
    const [[id, walk]] = walks;
    walk.going ??= TASKS[walk.task](network, walk.request);
    const { value, done } = walk.going.next();
    if (done) walks.delete(id);
    if (done || value) tell({ type: done ? "done" : "moment", id, ...value });
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
    tell({ type: "ready", kind: network.model.kind });
  },
  walk({ id, task = "digits", ...request }) {
    walks.set(id, { task, request });
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
    tell({ type: "failed", text: error.message });
  }
};
