// @ts-check
/**
 * Decoders of the binary frames (API.md). Little-endian, as every platform with a browser is; the planes are views, not copies.
 *
 * @module
 */

/**
 * Levels since the last frame: linear, post-fader.
 * @typedef {object} ChannelLevels
 * @property {number[]} peak one a channel
 * @property {number[]} rms
 *
 * @typedef {object} MetersFrame
 * @property {"meters"} kind
 * @property {number} sequence
 * @property {number} audibleFrame
 * @property {number} timeMs
 * @property {number} revision whose order the tracks are in
 * @property {ChannelLevels} master
 * @property {ChannelLevels[]} tracks
 *
 * @typedef {object} PeaksFrame
 * @property {"peaks"} kind
 * @property {number} previewId
 * @property {number} start in the asset's samples
 * @property {number} end
 * @property {number} width columns
 * @property {boolean} complete
 * @property {Float32Array[]} min one plane a channel; NaN where not analysed yet
 * @property {Float32Array[]} max
 * @property {Float32Array[]} rms
 */

/**
 * @param {ArrayBuffer} buffer
 * @returns {MetersFrame | PeaksFrame | null} null for a kind or version that this client does not know
 */
export function decodeFrame(buffer) {
  if (buffer.byteLength < 2) return null;
  const view = new DataView(buffer);
  if (view.getUint8(1) !== 1) return null;
  switch (view.getUint8(0)) {
    case 1:
      return decodeMeters(view);
    case 2:
      return decodePeaks(view);
    default:
      return null;
  }
}

/**
 * @param {DataView} view
 * @returns {MetersFrame}
 */
function decodeMeters(view) {
  const trackCount = view.getUint16(2, true);
  let offset = 28 + 4 * (trackCount + 1);
  const strips = Array.from({ length: trackCount + 1 }, (_, strip) => {
    const channels = view.getUint32(28 + 4 * strip, true);
    /** @type {ChannelLevels} */
    const levels = { peak: [], rms: [] };
    for (let channel = 0; channel < channels; channel++, offset += 8) {
      levels.peak.push(view.getFloat32(offset, true));
      levels.rms.push(view.getFloat32(offset + 4, true));
    }
    return levels;
  });
  return {
    kind: "meters",
    sequence: view.getUint32(4, true),
    audibleFrame: view.getFloat64(8, true),
    timeMs: view.getFloat64(16, true),
    revision: view.getUint32(24, true),
    master: strips[0],
    tracks: strips.slice(1),
  };
}

/**
 * @param {DataView} view
 * @returns {PeaksFrame}
 */
function decodePeaks(view) {
  const channels = view.getUint16(2, true);
  const width = view.getUint32(24, true);
  /** @param {number} index */
  const plane = (index) => new Float32Array(view.buffer, 32 + 4 * width * index, width);
  const each = Array.from({ length: channels }, (_, channel) => channel);
  return {
    kind: "peaks",
    previewId: view.getUint32(4, true),
    start: view.getFloat64(8, true),
    end: view.getFloat64(16, true),
    width,
    complete: (view.getUint32(28, true) & 1) === 1,
    min: each.map((channel) => plane(3 * channel)),
    max: each.map((channel) => plane(3 * channel + 1)),
    rms: each.map((channel) => plane(3 * channel + 2)),
  };
}
