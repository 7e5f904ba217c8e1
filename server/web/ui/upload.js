// @ts-check
/** @import { Asset } from "../client/types.js" */

/** A name that is taken gets a number, up to this. */
const MOST_TRIES = 20;

/** The engine did not take a file. */
export class UploadError extends Error {
  /** @override */
  name = "UploadError";

  /**
   * @param {string} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * Sends a file to the library. (XMLHttpRequest, because `fetch` does not tell how far it is.)
 *
 * @param {File} file
 * @param {string | null} token
 * @param {(part: number) => void} progress 0…1
 * @returns {Promise<Asset>} what it was registered as
 */
export async function upload(file, token, progress) {
  for (let attempt = 1;; attempt++) {
    const { status, body } = await put(file, numbered(file.name, attempt), token, progress);
    if (status === 201) return body.asset;
    if (status === 409 && attempt < MOST_TRIES) continue;
    throw new UploadError(
      body?.error?.code ?? `http${status}`,
      body?.error?.message ?? `The engine answered ${status}.`,
    );
  }
}

/**
 * @param {File} file
 * @param {string} name
 * @param {string | null} token
 * @param {(part: number) => void} progress
 * @returns {Promise<{ status: number, body: any }>}
 */
function put(file, name, token, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("PUT", `/aura/library/${encodeURIComponent(name)}`);
    if (token !== null) request.setRequestHeader("authorization", `Bearer ${token}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => progress(total > 0 ? loaded / total : 0);
    request.onload = () => resolve({ status: request.status, body: request.response });
    request.onerror = () => reject(new UploadError("disconnected", "The connection was lost."));
    request.send(file);
  });
}

/**
 * @param {string} name
 * @param {number} attempt from 1, which leaves it as it is
 */
function numbered(name, attempt) {
  if (attempt === 1) return name;
  const dot = name.lastIndexOf(".");
  return dot > 0 ? `${name.slice(0, dot)} (${attempt})${name.slice(dot)}` : `${name} (${attempt})`;
}
