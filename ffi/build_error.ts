/** Why the native library could not be built, in words that say what to do. */
export class BuildError extends Error {
  override name = "BuildError";
}
