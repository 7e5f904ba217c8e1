/**
 * Long files that take no room: a header, and a hole that reads as silence.
 *
 * @module
 */

/** Writes a 16-bit WAV file of silence. */
export async function sparseWav(
  path: string,
  { sampleRate, channels, frames }: { sampleRate: number; channels: number; frames: number },
): Promise<void> {
  const dataBytes = frames * channels * 2;
  const header = new Uint8Array(44);
  const view = new DataView(header.buffer);
  const text = (at: number, word: string) => header.set(new TextEncoder().encode(word), at);
  text(0, "RIFF");
  view.setUint32(4, 36 + dataBytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, channels, true);
  view.setUint32(24, sampleRate, true);
  view.setUint32(28, sampleRate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, dataBytes, true);
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  await file.write(header);
  await file.truncate(header.length + dataBytes);
}
