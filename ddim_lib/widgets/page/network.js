// The page's one network, in a Worker made from a Blob; the Worker ends while the page is hidden.

// Where a site keeps its network: extensions/page_network.py writes this into the page's head.
const site = () => document.querySelector('meta[name="ddim-network"]')?.dataset;

export const siteBytes = () => Number(site()?.bytes ?? 0);

async function fetched(url) {
  const answer = await fetch(url, { cache: "force-cache" }); // its address changes with it
  if (!answer.ok) throw new Error(`need ${url}, got ${answer.status}`);
  return answer;
}

// A page opened from a disk may fetch nothing, but run a script.
function scripted(src) {
  return new Promise((resolve, reject) => {
    const give = () => resolve(globalThis.ddimNetworkFiles);
    const fail = () => reject(new Error(`need ${src}, got nothing`));
    document.head.append(
      Object.assign(document.createElement("script"), { src, onload: give, onerror: fail }),
    );
  });
}

// The Worker's source and the weights (a Blob, which costs the page nothing, or their base64).
export async function fromSite() {
  const { weights, worker, script } = site();
  if (location.protocol === "file:") return scripted(script);
  const [source, file] = await Promise.all([fetched(worker), fetched(weights)]);
  return { worker: await source.text(), weights: await file.blob() };
}

const KERNEL_PATIENCE = 30_000; // ms, for the kernel

// The same from a kernel, which sends them where they are asked for.
export const fromKernel = (model) => () =>
  new Promise((resolve, reject) => {
    const silent = () => reject(new Error("the kernel does not answer"));
    const timer = setTimeout(silent, KERNEL_PATIENCE);
    const hear = ({ type }, views) => {
      if (type !== "network") return;
      clearTimeout(timer);
      model.off("msg:custom", hear);
      const [worker, weights] = views;
      resolve({ worker: new TextDecoder().decode(worker), weights: new Blob([weights]) });
    };
    model.on("msg:custom", hear);
    model.send({ type: "network" });
  });

class Network {
  constructor(files) {
    Object.assign(this, { files, walks: new Map(), next: 0 });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.end();
      else if (this.walks.size) this.begin();
    });
  }

  // Resolves when the Worker has the network; walks that wait go to it.
  begin() {
    this.ready ??= new Promise((resolve, reject) => {
      const url = URL.createObjectURL(new Blob([this.files.worker], { type: "text/javascript" }));
      this.worker = new Worker(url);
      this.worker.onmessage = ({ data: { type, ...told } }) => {
        if (type === "ready") resolve(told.kind);
        else if (type === "failed") this.fail(told.text, reject);
        else this.walks.get(told.id)?.[type](told);
      };
      this.worker.onerror = (event) => this.fail(event.message || "no Worker may run here", reject);
      this.worker.postMessage({ type: "load", weights: this.files.weights });
      for (const [id, { request }] of this.walks) this.send(id, request);
    });
    return this.ready;
  }

  end() {
    this.worker?.terminate();
    this.worker = this.ready = undefined;
  }

  fail(text, reject) {
    this.end();
    reject(new Error(text)); // heard by who began; later there are walks to hear it
    const walks = [...this.walks.values()];
    this.walks.clear();
    for (const { failed } of walks) failed(text);
  }

  send(id, request) {
    this.worker.postMessage({ type: "walk", id, ...request });
  }

  // request: a task of worker.js and what it takes; watch: { moment, done, failed }, which are called.
  // Returns what ends it.
  walk(request, { moment, done, failed }) {
    const id = this.next++;
    const last = () => {
      this.walks.delete(id);
      done();
    };
    this.walks.set(id, { request, moment, done: last, failed });
    if (this.worker) this.send(id, request);
    else if (!document.hidden) this.begin();
    return () => {
      this.walks.delete(id);
      this.worker?.postMessage({ type: "stop", id });
    };
  }
}

// The network that all explorers of a page share; files: what gives its files, asked the first time.
export function pageNetwork(files) {
  globalThis.ddimNetwork ??= files().then(async (got) => {
    const network = new Network(got);
    network.kind = await network.begin();
    return network;
  });
  globalThis.ddimNetwork.catch(() => {
    globalThis.ddimNetwork = undefined; // it may be asked for again
  });
  return globalThis.ddimNetwork;
}
