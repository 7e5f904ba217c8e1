/**
 * The engine as a process: command line in, ready line out, clean end on a signal.
 *
 * @module
 */
import { afterMs } from "../engine/bounded.ts";
import { Engine } from "../engine/engine.ts";
import { urlHost } from "./host.ts";
import { layFiles } from "./lay_files.ts";
import { createLog } from "./log.ts";
import { OptionError, parseOptions, type ServerOptions } from "./options.ts";
import { SERVER_CALLERS } from "./rpc/method.ts";
import { RuntimeFile, runtimeFolder } from "./runtime_file.ts";
import { Server } from "./server.ts";

/** A variable of the environment, `undefined` also where it may not be read. */
function env(name: string): string | undefined {
  try {
    return Deno.env.get(name);
  } catch {
    return undefined;
  }
}

function readCommandLine(): ServerOptions {
  try {
    // `deno task` changes to the project's folder; paths are meant from where the user stood.
    const folder = env("INIT_CWD") || Deno.cwd();
    const command = parseOptions(Deno.args, { env, folder, os: Deno.build.os });
    if (command.kind === "serve") return command.options;
    console.log(command.text);
    Deno.exit(0);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    console.error(error.message);
    Deno.exit(2);
  }
}

async function bind(options: ServerOptions): Promise<Server> {
  const allowed = await Deno.permissions.query({ name: "net", host: urlHost(options.host) });
  if (allowed.state !== "granted") {
    console.error(
      `Cannot start: this task may serve on this machine alone, not on ${options.host}; ` +
        `use: deno task start:net --host ${options.host} --token …`,
    );
    Deno.exit(1);
  }
  try {
    return await Server.bind({
      host: options.host,
      port: options.port,
      token: options.token ?? null,
      origins: options.origins,
    });
  } catch (error) {
    const code = (error as { code?: string }).code;
    const { host, port } = options;
    console.error(
      code === "EADDRINUSE"
        ? `Cannot start: port ${port} of ${host} is taken by another program; choose another with --port, or 0 for a free one`
        : `Cannot start: ${host}:${port} cannot be served on: ${messageOf(error)}`,
    );
    Deno.exit(1);
  }
}

async function openEngine(options: ServerOptions): Promise<Engine> {
  try {
    return await Engine.open({
      ...(options.dataDir === undefined ? {} : { dataDir: options.dataDir }),
      ...(options.cacheDir === undefined ? {} : { cacheDir: options.cacheDir }),
      ...(options.exportDir === undefined ? {} : { exportDir: options.exportDir }),
      ...(options.libraryRoots === undefined ? {} : { libraryRoots: options.libraryRoots }),
      allowedFiles: options.files,
      memoryBytes: options.memoryMb * 1e6,
      backend: options.backend,
      ...(options.device === undefined ? {} : { device: options.device }),
      period: options.period,
      ...(options.sampleRate === undefined ? {} : { sampleRate: options.sampleRate }),
      ...(options.project === undefined ? {} : { project: options.project }),
      gpu: options.gpu,
    });
  } catch (error) {
    console.error(`Cannot start: ${messageOf(error)}`);
    Deno.exit(1);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Signals so close together are one: a terminal sends Ctrl-C to the whole group, and `deno task` passes on what it gets. In
 * milliseconds.
 */
const ONE_SIGNAL_MS = 400;

/** Resolves with the first signal that asks for the end; the next ends at once. */
function untilSignalled(force: () => void): Promise<Deno.Signal> {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  const { promise, resolve } = Promise.withResolvers<Deno.Signal>();
  let isFirst = true;
  let isLater = false;
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (isLater) return force();
      if (!isFirst) return;
      isFirst = false;
      afterMs(ONE_SIGNAL_MS, () => isLater = true);
      resolve(signal);
    });
  }
  return promise;
}

const options = readCommandLine();
const log = createLog(options.log);
let runtimeFile: RuntimeFile | null = null;
const signalled = untilSignalled(() => {
  runtimeFile?.remove();
  console.error("Second signal: ending at once");
  Deno.exit(130);
});
const server = await bind(options);
const engine = await openEngine(options);
// What it had to say while it opened was said to nobody.
const { warnings = [] } = engine.diagnostics.get({ clientId: `${SERVER_CALLERS}log` }) as {
  warnings?: { code: string; message: string; details?: Record<string, unknown> }[];
};
for (const { code, message, details } of warnings) log.warn(code, message, details);
engine.listen(({ method, params }) => {
  if (method !== "diagnostics.warning") return;
  const { code, message, details } = params as {
    code: string;
    message: string;
    details?: Record<string, unknown>;
  };
  log.warn(code, message, details);
});
try {
  await layFiles(engine, options.files, (path, error) => {
    log.warn("file.refused", `${path} is left out: ${messageOf(error)}`, { path });
  });
} catch (error) {
  log.warn("files.refused", `The files are not laid: ${messageOf(error)}`);
}
server.serve(engine);

try {
  runtimeFile = RuntimeFile.write(runtimeFolder(env), {
    url: server.url,
    token: options.token ?? null,
    pid: Deno.pid,
    instanceId: engine.instanceId,
  });
} catch (error) {
  log.warn("runtime.file", `${messageOf(error)}; programs have to be told the address`);
}
// Every handler catches. What slips through all the same is told, and does not silence who is playing.
for (const kind of ["unhandledrejection", "error"] as const) {
  globalThis.addEventListener(kind, (event) => {
    event.preventDefault();
    console.error(
      "Unexpected:",
      event instanceof PromiseRejectionEvent ? event.reason : (event as ErrorEvent).error,
    );
  });
}

log.ready(server.url);

const signal = await signalled;
log.stopping(signal);
let status = 0;
try {
  await server.close();
  await engine[Symbol.asyncDispose]();
} catch (error) {
  console.error(`The engine did not stop cleanly: ${messageOf(error)}`);
  status = 1;
} finally {
  runtimeFile?.remove();
}
Deno.exit(status);
