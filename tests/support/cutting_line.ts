/**
 * A line between a client and a server that can be cut at any byte: what was on its way is lost, on either side.
 *
 * @module
 */
import { writeAll } from "./server_client.ts";

/** Listens on a port of its own and passes everything on, until it is told to cut. */
export class CuttingLine implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #lines = new Set<Deno.TcpConn>();
  readonly #running: Promise<void>[] = [];
  #target = 0;
  /** Called with each piece: how many of its bytes still pass before the line is cut; `null` passes all. */
  cutAfter: (bytes: number, to: "server" | "client") => number | null = () => null;
  cuts = 0;

  constructor() {
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#running.push(this.#accept());
  }

  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Where it leads. */
  lead(port: number): void {
    this.#target = port;
  }

  /** Cuts all lines now. */
  cut(): void {
    for (const line of this.#lines) close(line);
    this.#lines.clear();
    this.cuts++;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.cut();
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    try {
      for await (const client of this.#listener) {
        const server = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
        this.#lines.add(client).add(server);
        this.#running.push(this.#pass(client, server, "server"));
        this.#running.push(this.#pass(server, client, "client"));
      }
    } catch {
      // Closed.
    }
  }

  async #pass(from: Deno.TcpConn, to: Deno.TcpConn, where: "server" | "client"): Promise<void> {
    const buffer = new Uint8Array(16_384);
    try {
      for (let read = await from.read(buffer); read !== null; read = await from.read(buffer)) {
        const passed = this.cutAfter(read, where);
        await writeAll(to, buffer.slice(0, passed ?? read));
        if (passed === null) continue;
        this.cuts++;
        break;
      }
    } catch {
      // Cut from the other side.
    }
    for (const line of [from, to]) {
      close(line);
      this.#lines.delete(line);
    }
  }
}

function close(line: Deno.TcpConn): void {
  try {
    line.close();
  } catch {
    // It is closed already.
  }
}
