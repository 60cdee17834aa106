// The words of the digit lab.

import { WORDS } from "./words.js";

const inNoises = () => ["yours", "noise 1", "noise 2", "noise 3"];
const two = (v) => v.toFixed(2).replace("-", "−");

export const LAB = {
  title: "what to do with your digit",
  tasks: {
    noise: "noise and back",
    hidden: "what is hidden?",
    code: "encode, decode",
    eta: "turn η",
    mix: "mix two",
  },
  captions: {
    noise: inNoises,
    hidden: inNoises,
    code: () => ["yours", "its code x_T", "real noise", "decoded"],
    eta: (times) => times.map((t) => `t = ${t}`),
    mix: () => ["yours", "¼", "½", "¾", "the other"],
  },
  rows: {
    noise: ["xₜ", "back at t = 0"],
    hidden: ["xₜ", "x̂₀, the guess"],
    code: ["", ""],
    eta: ["xₜ", "x̂₀, the guess"],
    mix: ["along the arc", "straight"],
  },
  key: ([above, below]) => (above ? `Above: ${above}. Below: ${below}.` : ""),
  line: {
    noise: ({ t, steps }, [a, b]) =>
      `t = ${t}: signal ${two(a)}, noise ${two(b)} · back in ${WORDS.steps(Math.min(steps, t))}`,
    hidden: ({ t }, [a, b]) => `t = ${t}: signal ${two(a)}, noise ${two(b)}`,
    code: ({ steps }) => `${WORDS.steps(steps)} up, ${steps} down`,
    eta: ({ eta, steps }) => `your code, ${WORDS.steps(steps)} down · η = ${two(eta)}`,
    mix: ({ steps }) => `${WORDS.steps(steps)} up, ${steps} down`,
  },
  found: {
    code: ({ error, spread, noise }) =>
      ` · mean squared error ${error.toPrecision(2)} (pixels 0 to 1) · standard deviation: code ${two(spread)}, noise ${two(noise)}`,
    mix: ({ ends, arc, straight }) =>
      ` · length of a code, 1 for noise: ends ${ends.map(two).join(" and ")}, halfway ${two(arc)} on the arc, ${two(straight)} straight`,
  },
  questions: {
    noise: [
      "Raise t. What goes first, the strokes or the digit? From where on does the noise decide what comes back?",
      "chapter 1, which way is the data",
      "01_forward_process",
    ],
    hidden: [
      "Draw a star. From which t on does the network see a digit in it? And at t = 1000, what is that grey blur?",
      "chapter 1, which way is the data",
      "01_forward_process",
    ],
    code: [
      "A code is said to be noise. Where in the picture is yours too quiet, and why just there?",
      "side trip F, a code is not quite noise",
      "trip_f_codes",
    ],
    eta: [
      "From η = 0 up: where does it stop being your digit? Would more steps keep it?",
      "chapter 3, who decides which digit it is",
      "03_free_sigma",
    ],
    mix: [
      "The straight line leads through shorter codes than the arc. Does the network mind?",
      "side trip F, between two digits",
      "trip_f_codes",
    ],
  },
  answer: "The answer: ",
  stored: " · the book's digits, stored",
  waiting: " · the rest needs the network",
  computing: " · computing …",
  computed: " · computed here",
  empty: "Draw a digit, or choose one.",
  emptyOther: "Draw a second digit, or choose one.",
  otherNoise: "other noise",
  again: "start again",
  blank: "nothing yet",
  picture: (caption, row) => (row ? `${caption}: ${row}` : caption),
  time: (t) => `t = ${t}`,
  noDrawing: (name, got) => `need a digit or strokes as ${name}, got ${got.slice(0, 20)}`,
};

export const PAD = {
  a: "your digit",
  b: "another",
  label: (name) => `${name}: draw here`,
  title: (name, what) =>
    `${name}: ${what}. Draw here with a finger or the mouse; by keyboard, choose one below`,
  drawn: (strokes) => `a drawing of ${strokes} ${strokes === 1 ? "stroke" : "strokes"}`,
  digit: (digit) => `a ${digit} of the book's`,
  nothing: "empty",
  hint: "draw here",
  choose: "or one of the book's",
  hand: "by hand",
  undo: "undo",
  clear: "clear",
};
