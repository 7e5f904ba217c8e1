/**
 * Documents of other programs as files: read from the library, written to the export folder, both by the file worker and in parts.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { EngineError, InvalidParams } from "../../errors.ts";
import { type Files, SlowDisk } from "../../files/files.ts";
import type { FileFault } from "../../files/files_protocol.ts";
import { faultError, type Grants } from "../../files/grants.ts";
import type { Path } from "../exchange/fields.ts";
import { readJson } from "../exchange/json_reader.ts";
import { Slices } from "../store/slices.ts";
import { MAX_DOCUMENT_BYTES } from "./exchange_limits.ts";
import { exportTarget, requireFree } from "./export_path.ts";

/** Bytes that are read or written at a time. */
const PART_BYTES = 1 << 18;
/** How long the disk may take for one part, in milliseconds. */
const PART_MS = 30_000;

/** Runs steps in slices, so that the main thread is never held up for long. */
export async function inSlices<T>(steps: Generator<void, T>): Promise<T> {
  const slices = new Slices();
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await slices.turn();
  }
}

/** Where a document was found. */
export interface FoundDocument {
  readonly value: unknown;
  /** The folder that its relative paths begin at. */
  readonly folder: string;
}

/**
 * Reads a JSON document that may be read.
 *
 * @param inFolder Names of the document where `path` is a folder.
 * @throws {InvalidParams} for a path that is none, and for what is no JSON.
 * @throws {EngineError} `asset.outsideLibrary`, `asset.notFound`, `asset.unreadable`, `limit.exceeded`.
 */
export async function readDocument(
  path: string,
  inFolder: string | null,
  field: Path,
  { files, grants }: { files: Files; grants: Grants },
): Promise<FoundDocument> {
  let facts = await grants.resolve(path, "import");
  if (facts.kind === "folder" && inFolder !== null) {
    facts = await grants.resolve(join(facts.path, inFolder), "import");
  }
  if (facts.kind !== "file") {
    throw new EngineError("asset.unsupported", `Cannot import ${facts.path}: it is no file`, {
      path: facts.path,
      reason: facts.kind === "folder" ? "folder" : "special",
    });
  }
  if (facts.bytes > MAX_DOCUMENT_BYTES) {
    throw new EngineError(
      "limit.exceeded",
      `Cannot import ${facts.path}: it has ${facts.bytes} bytes, more than ${MAX_DOCUMENT_BYTES}`,
      { limit: "documentBytes", maximum: MAX_DOCUMENT_BYTES, actual: facts.bytes },
    );
  }
  return { value: await readValue(facts.path, field, files), folder: dirname(facts.path) };
}

async function readValue(path: string, field: Path, files: Files): Promise<unknown> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const slices = new Slices();
  const steps = readJson(field);
  let offset = 0;
  let state: { fileBytes: number; mtimeMs: number } | null = null;
  let given: string | null | undefined;
  for (;;) {
    const { done, value } = steps.next(given);
    if (done) return value;
    given = undefined;
    if (value === "turn") {
      await slices.turn();
      continue;
    }
    const part = await asked(
      files.ask(path, { kind: "readPart", path, offset, length: PART_BYTES }, {
        timeoutMs: PART_MS,
      }),
      path,
      "import",
    );
    state ??= part;
    if (part.fileBytes !== state.fileBytes || part.mtimeMs !== state.mtimeMs) {
      throw new EngineError(
        "asset.unreadable",
        `Cannot import ${path}: it was changed while it was read; import it again`,
        { path, reason: "changed" },
      );
    }
    offset += part.bytes.length;
    try {
      given = part.bytes.length === 0
        ? decoder.decode() || null
        : decoder.decode(part.bytes, { stream: true });
    } catch {
      throw new InvalidParams(field, `must be text in UTF-8, ${path} is not`);
    }
  }
}

/** A document that was written. */
export interface WrittenDocument {
  path: string;
  /** Where it can be fetched. */
  url: string;
  bytes: number;
}

/**
 * Writes a text that is made in pieces under the export folder. Nothing appears there until it is whole.
 *
 * @throws {InvalidParams} @throws {EngineError} `export.outside`, `export.exists`, `export.diskFull`, `asset.unreadable`.
 */
export async function writeDocument(
  pieces: Iterable<string | null>,
  path: string,
  overwrite: boolean,
  { files, exportDir }: { files: Files; exportDir: string },
): Promise<WrittenDocument> {
  const target = exportTarget(exportDir, path);
  requireFree(target, overwrite);
  const folder = dirname(target.path);
  const name = basename(target.path);
  const options = { timeoutMs: PART_MS };
  const { saveId } = await asked(
    files.ask(folder, { kind: "saveBegin", folder, name, overwrite }, options),
    path,
    "export to",
  );
  const slices = new Slices();
  const encoder = new TextEncoder();
  let written = 0;
  try {
    for (const piece of pieces) {
      await slices.turn();
      if (piece === null) continue;
      const bytes = encoder.encode(piece);
      written += bytes.length;
      await asked(
        files.ask(folder, { kind: "saveChunk", saveId, bytes }, {
          ...options,
          transfer: [bytes.buffer],
        }),
        path,
        "export to",
      );
    }
  } catch (error) {
    await files.ask(folder, { kind: "saveEnd", saveId, keep: false }, options).catch(() => {});
    throw error;
  }
  await asked(
    files.ask(folder, { kind: "saveEnd", saveId, keep: true }, options),
    path,
    "export to",
  );
  const parts = target.relativePath.split("/").map(encodeURIComponent);
  return { path: target.path, url: `/aura/exports/${parts.join("/")}`, bytes: written };
}

/** The worker's answer, or the error that it stands for. */
async function asked<Answer extends object>(
  asking: Promise<Answer | FileFault | { taken: true } | { full: true }>,
  path: string,
  action: string,
): Promise<Answer> {
  let answer;
  try {
    answer = await asking;
  } catch (error) {
    if (!(error instanceof SlowDisk)) throw error;
    throw new EngineError(
      "asset.unreadable",
      `Cannot ${action} ${path}: its disk did not answer in time; check that it is connected`,
      { path, reason: "slow" },
    );
  }
  if ("taken" in answer) {
    throw new EngineError(
      "export.exists",
      `Cannot ${action} ${path}: the file exists; choose another name or set overwrite`,
      { path },
    );
  }
  if ("full" in answer) {
    throw new EngineError(
      "export.diskFull",
      `Cannot ${action} ${path}: the disk is full; free some space and export again`,
      { path },
    );
  }
  if ("fault" in answer) throw faultError(answer, path, action);
  return answer;
}
