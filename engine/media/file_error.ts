/**
 * Words for files that cannot be read.
 *
 * @module
 */
import { nativeCode } from "../../ffi/check.ts";
import { WHY } from "../../ffi/source_info.ts";
import { EngineError, type ErrorCode } from "../errors.ts";

/** Sample encodings that occur in the wild and are not read, by WAVE format tag. */
const TAGS: Readonly<Record<number, string>> = {
  0x02: "Microsoft ADPCM",
  0x06: "A-law",
  0x07: "µ-law",
  0x11: "IMA ADPCM",
  0x31: "GSM 6.10",
  0x50: "MPEG audio",
  0x55: "MP3",
  0xFF: "AAC",
  0x161: "Windows Media Audio",
  0xFFFE: "an extension that is not known",
};

/** Codecs of Ogg files, by `lp_ogg_codec`. */
const OGG_CODECS = ["", "Vorbis", "Opus", "Speex", "Theora"];

/** Kinds of files that are known and not read, by `lp_foreign`. */
const FOREIGN = [
  "",
  "an MP4 or QuickTime file (AAC, ALAC …)",
  "a Matroska or WebM file",
  "a Windows Media file",
  "AAC in ADTS",
  "a Core Audio file",
  "a WavPack file",
  "a Monkey's Audio file",
  "a Musepack file",
  "a DSD file",
  "a Sun or NeXT audio file",
  "a MIDI file (notes, no sound)",
  "an AMR file",
  "an AVI file",
];

/** An encoding's name: AIFC gives four characters, WAVE a number below 2^16. */
function encodingName(value: number): string {
  if (value > 0xFFFF) {
    const text = String.fromCharCode(
      value >>> 24,
      value >>> 16 & 255,
      value >>> 8 & 255,
      value & 255,
    );
    return /^[ -~]+$/.test(text) ? `"${text.trim()}"` : `0x${value.toString(16)}`;
  }
  return TAGS[value] ?? `format tag ${value}`;
}

/** The reason as a short name for programs and as words for people. */
function reasonOf(result: number, why: number, value: number): [name: string, words: string] {
  switch (why) {
    case WHY.notAFile:
      return ["notAFile", "it is a folder or a device, not a file"];
    case WHY.empty:
      return ["empty", "it is empty"];
    case WHY.unknownContainer:
      return ["container", "its first bytes are of no audio format that is read"];
    case WHY.encoding:
      return ["encoding", `its samples are stored as ${encodingName(value)}, which is not read`];
    case WHY.rate:
      return ["sampleRate", `its header gives a sample rate of ${value} Hz`];
    case WHY.channels:
      return ["channels", `it has ${value} channels; 1 to 8 are read`];
    case WHY.bits:
      return ["bits", `its header gives ${value} bits a sample, which its encoding cannot have`];
    case WHY.block:
      return [
        "blockAlign",
        `its header gives ${value} bytes a frame, which does not fit its channels and bits`,
      ];
    case WHY.noFormat:
      return ["noFormat", "its header does not say how the samples are stored"];
    case WHY.noData:
      return ["noData", "it holds no samples that can be read"];
    case WHY.truncatedHeader:
      return ["truncated", "it ends inside its header"];
    case WHY.permission:
      return ["permission", "the system denies reading it"];
    case WHY.mpegLayer:
      return ["encoding", `it is MPEG audio of layer ${value}, of which only layer III is read`];
    case WHY.freeFormat:
      return ["encoding", "it is an MP3 without a bit rate (free format), which is not read"];
    case WHY.oggCodec:
      return [
        "encoding",
        OGG_CODECS[value]
          ? `it is Ogg ${
            OGG_CODECS[value]
          }, which is not read yet; of Ogg files, those with FLAC are`
          : "it is an Ogg file without a stream of a kind that is read",
      ];
    case WHY.foreign:
      return [
        "container",
        `it is ${FOREIGN[value]}, which is not read yet; WAV, AIFF, FLAC and MP3 are`,
      ];
  }
  const code = nativeCode(result);
  switch (code) {
    case "absent":
      return ["absent", "there is no such file"];
    case "io":
      return ["io", `the system refused to read it (error ${value})`];
    case "memory":
      return ["memory", "there is not enough memory"];
    case "limit":
      return ["limit", "too many files are open"];
    default:
      return [code, `the native library answered ${result}`];
  }
}

/**
 * The engine's error for a file that native code would not open.
 *
 * @param path The file, for the message and `details.path`.
 * @param result The negative result.
 * @param why Its finer reason and the value that offended, from the info record.
 */
export function fileError(
  path: string,
  result: number,
  { why, value }: { why: number; value: number },
): EngineError {
  const [reason, words] = reasonOf(result, why, value);
  const native = nativeCode(result);
  const code: ErrorCode = native === "absent"
    ? "asset.notFound"
    : native === "unsupported"
    ? "asset.unsupported"
    : native === "limit"
    ? "limit.exceeded"
    : "asset.unreadable";
  return new EngineError(code, `Cannot read ${JSON.stringify(path)}: ${words}`, {
    path,
    reason,
    value,
  });
}
