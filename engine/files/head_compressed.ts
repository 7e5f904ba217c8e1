/**
 * What the first bytes of FLAC, Ogg and MP3 files say: enough to list them.
 *
 * @module
 */
import type { AudioHead, FoundHead, ReadAt } from "./head.ts";

/** The head of a FLAC, Ogg or MP3 file, behind ID3v2 tags; `null` if it is neither. */
export async function readCompressedHead(read: ReadAt, fileBytes: number): Promise<FoundHead> {
  let at = 0;
  for (let tags = 0; tags < 16; tags++) {
    const bytes = tagBytes(await read(at, 10));
    if (bytes === 0) break;
    at += bytes;
    if (at >= fileBytes) return null;
  }
  const first = await read(at, 4096);
  if (first.length < 42) return null;
  if (String.fromCharCode(...first.subarray(0, 4)) === "fLaC") return flacHead(first);
  if (String.fromCharCode(...first.subarray(0, 4)) === "OggS") {
    return await oggHead(read, first, at, fileBytes);
  }
  return mp3Head(first, fileBytes - at);
}

/** The length of the ID3v2 tag that begins there, 0 if none does. */
function tagBytes(p: Uint8Array): number {
  if (p.length < 10 || p[0] !== 0x49 || p[1] !== 0x44 || p[2] !== 0x33) return 0;
  return 10 + (p[6] << 21 | p[7] << 14 | p[8] << 7 | p[9]) + (p[5] & 0x10 ? 10 : 0);
}

/** STREAMINFO is always the first block: RFC 9639, 8.2. */
function flacHead(p: Uint8Array): AudioHead | null {
  if ((p[4] & 0x7f) !== 0) return null;
  const view = new DataView(p.buffer, p.byteOffset, p.byteLength);
  const packed = view.getBigUint64(18);
  const sampleRate = Number(packed >> 44n);
  if (sampleRate === 0) return null;
  return {
    sampleRate,
    channels: Number(packed >> 41n & 7n) + 1,
    bitDepth: Number(packed >> 36n & 31n) + 1,
    lengthSamples: Number(packed & 0xf_ffff_ffffn),
    container: "flac",
  };
}

/** Most bytes of an Ogg page. */
const OGG_PAGE_BYTES = 65_307;

/**
 * FLAC in Ogg: its first packet is `0x7F "FLAC"`, two numbers of a version, a count, then what a FLAC file begins with. The length is
 * that of STREAMINFO, else what the last page of the stream says.
 */
async function oggHead(
  read: ReadAt,
  first: Uint8Array,
  at: number,
  fileBytes: number,
): Promise<FoundHead> {
  for (let page = 0, n = 0; n < 64 && page + 27 < first.length; n++) {
    const segments = first[page + 26];
    const body = page + 27 + segments;
    const begins = (first[page + 5] & 2) !== 0;
    if (!begins || String.fromCharCode(...first.subarray(page, page + 4)) !== "OggS") break;
    if (String.fromCharCode(...first.subarray(body, body + 5)) === "\x7fFLAC") {
      const packet = first.subarray(body + 9);
      const head = packet.length < 42 ? null : flacHead(packet);
      if (head === null) return null;
      const serial = first.subarray(page + 14, page + 18);
      const lengthSamples = head.lengthSamples || await oggLength(read, serial, at, fileBytes);
      return { ...head, lengthSamples, container: "oggFlac" };
    }
    page = body + first.subarray(page + 27, body).reduce((sum, bytes) => sum + bytes, 0);
  }
  return "other";
}

/** The position at the end of the stream's last page. */
async function oggLength(
  read: ReadAt,
  serial: Uint8Array,
  begin: number,
  fileBytes: number,
): Promise<number> {
  const from = Math.max(begin, fileBytes - 2 * OGG_PAGE_BYTES);
  const tail = await read(from, fileBytes - from);
  const view = new DataView(tail.buffer, tail.byteOffset, tail.byteLength);
  for (let at = tail.length - 27; at >= 0; at--) {
    if (tail[at] !== 0x4f || String.fromCharCode(...tail.subarray(at, at + 4)) !== "OggS") continue;
    if (!serial.every((byte, i) => tail[at + 14 + i] === byte)) continue;
    const granule = Number(view.getBigInt64(at + 6, true));
    if (granule > 0 && granule < 2 ** 40) return granule;
  }
  return 0;
}

const RATES = [44_100, 48_000, 32_000];
const KILOBITS_1 = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
const KILOBITS_2 = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];

/** Layer III with a bit rate; the length is the encoder's, or what the bit rate of the first frame makes of the file's size. */
function mp3Head(p: Uint8Array, bytes: number): AudioHead | null {
  if (p[0] !== 0xff || (p[1] & 0xe6) !== 0xe2) return null;
  const version = p[1] >> 3 & 3;
  const rate = RATES[p[2] >> 2 & 3];
  const mpeg1 = version === 3;
  const kilobits = (mpeg1 ? KILOBITS_1 : KILOBITS_2)[p[2] >> 4];
  if (version === 1 || !rate || !kilobits) return null;
  const sampleRate = rate / (mpeg1 ? 1 : version === 2 ? 2 : 4);
  const channels = p[3] >> 6 === 3 ? 1 : 2;
  const samples = mpeg1 ? 1152 : 576;
  const side = 4 + (p[1] & 1 ? 0 : 2) +
    (mpeg1 ? channels === 1 ? 17 : 32 : channels === 1 ? 9 : 17);
  const name = String.fromCharCode(...p.subarray(side, side + 4));
  const view = new DataView(p.buffer, p.byteOffset, p.byteLength);
  let frames = 0;
  if ((name === "Xing" || name === "Info") && p[side + 7] & 1) frames = view.getUint32(side + 8);
  else if (String.fromCharCode(...p.subarray(36, 40)) === "VBRI") frames = view.getUint32(50);
  const lengthSamples = frames > 0
    ? frames * samples
    : Math.floor(bytes * sampleRate / (kilobits * 125));
  return { sampleRate, channels, bitDepth: 32, lengthSamples, container: "mp3" };
}
