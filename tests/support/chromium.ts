/**
 * A headless Chromium driven over its DevTools protocol: what tests of the page need of a browser, without a package in between (those
 * ask for every permission there is).
 *
 * @module
 */
import { findOnPath } from "../needs.ts";
import { PATIENCE_MS } from "./wait.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--disable-dev-shm-usage",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];
const MODIFIERS: Readonly<Record<string, number>> = { Alt: 1, Ctrl: 2, Meta: 4, Shift: 8 };
/** Keys that a name alone does not tell everything of: `code`, virtual key, text. */
const KEYS: Readonly<Record<string, [code: string, virtualKey: number, text?: string]>> = {
  " ": ["Space", 32, " "],
  Delete: ["Delete", 46],
  Backspace: ["Backspace", 8],
  Escape: ["Escape", 27],
  Enter: ["Enter", 13, "\r"],
  Tab: ["Tab", 9],
  Home: ["Home", 36],
  End: ["End", 35],
  ArrowLeft: ["ArrowLeft", 37],
  ArrowUp: ["ArrowUp", 38],
  ArrowRight: ["ArrowRight", 39],
  ArrowDown: ["ArrowDown", 40],
  "+": ["Equal", 187, "+"],
  "-": ["Minus", 189, "-"],
  "?": ["Slash", 191, "?"],
  "[": ["BracketLeft", 219, "["],
  "]": ["BracketRight", 221, "]"],
  "{": ["BracketLeft", 219, "{"],
  "}": ["BracketRight", 221, "}"],
  ",": ["Comma", 188, ","],
  ".": ["Period", 190, "."],
  ";": ["Semicolon", 186, ";"],
  "'": ["Quote", 222, "'"],
  PageUp: ["PageUp", 33],
  PageDown: ["PageDown", 34],
};

// deno-lint-ignore no-explicit-any
type Json = any;

/** Calls and events of the protocol over one WebSocket. */
class Protocol {
  readonly #socket: WebSocket;
  readonly #pending = new Map<
    number,
    { resolve: (result: Json) => void; reject: (error: Error) => void; method: string }
  >();
  readonly #listeners = new Set<(sessionId: string, method: string, params: Json) => void>();
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
  }

  static async connect(url: string): Promise<Protocol> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`Cannot reach Chromium at ${url}`));
    });
    return new Protocol(socket);
  }

  call(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject, method });
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    });
  }

  /** Gives what ends it. */
  listen(listener: (sessionId: string, method: string, params: Json) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#socket.onclose = () => resolve());
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await closed;
  }

  #receive(message: Json): void {
    if (message.method !== undefined) {
      for (const listener of this.#listeners) {
        listener(message.sessionId ?? "", message.method, message.params);
      }
      return;
    }
    const pending = this.#pending.get(message.id);
    this.#pending.delete(message.id);
    if (message.error === undefined) pending?.resolve(message.result);
    else pending?.reject(new Error(`${pending.method}: ${message.error.message}`));
  }
}

/** One browser with a profile of its own, gone afterwards. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #protocol: Protocol;
  readonly #profile: string;
  readonly #drained: Promise<void>;

  private constructor(
    process: Deno.ChildProcess,
    protocol: Protocol,
    profile: string,
    drained: Promise<void>,
  ) {
    this.#process = process;
    this.#protocol = protocol;
    this.#profile = profile;
    this.#drained = drained;
  }

  /** Starts `chromium`, which must be on the path. */
  static async launch(): Promise<Browser> {
    const program = findOnPath("chromium");
    if (program === undefined) throw new Error("Cannot start chromium: not found on PATH");
    const profile = await Deno.makeTempDir({ prefix: "chromium" });
    const process = new Deno.Command(program, {
      args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const late = setTimeout(() => process.kill("SIGKILL"), PATIENCE_MS);
    let found: (url: string) => void = () => {};
    const address = new Promise<string>((resolve) => found = resolve);
    let said = "";
    const drained = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of process.stderr) {
        said = (said + decoder.decode(bytes, { stream: true })).slice(-10_000);
        const url = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (url !== undefined) found(url);
      }
      found("");
    })();
    const url = await address;
    clearTimeout(late);
    if (url === "") throw new Error(`Chromium ended at once: ${said}`);
    return new Browser(process, await Protocol.connect(url), profile, drained);
  }

  /** Opens a page; `dark` is what the system prefers. */
  async newPage({ width = 1280, height = 720, density = 1, dark = true } = {}): Promise<Page> {
    const { targetId } = await this.#protocol.call("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#protocol.call("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    const page = new Page(this.#protocol, sessionId);
    await page.call("Page.enable");
    await page.call("Runtime.enable");
    await page.call("Log.enable");
    await page.call("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: density,
      mobile: false,
    });
    await page.prefer(dark ? "dark" : "light");
    await page.call("Emulation.setFocusEmulationEnabled", { enabled: true });
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = this.#process.status;
    await this.#protocol.call("Browser.close").catch(() => {});
    const late = setTimeout(() => this.#process.kill("SIGKILL"), PATIENCE_MS);
    await this.#protocol.close();
    await ended;
    clearTimeout(late);
    await this.#drained;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }
}

