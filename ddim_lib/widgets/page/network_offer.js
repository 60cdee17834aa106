// "Run the network here": a button that says what it weighs, on a site at once, elsewhere when a kernel
// has answered; and a sentence where it fails.

import { fromKernel, fromSite, pageNetwork, siteBytes } from "./network.js";
import { element, write } from "./sliders.js";
import { NETWORK } from "./words_network.js";

export class NetworkOffer {
  // ready: called with the network; failed: with a sentence.
  constructor(ready, failed) {
    Object.assign(this, { ready, failed, taken: false });
    this.button = element("button", { type: "button", class: "run" });
    this.button.addEventListener("click", () => this.run());
    this.root = element("div", { class: "network" });
    if (siteBytes()) this.offer(siteBytes(), fromSite);
  }

  // bytes: what the files weigh; files: what gives them.
  offer(bytes, files) {
    if (this.taken) return;
    Object.assign(this, { bytes, files });
    write(this.button, NETWORK.run((bytes / 1e6).toFixed(1)));
    this.root.replaceChildren(this.button);
  }

  // What a kernel answers to the ping.
  hear({ network }, model) {
    if (network) this.offer(network, fromKernel(model));
  }

  async run() {
    this.button.disabled = true;
    write(this.button, NETWORK.loading);
    try {
      const network = await pageNetwork(this.files);
      this.taken = true;
      this.root.replaceChildren();
      this.ready(network);
    } catch (error) {
      this.renew();
      this.failed(NETWORK.failed(error.message));
    }
  }

  // Once more, after it failed.
  renew() {
    this.taken = false;
    this.button.disabled = false;
    this.offer(this.bytes, this.files);
  }
}
