/**
 * Saves what a client sends as a file of the library.
 *
 * @module
 */
import { EngineError, InvalidParams } from "../../errors.ts";
import { type Files, SlowDisk } from "../../files/files.ts";
import type { FileFault } from "../../files/files_protocol.ts";
import { hasAudioName } from "../../files/head.ts";
import { fileNameFault } from "../../files/paths.ts";

/** Longest upload, in bytes: 16 GiB. */
export const MAX_UPLOAD_BYTES = 16 * 2 ** 30;
/** Bytes that go to the disk at a time. */
const CHUNK_BYTES = 1 << 20;
/** How long the disk may take for one of them, in milliseconds. */
const CHUNK_MS = 30_000;

export interface UploadOptions {
  files: Files;
  /** Where uploads go to. */
  folder: string;
  /** Looks whether the file, not yet under its name, is one that can be registered; throws if not. */
  inspect: (path: string) => Promise<void>;
}

/**
 * Saves a body under a name that is free. Nothing appears under it until all of it is there and can be read.
 *
 * @returns The file's path.
 * @throws {InvalidParams} if the name cannot be a file's.
 * @throws {EngineError} `export.exists` if the name is taken, `limit.exceeded`, `export.diskFull`, `asset.unreadable`,
 * `asset.unsupported`.
 */
export async function saveUpload(
  name: string,
  body: ReadableStream<Uint8Array>,
  { files, folder, inspect }: UploadOptions,
): Promise<string> {
  const refuse = async (error: Error): Promise<never> => {
    await body.cancel(error).catch(() => {}); // The sender may be gone already.
    throw error;
  };
  const fault = fileNameFault(name);
  if (fault !== null) return await refuse(new InvalidParams(["name"], fault));
  if (!hasAudioName(name)) {
    return await refuse(
      new EngineError(
        "asset.unsupported",
        `Cannot save ${name}: its ending is none of an audio file that is read, such as .wav or .aiff`,
        { name, reason: "ending" },
      ),
    );
  }
  const path = `${folder}/${name}`;
  const ask = async <Answer>(asking: Promise<Answer>): Promise<Answer> => {
    try {
      return await asking;
    } catch (error) {
      if (!(error instanceof SlowDisk)) throw error;
      throw new EngineError("asset.unreadable", `Cannot save ${name}: its disk does not answer`, {
        path,
        reason: "slow",
      });
    }
  };
  let begun;
  try {
    begun = succeeded(
      await ask(files.ask(folder, { kind: "saveBegin", folder, name })),
      path,
    );
  } catch (error) {
    return await refuse(error as Error);
  }
  const { saveId, temporary } = begun;
  const options = { timeoutMs: CHUNK_MS };
  try {
    let total = 0;
    for await (const chunk of body) {
      total += chunk.byteLength;
      if (total > MAX_UPLOAD_BYTES) {
        throw new EngineError(
          "limit.exceeded",
          `Cannot save ${name}: it is longer than ${MAX_UPLOAD_BYTES} bytes`,
          { limit: "uploadBytes", value: MAX_UPLOAD_BYTES },
        );
      }
      for (let at = 0; at < chunk.byteLength; at += CHUNK_BYTES) {
        const bytes = chunk.slice(at, at + CHUNK_BYTES);
        succeeded(
          await ask(
            files.ask(folder, { kind: "saveChunk", saveId, bytes }, {
              ...options,
              transfer: [bytes.buffer],
            }),
          ),
          path,
        );
      }
    }
    await inspect(temporary).catch((error) => {
      throw underItsName(error, temporary, path);
    });
  } catch (error) {
    await files.ask(folder, { kind: "saveEnd", saveId, keep: false }, options).catch(() => {});
    throw error;
  }
  succeeded(await ask(files.ask(folder, { kind: "saveEnd", saveId, keep: true }, options)), path);
  return path;
}

/** Whoever sent the file knows it by the name that it was to have. */
function underItsName(error: unknown, temporary: string, path: string): unknown {
  if (!(error instanceof EngineError)) return error;
  const { code, message, details } = error;
  return new EngineError(code, message.replaceAll(temporary, path), {
    ...details,
    ...(details.path === temporary ? { path } : {}),
  });
}

/** The answer, or the error that it stands for. */
function succeeded<Answer extends object>(
  answer: Answer | FileFault | { taken: true } | { full: true },
  path: string,
): Answer {
  if ("taken" in answer) {
    throw new EngineError(
      "export.exists",
      `Cannot save ${path}: there is a file of that name; choose another`,
      { path, reason: "taken" },
    );
  }
  if ("full" in answer) {
    throw new EngineError(
      "export.diskFull",
      `Cannot save ${path}: the disk is full; free some space and send it again`,
      { path, reason: "full" },
    );
  }
  if ("fault" in answer) {
    throw new EngineError(
      "asset.unreadable",
      `Cannot save ${path}: ${answer.message}`,
      { path, reason: answer.fault },
    );
  }
  return answer as Answer;
}