/** Where a pointer event happens, in CSS pixels. */
export interface Place {
  x: number;
  y: number;
}

/** One page of the browser. */
export class Page {
  /** Errors and warnings of the page's console, and exceptions that nobody caught. */
  readonly complaints: string[] = [];
  readonly #protocol: Protocol;
  readonly #sessionId: string;

  constructor(protocol: Protocol, sessionId: string) {
    this.#protocol = protocol;
    this.#sessionId = sessionId;
    protocol.listen((session, method, params) => {
      if (session !== sessionId) return;
      if (method === "Runtime.exceptionThrown") {
        const { exceptionDetails: details } = params;
        this.complaints.push(details.exception?.description ?? details.text);
      }
      if (method === "Runtime.consoleAPICalled" && /error|warning/.test(params.type)) {
        this.complaints.push(
          params.args.map((arg: Json) => arg.value ?? arg.description).join(" "),
        );
      }
      if (method === "Log.entryAdded" && params.entry.level === "error") {
        this.complaints.push(`${params.entry.text} ${params.entry.url ?? ""}`);
      }
    });
  }

  call(method: string, params: Json = {}): Promise<Json> {
    return this.#protocol.call(method, params, this.#sessionId);
  }

  async goto(url: string): Promise<void> {
    const { errorText } = await this.call("Page.navigate", { url });
    if (errorText !== undefined) throw new Error(`Cannot open ${url}: ${errorText}`);
  }

  async reload(): Promise<void> {
    await this.call("Page.reload");
  }

  /** The value of an expression in the page; a promise is awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.call("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails === undefined) return result.value;
    throw new Error(
      `${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`,
    );
  }

  /** Waits until an expression is truthy, and gives its value. */
  async until<T>(expression: string, limitMs = PATIENCE_MS): Promise<T> {
    const end = performance.now() + limitMs;
    let problem = "";
    while (performance.now() < end) {
      try {
        const value = await this.evaluate<T>(expression);
        if (value) return value;
        problem = "";
      } catch (error) {
        problem = String(error); // The page is on its way to another document.
      }
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`Waited ${limitMs} ms in vain for: ${expression} ${problem}`);
  }

  /** The middle of the element that a selector names. */
  async middleOf(selector: string): Promise<Place> {
    return await this.until<Place>(`(() => {
      const element = document.querySelector(${JSON.stringify(selector)});
      const box = element?.getBoundingClientRect();
      return box && box.width > 0 ? { x: box.x + box.width / 2, y: box.y + box.height / 2 } : null;
    })()`);
  }

  async click(place: Place | string, { button = "left", count = 1, keys = [] as string[] } = {}) {
    const at = typeof place === "string" ? await this.middleOf(place) : place;
    await this.#mouse("mouseMoved", at, { keys });
    for (let clickCount = 1; clickCount <= count; clickCount++) {
      await this.#mouse("mousePressed", at, { button, clickCount, keys });
      await this.#mouse("mouseReleased", at, { button, clickCount, keys });
    }
  }

