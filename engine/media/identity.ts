/**
 * What tells one state of a file from another, without reading its contents: the cold cache's first key.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { NativeSourceInfo } from "../../ffi/source_info.ts";

/** The parts of a file's identity (DESIGN §3). Its path is none of them: a renamed file keeps what is known of it. */
export type FileIdentity = Pick<
  NativeSourceInfo,
  | "device"
  | "inode"
  | "fileBytes"
  | "mtimeSeconds"
  | "mtimeNanoseconds"
  | "ctimeSeconds"
  | "ctimeNanoseconds"
>;

/** SHA-256 of a file's identity: 32 bytes. */
export function identityKey(identity: FileIdentity): Uint8Array<ArrayBuffer> {
  const values = Float64Array.of(
    identity.device,
    identity.inode,
    identity.fileBytes,
    identity.mtimeSeconds,
    identity.mtimeNanoseconds,
    identity.ctimeSeconds,
    identity.ctimeNanoseconds,
  );
  return new Uint8Array(createHash("sha256").update(new Uint8Array(values.buffer)).digest());
}

/** Whether two records are of one state of one file. */
export function sameIdentity(a: FileIdentity, b: FileIdentity): boolean {
  return a.device === b.device && a.inode === b.inode && a.fileBytes === b.fileBytes &&
    a.mtimeSeconds === b.mtimeSeconds && a.mtimeNanoseconds === b.mtimeNanoseconds &&
    a.ctimeSeconds === b.ctimeSeconds && a.ctimeNanoseconds === b.ctimeNanoseconds;
}
