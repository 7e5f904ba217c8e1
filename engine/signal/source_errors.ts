/**
 * Why a file cannot be a source, in words that say what to do.
 *
 * @module
 */
import { nativeCode } from "../../ffi/check.ts";
import { WHY } from "../../ffi/source_info.ts";
import { EngineError } from "../errors.ts";

const READ =
  "WAV, RF64, W64, AIFF and AIFC files with 8 to 32-bit integers or 32 and 64-bit floats";

/**
 * The error of a file that native code refused.
 *
 * @param result The negative `lp_result`.
 * @param why Which of {@linkcode WHY}, with the value that offended.
 * @param engineRate Frames a second of the project.
 */
export function sourceError(
  path: string,
  result: number,
  why: { why: number; value: number },
  engineRate: number,
): EngineError {
  const code = nativeCode(result);
  const { value } = why;
  const details = { path, why: whyName(why.why), value };
  const error = (kind: "notFound" | "unsupported" | "unreadable", reason: string) =>
    new EngineError(`asset.${kind}`, `Cannot read ${path}: ${reason}`, details);
  if (code === "absent") return error("notFound", "there is no file at this path");
  switch (why.why) {
    case WHY.notAFile:
      return error("unsupported", "it is a folder or a device, not a file: name a file in it");
    case WHY.empty:
      return error("unreadable", "the file is empty: export or copy it again");
    case WHY.unknownContainer:
      return error("unsupported", `it is no audio file of a kind that is read: use ${READ}`);
    case WHY.encoding:
      return error("unsupported", `its sample encoding (format ${value}) is not read: use ${READ}`);
    case WHY.rate:
      return value >= 1 && value <= 768_000
        ? error(
          "unsupported",
          `its sample rate is ${value} Hz and the project's is ${engineRate} Hz: ` +
            "convert the file, or start a project at its rate",
        )
        : error("unreadable", `its header gives a sample rate of ${value} Hz`);
    case WHY.channels:
      return error("unreadable", `its header gives ${value} channels: 1 to 8 are read`);
    case WHY.bits:
      return error(
        "unreadable",
        `its header gives ${value} bits a sample, which does not fit its encoding`,
      );
    case WHY.block:
      return error(
        "unreadable",
        `its header gives blocks of ${value} bytes, which does not fit its channels and bits`,
      );
    case WHY.noFormat:
      return error("unreadable", "it has no format chunk before its data: it is damaged");
    case WHY.noData:
      return error("unreadable", "it holds no audio data");
    case WHY.truncatedHeader:
      return error("unreadable", "it ends inside its header: copy or download it again");
    case WHY.permission:
      return error("unreadable", "the system denies reading it: change its permissions");
  }
  return error(
    code === "unsupported" ? "unsupported" : "unreadable",
    code === "io" ? `the system failed to read it (errno ${value})` : `native result ${result}`,
  );
}

function whyName(why: number): string {
  return Object.entries(WHY).find(([, value]) => value === why)?.[0] ?? "unknown";
}
