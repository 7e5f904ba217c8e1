/**
 * Symbolic links for tests, which run with write permission for one folder: Deno makes links only with permission for all.
 *
 * @module
 */

/** Makes a link at `path` that leads to `target`, in a process of its own. */
export async function makeLink(target: string, path: string): Promise<void> {
  const code = `Deno.symlinkSync(${JSON.stringify(target)}, ${JSON.stringify(path)})`;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), { args: ["eval", code] })
    .output();
  if (!success) throw new Error(`Cannot make a link: ${new TextDecoder().decode(stderr)}`);
}
