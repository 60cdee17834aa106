// What may be asked for: bounds of the traits, and a sentence on the first that is out of them.

import { NEED } from "./words.js";

export const MOST_SEED = 2 ** 32 - 1;

// whole, real: [low, high] of each trait; names: the values of each; onOff: traits.
export function outOfBounds(setting, { whole = {}, real = {}, names = {}, onOff = [] }) {
  for (const [name, [low, high]] of Object.entries(whole))
    if (!(Number.isInteger(setting[name]) && setting[name] >= low && setting[name] <= high))
      return NEED.whole(name, low, high, setting[name]);
  for (const [name, [low, high]] of Object.entries(real))
    if (!(Number.isFinite(setting[name]) && setting[name] >= low && setting[name] <= high))
      return NEED.between(name, low, high, setting[name]);
  for (const [name, known] of Object.entries(names))
    if (!known.includes(setting[name])) return NEED.among(name, known, setting[name]);
  for (const name of onOff)
    if (typeof setting[name] !== "boolean") return NEED.onOff(name, setting[name]);
}
