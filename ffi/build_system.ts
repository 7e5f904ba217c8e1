import { type CommandOptions, type CommandResult, runCommand } from "./build_command.ts";
import { installPackages, mayInstallPackages } from "./build_debian.ts";

/** What the build asks of the machine; tests put their own in its place. */
export interface BuildSystem {
  /** The value of an environment variable. */
  env(name: string): string | undefined;
  /** Runs a program to its end. */
  run(command: readonly string[], options?: CommandOptions): Promise<CommandResult>;
  /** Whether packages may be installed without asking. */
  mayInstall(): Promise<boolean>;
  /** Installs packages of the system. */
  install(packages: readonly string[]): Promise<CommandResult>;
}

/** The machine itself. */
export const machine: BuildSystem = {
  env: (name) => Deno.env.get(name),
  run: runCommand,
  mayInstall: mayInstallPackages,
  install: installPackages,
};
