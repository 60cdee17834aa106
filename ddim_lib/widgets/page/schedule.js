// The schedule and the times of the steps: as ddim_lib/schedule.py, number for number. Index 0 is clean
// data.

export const T = 1000;

export function linearSchedule(T = 1000) {
  const low = 0.1 / T;
  const high = 20 / T;
  const gap = (high - low) / (T - 1);
  const alphaBar = new Float64Array(T + 1).fill(1);
  const betaBar = new Float64Array(T + 1);
  let power = 1;
  for (let i = 0; i < T; i++) {
    power *= 1 - (i < T / 2 ? low + gap * i : high - gap * (T - 1 - i)); // symmetric, as torch.linspace
    alphaBar[i + 1] = Math.sqrt(power);
    betaBar[i + 1] = Math.sqrt(1 - alphaBar[i + 1] ** 2);
  }
  return { T, alphaBar, betaBar };
}

// steps + 1 distinct whole times, falling from T to 0; spacing: uniform, quadratic or log-snr.
export function timesOf(schedule, steps, spacing) {
  const { T } = schedule;
  if (spacing === "log-snr") return strictlyFalling(logSnrTimes(schedule, steps), T);
  const power = spacing === "quadratic" ? 2 : 1;
  return strictlyFalling(
    Array.from({ length: steps + 1 }, (_, i) => T * (1 - i / steps) ** power),
    T,
  );
}

function logSnrTimes({ T, alphaBar, betaBar }, steps) {
  const logRho = Array.from({ length: T }, (_, i) => Math.log(betaBar[i + 1] / alphaBar[i + 1]));
  const gap = (logRho[0] - logRho[T - 1]) / (steps - 1);
  const times = [T];
  for (let i = 1, j = T - 1; i < steps - 1; i++) {
    const wanted = i * gap + logRho[T - 1];
    while (j > 0 && logRho[j] > wanted) j--;
    times.push((wanted - logRho[j]) / (logRho[j + 1] - logRho[j]) + j + 1);
  }
  return steps > 1 ? [...times, 1, 0] : [T, 0];
}

function toEven(x) {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}

// The nearest strictly falling whole times: t + index must never rise.
function strictlyFalling(ideal, T) {
  const steps = ideal.length - 1;
  const level = ideal.map((t, i) => Math.min(Math.max(toEven(t) + i, steps), T));
  level[0] = T;
  level[steps] = steps;
  const fromLeft = [...level];
  const fromRight = [...level];
  for (let i = 1; i <= steps; i++) fromLeft[i] = Math.min(fromLeft[i], fromLeft[i - 1]);
  for (let i = steps - 1; i >= 0; i--) fromRight[i] = Math.max(fromRight[i], fromRight[i + 1]);
  return level.map((_, i) => Math.floor((fromLeft[i] + fromRight[i]) / 2) - i);
}

export const amplitudesAt = ({ alphaBar, betaBar }, times) =>
  times.map((t) => [alphaBar[t], betaBar[t]]);
