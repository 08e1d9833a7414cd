// Packed files: gzip by the browser, zstandard by fzstd. What comes out is bounded.

import { Decompress } from "./vendor/fzstd/fzstd.mjs";

export const MAX_BYTES = 256 * 2 ** 20;
const CHUNK = 64 * 1024; // of what is packed
const TOO_LARGE =
  "The file unpacks to more than 256 MB, which is too much for a page. Use the Python library.";
const DAMAGED = "The packed file is damaged or cut short.";
/** @type {[string, number[]][]} */
const OTHERS = [
  ["bzip2", [0x42, 0x5a, 0x68]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ["zip", [0x50, 0x4b, 3, 4]],
];

/** A file that cannot be read; the message is for people. */
export class BadFile extends Error {}

/**
 * The content of a packed file; of any other, the same bytes.
 * @param {ArrayBuffer} packed
 * @param {number} [limit] bytes
 */
export async function unpacked(packed, limit = MAX_BYTES) {
  const bytes = new Uint8Array(packed);
  /** @param {number[]} magic */
  const begins = (magic) => magic.every((byte, i) => bytes[i] === byte);
  const other = OTHERS.find(([, magic]) => begins(magic));
  if (other) throw new BadFile(`The file is packed with ${other[0]}. Unpack it first.`);
  if (begins([0x1f, 0x8b])) return joined(await gzip(packed, limit));
  if (begins([0x28, 0xb5, 0x2f, 0xfd])) return joined(zstandard(bytes, limit));
  return packed;
}

/**
 * @param {ArrayBuffer} packed
 * @param {number} limit
 */
async function gzip(packed, limit) {
  const pieces = [];
  let size = 0;
  try {
    const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      pieces.push(step.value);
      size += step.value.length;
      if (size > limit) throw new BadFile(TOO_LARGE);
    }
  } catch (error) {
    throw error instanceof BadFile ? error : new BadFile(DAMAGED);
  }
  return pieces;
}

/**
 * @param {Uint8Array} bytes
 * @param {number} limit
 */
function zstandard(bytes, limit) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  let size = 0;
  const stream = new Decompress((piece) => {
    pieces.push(piece);
    size += piece.length;
    if (size > limit) throw new BadFile(TOO_LARGE);
  });
  try {
    for (let i = 0; i < bytes.length; i += CHUNK)
      stream.push(bytes.subarray(i, i + CHUNK), i + CHUNK >= bytes.length);
  } catch (error) {
    throw error instanceof BadFile ? error : new BadFile(DAMAGED);
  }
  return pieces;
}

/** @param {Uint8Array[]} pieces */
function joined(pieces) {
  const whole = new Uint8Array(pieces.reduce((size, piece) => size + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole.buffer;
}
