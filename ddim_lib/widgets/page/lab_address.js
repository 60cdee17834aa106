// The lab's setting in the address of a page of the site: after the #, so that no server sees it.

import { siteBytes } from "./network.js";

const REST = 400; // ms that a hand rests before the address follows

// The traits of `names` that the address gives, as they are in `setting`: numbers or words.
export function fromAddress(setting) {
  if (!siteBytes()) return {};
  const told = [...new URLSearchParams(location.hash.slice(1))];
  return Object.fromEntries(
    told
      .filter(([name]) => name in setting)
      .map(([name, value]) => [name, typeof setting[name] === "number" ? Number(value) : value]),
  );
}

let timer;

// first: the setting of the page as it is; what is as there need not be told.
export function toAddress(setting, first) {
  if (!siteBytes()) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    const changed = Object.entries(setting).filter(([name, value]) => value !== first[name]);
    const hash = changed.length ? `#${new URLSearchParams(changed)}` : "";
    const { pathname, search } = location;
    if (hash !== location.hash) history.replaceState(history.state, "", pathname + search + hash);
  }, REST);
}
