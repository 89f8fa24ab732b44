// Numbers that Python deflated and wrote in base 64.

async function inflated(id) {
  const text = atob(document.getElementById(id).textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i += 1) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function inflatedJson(id) {
  return JSON.parse(new TextDecoder().decode(await inflated(id)));
}

/** Numbers of 16 bits, of which all low bytes come first. */
async function inflatedWords(id) {
  const bytes = await inflated(id);
  const n = bytes.length / 2;
  const words = new Uint16Array(n);
  for (let i = 0; i < n; i += 1) words[i] = bytes[i] | (bytes[n + i] << 8);
  return words;
}

/** Positive values of which the steps of the logarithm were written, each as a difference. */
async function inflatedLogarithms(id, lowest, step) {
  const words = await inflatedWords(id);
  const values = new Float32Array(words.length);
  let sum = 0;
  for (let i = 0; i < words.length; i += 1) {
    sum = (sum + words[i]) & 0xffff;
    values[i] = sum === 0 ? 0 : Math.exp(lowest + step * (sum - 1));
  }
  return values;
}
