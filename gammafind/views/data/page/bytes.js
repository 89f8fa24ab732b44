// Numbers that Python deflated and wrote in base 64.

function decoded(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const text = atob(base64);
  return Uint8Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}

/** Bytes of an element, which is not needed afterwards. */
async function inflated(id) {
  const element = document.getElementById(id);
  const bytes = decoded(element.textContent);
  element.remove();
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
