import { type CommandResult, runCommand } from "./build_command.ts";

/** What `/etc/os-release` says of the machine, as far as the build asks. */
export interface SystemRelease {
  id: string;
  /** The systems that this one derives from, e.g. `["debian"]` on Ubuntu. */
  like: string[];
  codename: string;
}

/** Reads the text of an `os-release` file. */
export function parseSystemRelease(text: string): SystemRelease {
  const fields = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Z_]+)=(.*)$/.exec(line.trim());
    if (match !== null) fields.set(match[1], match[2].replace(/^(["'])(.*)\1$/, "$2"));
  }
  return {
    id: fields.get("ID") ?? "",
    like: (fields.get("ID_LIKE") ?? "").split(/\s+/).filter((name) => name !== ""),
    codename: fields.get("VERSION_CODENAME") ?? "",
  };
}

/** The machine's release, or `undefined` where there is no such file (macOS, Windows). */
export async function readSystemRelease(): Promise<SystemRelease | undefined> {
  const text = await Deno.readTextFile("/etc/os-release").catch(() => undefined);
  return text === undefined ? undefined : parseSystemRelease(text);
}

/** Whether packages may be installed here without asking: root on Debian or a system that derives from it. */
export async function mayInstallPackages(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return false;
  const release = await readSystemRelease();
  return release !== undefined && (release.id === "debian" || release.like.includes("debian"));
}

/** Installs packages with apt-get, its lists brought up to date first. */
export async function installPackages(packages: readonly string[]): Promise<CommandResult> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  // A source that cannot be reached is no reason to stop: the others may have the package.
  await runCommand(["apt-get", "update", "-q"], { env });
  return await runCommand(
    ["apt-get", "install", "-y", "-q", "--no-install-recommends", ...packages],
    { env },
  );
}

/** One archive that apt knows: where it is and which key signs it. */
export interface AptSource {
  uri: string;
  /** A key file; empty where the entry names none by path. */
  signedBy: string;
}

/**
 * The machine's Debian archives among its apt sources: those that offer the system's own suite and the component `main`.
 *
 * @param files The texts of `sources.list` and of the files in `sources.list.d`, by name.
 * @param codename The system's own suite, e.g. `bookworm`.
 */
export function debianArchives(files: ReadonlyMap<string, string>, codename: string): AptSource[] {
  const suites = new Set([codename, "stable", "testing", "unstable", "sid", "forky"]);
  suites.delete("");
  const found: AptSource[] = [];
  const add = (uris: string[], ofSuites: string[], components: string[], signedBy: string) => {
    if (!components.includes("main") || !ofSuites.some((suite) => suites.has(suite))) return;
    for (const uri of uris) {
      if (!found.some((source) => source.uri === uri)) {
        found.push({ uri, signedBy: signedBy.startsWith("/") ? signedBy.split(/\s/)[0] : "" });
      }
    }
  };
  for (const [name, text] of files) {
    if (name.endsWith(".sources")) {
      for (const stanza of text.replace(/^#.*\n?/gm, "").split(/\n\s*\n/)) {
        const field = (key: string) =>
          (new RegExp(`^${key}:[ \\t]*(.*(?:\\n[ \\t].*)*)`, "mi").exec(stanza)?.[1] ?? "").trim();
        const words = (key: string) => field(key).split(/\s+/).filter((word) => word !== "");
        if (!words("Types").includes("deb") || /^no$/i.test(field("Enabled"))) continue;
        add(words("URIs"), words("Suites"), words("Components"), field("Signed-By"));
      }
    } else {
      for (const line of text.split("\n")) {
        const match = /^deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+(.*)$/.exec(line.trim());
        if (match === null) continue;
        const signedBy = /signed-by=(\S+)/.exec(match[1] ?? "")?.[1] ?? "";
        add([match[2]], [match[3]], match[4].replace(/#.*/, "").split(/\s+/), signedBy);
      }
    }
  }
  return found;
}

/** Reads the machine's apt sources, for {@linkcode debianArchives}. */
export async function readAptSources(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const read = async (path: string) => {
    const text = await Deno.readTextFile(path).catch(() => undefined);
    if (text !== undefined) files.set(path, text);
  };
  await read("/etc/apt/sources.list");
  const folder = "/etc/apt/sources.list.d";
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      if (/\.(list|sources)$/.test(entry.name)) names.push(entry.name);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  for (const name of names.sort()) await read(`${folder}/${name}`);
  return files;
}

/** The key file that signs Debian's archives, where the machine has one. */
async function debianKeyring(): Promise<string> {
  for (const suffix of ["gpg", "pgp"]) {
    const path = `/usr/share/keyrings/debian-archive-keyring.${suffix}`;
    if ((await Deno.stat(path).catch(() => undefined))?.isFile) return path;
  }
  return "";
}

/**
 * Downloads one package of one suite from the machine's own archives and unpacks it, without installing it and without touching
 * the system's apt: lists, caches and sources are private to `folder`. Works without root.
 *
 * @param wanted A package as apt-get takes it, with its version: `name=version`.
 * @returns The folder with the unpacked files.
 * @throws {Error} With what apt said, when the package cannot be had.
 */
export async function unpackDebianPackage(
  wanted: string,
  suite: string,
  folder: string,
): Promise<string> {
  const release = await readSystemRelease();
  if (release?.id !== "debian") throw new Error("this system is not Debian");
  const archives = debianArchives(await readAptSources(), release.codename);
  if (archives.length === 0) throw new Error("apt knows no Debian archive here");

  await Deno.remove(folder, { recursive: true }).catch(() => {});
  for (const part of ["lists/partial", "cache/archives/partial", "sources.d", "files"]) {
    await Deno.mkdir(`${folder}/${part}`, { recursive: true });
  }
  const keyring = await debianKeyring();
  const lines = archives.map(({ uri, signedBy }) => {
    const key = signedBy || keyring;
    // The package index alone: no translations, icons or command lists that a desktop's apt would fetch too.
    return `deb [lang=none target=Packages${key ? ` signed-by=${key}` : ""}] ${uri} ${suite} main`;
  });
  await Deno.writeTextFile(`${folder}/sources.list`, lines.join("\n") + "\n");
  // Read after the system's own configuration, so its proxies and limits stay and its hooks do not run.
  await Deno.writeTextFile(
    `${folder}/apt.conf`,
    [
      `Dir::State "${folder}";`,
      `Dir::State::lists "${folder}/lists";`,
      `Dir::State::status "/var/lib/dpkg/status";`,
      `Dir::Cache "${folder}/cache";`,
      `Dir::Etc::sourcelist "${folder}/sources.list";`,
      `Dir::Etc::sourceparts "${folder}/sources.d";`,
      `APT::Sandbox::User "root";`,
      `Acquire::Retries "1";`,
      `Acquire::http::Timeout "20";`,
      `Acquire::https::Timeout "20";`,
      `#clear APT::Update::Pre-Invoke;`,
      `#clear APT::Update::Post-Invoke;`,
      `#clear APT::Update::Post-Invoke-Success;`,
      "",
    ].join("\n"),
  );
  const apt = ["apt-get", "-c", `${folder}/apt.conf`, "-q"];
  const update = await runCommand([...apt, "update"]);
  const download = await runCommand([...apt, "download", wanted], { cwd: folder });
  let deb: string | undefined;
  for await (const entry of Deno.readDir(folder)) if (entry.name.endsWith(".deb")) deb = entry.name;
  if (download.code !== 0 || deb === undefined) {
    const said = [update, download].map((result) => result.stderr.trim()).filter((text) => text);
    throw new Error(said.join("\n") || `apt-get download ended with status ${download.code}`);
  }
  const unpack = await runCommand(["dpkg-deb", "-x", `${folder}/${deb}`, `${folder}/files`]);
  if (unpack.code !== 0) throw new Error(unpack.stderr.trim());
  return `${folder}/files`;
}
