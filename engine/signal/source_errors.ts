/**
 * Why a file cannot be a source.
 *
 * @module
 */
import { nativeCode } from "../../ffi/check.ts";
import { WHY } from "../../ffi/source_info.ts";
import { EngineError } from "../errors.ts";
import { fileError } from "../media/file_error.ts";

/**
 * The error of a file that native code refused: the file's own fault, or a rate that is not the project's.
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
      `Cannot read ${
        JSON.stringify(path)
      }: its sample rate is ${why.value} Hz and the project's is ` +
        `${engineRate} Hz; convert the file, or start a project at its rate`,
      { path, reason: "sampleRate", value: why.value, projectRate: engineRate },
    );
  }
  return fileError(path, result, why);
}

/** The file's rate, if an error says that it is not the project's; `null` for any other. */
export function refusedRate(error: unknown): number | null {
  if (!(error instanceof EngineError) || error.details.projectRate === undefined) return null;
  return error.details.value as number;
}
