// What a page of its own does in any engine, and reports: the network's numbers and times, then every
// page of the book with sliders, in a frame: each slider must move what is seen; at last the lab.

const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const furthest = (a, b) => a.reduce((most, v, i) => Math.max(most, Math.abs(v - b[i])), 0);

async function network({ x, eps_hat, walks }) {
  const names = ["weights", "unet", "schedule", "digit_walk"];
  const modules = await Promise.all(names.map((name) => import(`./page/${name}.js`)));
  const { readWeights, unet, linearSchedule, timesOf, DigitWalk } = Object.assign({}, ...modules);
  const file = await (await fetch("digits.safetensors")).arrayBuffer();
  const input = new Float32Array(bytes(x));
  const schedule = linearSchedule();
  const found = {};
  for (const plain of [false, true]) {
    const model = unet(readWeights(file), { plain });
    const forward = {};
    for (const [t, expected] of Object.entries(eps_hat))
      forward[t] = furthest(model(input, Number(t)), new Float64Array(bytes(expected)));
    const sample = walks.map(({ eta, x_0 }) => {
      const noise = { seed: 5, draws: 7, count: 1 };
      const times = timesOf(schedule, 20, "uniform");
      const walk = new DigitWalk(model, { schedule, times, eta, noise, digit: 0 });
      walk.advance();
      return furthest(walk.paths.at(-1), new Float32Array(bytes(x_0)));
    });
    const ms = Array.from({ length: 41 }, (_, i) => {
      const start = performance.now();
      for (let n = 0; n < 4; n++) model(input, 500 - i);
      return (performance.now() - start) / 4;
    });
    found[model.kind] = { forward, sample, ms: ms.sort((a, b) => a - b)[20] };
  }
  return found;
}

const look = (inside) => {
  const pictures = [...inside.querySelectorAll(".ddim canvas")].map((c) => c.toDataURL());
  const lines = [...inside.querySelectorAll(".ddim output")].map((o) => o.textContent);
  return JSON.stringify([pictures, lines]);
};

// Come near every explorer, so that it comes to life.
async function readThrough(inside) {
  const stills = () => inside.querySelectorAll(".widget-still, .explorer");
  for (const still of stills()) {
    still.scrollIntoView();
    await wait(300);
  }
  await wait(2000);
}

async function put(slider, value) {
  slider.value = value;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await wait(400);
}

async function pageOf(address) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: address, width: 1200, height: 1000 });
  document.body.append(frame);
  await new Promise((resolve) => (frame.onload = resolve));
  const errors = [];
  frame.contentWindow.addEventListener("error", (event) => errors.push(event.message));
  const inside = frame.contentDocument;
  await readThrough(inside);
  const sliders = [...inside.querySelectorAll(".ddim input[type=range]:not(:disabled)")];
  const still = [];
  for (const slider of sliders) {
    const before = look(inside);
    const [low, high, old] = [slider.min, slider.max, slider.value].map(Number);
    await put(slider, low + (old > (low + high) / 2 ? 0.2 : 0.8) * (high - low));
    if (look(inside) === before) still.push(slider.getAttribute("aria-label"));
    await put(slider, old); // so that each moves alone
  }
  frame.remove();
  return { sliders: sliders.length, still, errors };
}

// --- the lab: a digit drawn by the mouse's events, encoded, decoded, mixed; its link opened again ---

function drawOn(pad, strokes) {
  const { left, top, width, height } = pad.getBoundingClientRect();
  const Kind = pad.ownerDocument.defaultView.PointerEvent;
  pad.setPointerCapture = () => {}; // no real pointer is there to be captured
  const send = (type, [x, y]) => {
    const place = { clientX: left + x * width, clientY: top + y * height };
    const mouse = { pointerId: 1, pointerType: "mouse", isPrimary: true, bubbles: true };
    pad.dispatchEvent(new Kind(type, { ...mouse, ...place, cancelable: true }));
  };
  for (const stroke of strokes) {
    send("pointerdown", stroke[0]);
    for (const point of stroke.slice(1)) send("pointermove", point);
    send("pointerup", stroke.at(-1));
  }
}

const greys = (canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
};

const tiles = (inside) =>
  [...inside.querySelectorAll("figure")].map((f) => [...f.querySelectorAll("canvas")].map(greys));

async function until(true_) {
  for (let i = 0; i < 600 && !true_(); i++) await wait(100);
  if (!true_()) throw new Error(`waited in vain: ${true_}`);
}

async function labIn(address) {
  const frame = document.createElement("iframe");
  Object.assign(frame, { src: address, width: 1200, height: 1400 });
  document.body.append(frame);
  await new Promise((resolve) => (frame.onload = resolve));
  const inside = frame.contentDocument;
  await until(() => inside.querySelector(".ddim-lab .pad canvas"));
  const line = () => inside.querySelector(".ddim-lab output").textContent;
  const run = async () => {
    await until(() => inside.querySelector(".ddim-lab .run"));
    inside.querySelector(".ddim-lab .run").click();
    await until(() => line().endsWith("computed here"));
  };
  const task = async (name) => {
    inside.querySelector(`.ddim-lab [value=${name}]`).click();
    await wait(50);
    await until(() => line().endsWith("computed here"));
    return { tiles: tiles(inside), line: line() };
  };
  return { frame, inside, run, task };
}

async function lab({ address, strokes }) {
  const { frame, inside, run, task } = await labIn(address);
  drawOn(inside.querySelector(".ddim-lab .pad canvas"), strokes);
  await run();
  const [code, mix] = [await task("code"), await task("mix")];
  await wait(1000); // the address follows
  const link = frame.contentWindow.location.href;
  frame.remove();
  const other = await labIn(link);
  await other.run();
  const again = { tiles: tiles(other.inside) };
  other.frame.remove();
  return { code, mix, again, link };
}

async function main() {
  const told = await (await fetch("case.json")).json();
  const pages = {};
  for (const address of told.pages) pages[address] = await pageOf(address);
  const drawn = await lab(told.lab);
  return { network: await network(told), pages, lab: drawn, agent: navigator.userAgent };
}

const send = (body) => fetch("report", { method: "POST", body: JSON.stringify(body) });
main().then(send, (error) => send({ failed: `${error}\n${error.stack}` }));
