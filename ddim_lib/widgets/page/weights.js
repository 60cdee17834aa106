// A network's file, as save_denoiser of ddim_lib/nets.py writes it: safetensors, whose header says
// what the network is.

const whole = (got) => new Error(`need a whole weight file, got ${got}`);

// buffer: the file. Returns the network's config, its schedule, and each tensor's shape and numbers.
export function readWeights(buffer) {
  const { header, start } = headerOf(buffer);
  const { __metadata__: metadata = {}, ...places } = header;
  const tensors = {};
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(places)) {
    if (dtype !== "F32") throw new Error(`need float32 weights, got ${dtype} as ${name}`);
    if (start + to > buffer.byteLength)
      throw whole(`${buffer.byteLength} of at least ${start + to} bytes`);
    const data = new Float32Array(buffer.slice(start + from, start + to));
    if (data.length !== shape.reduce((a, b) => a * b, 1))
      throw whole(`${data.length} numbers as ${name} (${shape})`);
    tensors[name] = { shape, data };
  }
  return { ...meaning(metadata), tensors };
}

function headerOf(buffer) {
  if (buffer.byteLength < 8) throw whole(`${buffer.byteLength} bytes`);
  const start = 8 + Number(new DataView(buffer).getBigUint64(0, true));
  if (start > buffer.byteLength) throw whole(`${buffer.byteLength} of at least ${start} bytes`);
  try {
    return {
      header: JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, start - 8))),
      start,
    };
  } catch (error) {
    throw new Error(`need a weight file, got one without a header (${error.message})`, {
      cause: error,
    });
  }
}

// What the header says of the network; of a schedule it says nothing where that is the linear one.
function meaning(metadata) {
  if (!metadata.ddim_lib)
    throw new Error("need a file written by save_denoiser, got one without our metadata");
  const { config, schedule = { name: "linear", T: 1000 } } = JSON.parse(metadata.ddim_lib);
  if (config?.predicts !== "v")
    throw new Error(`need weights of a network that predicts v, got ${config?.predicts}`);
  if (schedule.name !== "linear") throw new Error(`need the linear schedule, got ${schedule.name}`);
  return { config, schedule };
}
