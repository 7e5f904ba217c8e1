/**
 * Why a file cannot be a source.
 *
 * @module
 */
import { nativeCode } from "../../ffi/check.ts";
import { WHY } from "../../ffi/source_info.ts";
import { EngineError } from "../errors.ts";
import { fileError } from "../media/file_error.ts";

/** Rates between which files are converted, in frames a second: `LP_RESAMPLE_MIN_RATE`, `LP_RESAMPLE_MAX_RATE`. */
const RATES = { least: 8_000, most: 384_000 } as const;

/**
 * The error of a file that native code refused: the file's own fault, or a rate from which nothing is converted.
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
  if (nativeCode(result) === "unsupported" && why.why === WHY.rate) {
    return new EngineError(
      "asset.unsupported",
      `Cannot read ${JSON.stringify(path)}: its sample rate is ${why.value} Hz; ` +
        `files from ${RATES.least} to ${RATES.most} Hz are played, so convert it to the project's ` +
        `${engineRate} Hz`,
      { path, reason: "sampleRate", value: why.value, projectRate: engineRate },
    );
  }
  return fileError(path, result, why);
}