  /** Presses at the first place, moves over the others in small steps, and lets go at the last unless `hold`. */
  async drag(
    places: Place[],
    { keys = [] as string[], hold = false, button = "left" } = {},
  ): Promise<void> {
    const [first, ...rest] = places;
    await this.#mouse("mouseMoved", first, { keys });
    await this.#mouse("mousePressed", first, { button, clickCount: 1, keys });
    let from = first;
    for (const to of rest) {
      for (let step = 1; step <= 8; step++) {
        const x = from.x + ((to.x - from.x) * step) / 8;
        const y = from.y + ((to.y - from.y) * step) / 8;
        await this.#mouse("mouseMoved", { x, y }, { button, keys });
      }
      from = to;
    }
    if (!hold) await this.#mouse("mouseReleased", from, { button, clickCount: 1, keys });
  }

  /** Lets go of the button that a drag holds. */
  async release(place: Place): Promise<void> {
    await this.#mouse("mouseReleased", place, { button: "left", clickCount: 1 });
  }

  /** Sets what the system prefers. */
  async prefer(scheme: "light" | "dark"): Promise<void> {
    await this.call("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: scheme }],
    });
  }

  async move(place: Place): Promise<void> {
    await this.#mouse("mouseMoved", place, {});
  }

  async wheel(place: Place, deltaX: number, deltaY: number, keys: string[] = []): Promise<void> {
    await this.#mouse("mouseWheel", place, { deltaX, deltaY, keys });
  }

  /** Presses a key, such as `s`, `Delete`, `Ctrl+z` or `Shift+F`. */
  async press(chord: string): Promise<void> {
    const parts = chord.split(/\+(?=.)/);
    const key = parts.pop()!;
    const modifiers = parts.reduce((sum, name) => sum | MODIFIERS[name], 0);
    const [code, windowsVirtualKeyCode, text] = KEYS[key] ??
      [`Key${key.toUpperCase()}`, key.toUpperCase().charCodeAt(0), key];
    const typed = (modifiers & ~MODIFIERS.Shift) === 0 ? text : undefined;
    const event = { key, code, windowsVirtualKeyCode, modifiers };
    await this.call("Input.dispatchKeyEvent", {
      ...event,
      type: typed === undefined ? "rawKeyDown" : "keyDown",
      text: typed,
    });
    await this.call("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
  }

  async type(text: string): Promise<void> {
    await this.call("Input.insertText", { text });
  }

  /** Lets go of files from the desktop at a place. */
  async dropFiles(place: Place, files: string[]): Promise<void> {
    const data = { items: [], files, dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await this.call("Input.dispatchDragEvent", { type, ...place, data });
    }
  }

  /** Drags an element of the page, which says by itself what it gives, to a place. */
  async dragElement(from: Place, to: Place): Promise<void> {
    await this.call("Input.setInterceptDrags", { enabled: true });
    const taken = new Promise<Json>((resolve) => {
      const stop = this.#protocol.listen((session, method, params) => {
        if (session !== this.#sessionId || method !== "Input.dragIntercepted") return;
        stop();
        resolve(params.data);
      });
    });
    await this.#mouse("mouseMoved", from, {});
    await this.#mouse("mousePressed", from, { button: "left", clickCount: 1 });
    for (let step = 1; step <= 4; step++) {
      const x = from.x + ((to.x - from.x) * step) / 20;
      const y = from.y + ((to.y - from.y) * step) / 20;
      await this.#mouse("mouseMoved", { x, y }, { button: "left" });
    }
    const data = await taken;
    for (const type of ["dragEnter", "dragOver", "drop"]) {
      await this.call("Input.dispatchDragEvent", { type, ...to, data });
    }
    await this.#mouse("mouseReleased", to, { button: "left", clickCount: 1 });
    await this.call("Input.setInterceptDrags", { enabled: false });
  }

  /** Writes what the page shows as PNG. */
  async screenshot(path: string): Promise<void> {
    const { data } = await this.call("Page.captureScreenshot", { format: "png" });
    await Deno.writeFile(path, Uint8Array.fromBase64(data));
  }

  async #mouse(
    type: string,
    { x, y }: Place,
    { keys = [], ...rest }: { keys?: string[]; [name: string]: unknown },
  ): Promise<void> {
    const modifiers = keys.reduce((sum, name) => sum | MODIFIERS[name], 0);
    await this.call("Input.dispatchMouseEvent", { type, x, y, modifiers, ...rest });
  }
}
