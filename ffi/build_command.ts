/** What a finished command left behind. */
export interface CommandResult {
  /** Its exit status; 127 where the program could not be started at all. */
  code: number;
  stdout: string;
  stderr: string;
}

/** How {@linkcode runCommand} starts a program. */
export interface CommandOptions {
  cwd?: string;
  /** Added to the environment that the program inherits. */
  env?: Record<string, string>;
}

/** Runs a program to its end and keeps what it wrote. A program that cannot be started is a result too. */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [program, ...args] = command;
  try {
    const output = await new Deno.Command(program, { args, ...options, stdin: "null" }).output();
    const decoder = new TextDecoder();
    return {
      code: output.code,
      stdout: decoder.decode(output.stdout),
      stderr: decoder.decode(output.stderr),
    };
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    return {
      code: 127,
      stdout: "",
      stderr: error instanceof Error ? error.message : String(error),
    };
  }
}

/** Finds a program as the shell would: a path stays a path, a name is looked for along `PATH`. */
export async function findProgram(name: string, path: string): Promise<string | undefined> {
  const windows = Deno.build.os === "windows";
  const suffixes = windows ? ["", ".exe", ".cmd"] : [""];
  const folders = /[/\\]/.test(name)
    ? [""]
    : path.split(windows ? ";" : ":").filter((folder) => folder !== "").map((folder) =>
      folder + "/"
    );
  for (const folder of folders) {
    for (const suffix of suffixes) {
      const candidate = folder + name + suffix;
      const info = await Deno.stat(candidate).catch(() => undefined);
      if (info?.isFile && (windows || (info.mode ?? 0o111) & 0o111)) return candidate;
    }
  }
  return undefined;
}
