/**
 * Who may come in (DESIGN §12): checks `Host`, `Origin` and token of every request and every upgrade. A web page reaches a local
 * engine by DNS rebinding (a foreign name in `Host`) and by cross-site requests and WebSockets (a foreign `Origin`); CORS alone stops
 * neither.
 *
 * @module
 */
import { isAddress, isLoopback, isWildcard, urlHost } from "./host.ts";
import { equalSecrets, fromBase64Url } from "./secrets.ts";
import type { Tickets } from "./tickets.ts";

/** The WebSocket subprotocol that the engine speaks. */
export const SUBPROTOCOL = "loophole.v1";

/** What the guard knows of the server. */
export interface GuardOptions {
  /** The address that is bound. */
  host: string;
  port: number;
  /** Other origins that are let in. */
  origins: readonly string[];
  /** `null`: none is asked for. */
  token: string | null;
  tickets: Tickets;
}

/** What the guard reads of a request. */
export interface Knock {
  method: string;
  /** The target as a URL; its host is the `Host` header's unless the target named its own. */
  url: URL;
  headers: Headers;
  isUpgrade: boolean;
}

/** The guard's answer. `origin`: a foreign one that is admitted, for CORS. `crossSite`: an embed by an admitted page. */
export type Verdict =
  | { allowed: true; origin: string | null; crossSite: boolean }
  | { allowed: false; status: 401 | 403 | 421; code: RefusalCode; message: string };

/** Codes of the guard's refusals, as HTTP errors carry them. */
export type RefusalCode = "request.unauthorized" | "request.forbidden" | "request.misdirected";

/** Judges knocks; made once a server, when its port is known. */
export class Guard {
  readonly #options: GuardOptions;
  readonly #hosts = new Set<string>();
  readonly #origins: ReadonlySet<string>;

  constructor(options: GuardOptions) {
    this.#options = options;
    this.#origins = new Set(options.origins);
    const names = ["127.0.0.1", "localhost", "::1", options.host];
    for (const name of names) {
      this.#hosts.add(`${urlHost(name.toLowerCase())}:${options.port}`);
      if (options.port === 80) this.#hosts.add(urlHost(name.toLowerCase()));
    }
    // A page that is let in may reach us by its own name, through a proxy that serves both.
    for (const origin of options.origins) {
      if (/^https?:/.test(origin)) this.#hosts.add(new URL(origin).host);
    }
  }

  /** Whether this may come in, and if not, why. `isOpen`: what holds no secret and shows nothing (the page's own files). */
  check(knock: Knock, isOpen = false): Verdict {
    const host = knock.headers.get("host")?.toLowerCase() ?? null;
    if (host === null || !this.#isOwnHost(host) || knock.url.host !== host.replace(/:80$/, "")) {
      return refuse(421, "request.misdirected", `Host ${host ?? "(none)"} is not this engine`);
    }
    const origin = this.#checkOrigin(knock, host);
    if (!origin.allowed) return origin;
    if (this.#options.token !== null && !isOpen && !this.#showsToken(knock, this.#options.token)) {
      return refuse(401, "request.unauthorized", "The token is missing or wrong");
    }
    return origin;
  }

  /** A name could be pointed at this machine by anyone who owns it; an address cannot. */
  #isOwnHost(host: string): boolean {
    if (this.#hosts.has(host)) return true;
    const { host: bound, port } = this.#options;
    if (isLoopback(bound) || !(isWildcard(bound) || isAddress(urlHost(bound)))) return false;
    const suffix = `:${port}`;
    const name = host.endsWith(suffix) ? host.slice(0, -suffix.length) : port === 80 ? host : "";
    return isWildcard(bound) && isAddress(name);
  }

  #checkOrigin({ method, url, headers, isUpgrade }: Knock, host: string): Verdict {
    const origin = headers.get("origin");
    if (origin !== null) {
      if (origin === `http://${host}`) return { allowed: true, origin: null, crossSite: false };
      if (this.#origins.has(origin)) return { allowed: true, origin, crossSite: true };
      return refuse(
        403,
        "request.forbidden",
        `Origin ${origin.slice(0, 200)} is not let in (--origin)`,
      );
    }
    // Browsers leave `Origin` out where a page only embeds (`<img>`, `<audio>`); what they say of the site tells those.
    const site = headers.get("sec-fetch-site");
    if (site !== "cross-site" && site !== "same-site") {
      return { allowed: true, origin: null, crossSite: false };
    }
    const isRead = (method === "GET" || method === "HEAD") && !isUpgrade;
    const isLink = headers.get("sec-fetch-mode") === "navigate" &&
      headers.get("sec-fetch-dest") === "document";
    if (isRead && isLink) return { allowed: true, origin: null, crossSite: false };
    const ticket = url.searchParams.get("ticket");
    const isKnown = this.#origins.has(originOf(headers.get("referer"))) ||
      (ticket !== null && this.#options.tickets.isValid(ticket));
    if (isRead && isKnown) return { allowed: true, origin: null, crossSite: true };
    return refuse(
      403,
      "request.forbidden",
      "A page of another site may not embed the engine's answers",
    );
  }

  #showsToken({ method, url, headers, isUpgrade }: Knock, token: string): boolean {
    // A preflight never carries a token, and its answer says nothing but what is let in anyway.
    if (method === "OPTIONS" && headers.has("access-control-request-method")) return true;
    const bearer = /^Bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
    if (bearer !== undefined) return equalSecrets(bearer, token);
    if (isUpgrade) {
      const shown = offeredSubprotocols(headers).find((name) => name.startsWith("token."));
      const text = shown === undefined ? null : fromBase64Url(shown.slice("token.".length));
      return text !== null && equalSecrets(text, token);
    }
    const ticket = url.searchParams.get("ticket");
    return (method === "GET" || method === "HEAD") && ticket !== null &&
      this.#options.tickets.isValid(ticket);
  }
}

/** The subprotocols that an upgrade offers, in its order. */
export function offeredSubprotocols(headers: Headers): string[] {
  const text = headers.get("sec-websocket-protocol") ?? "";
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

function refuse(status: 401 | 403 | 421, code: RefusalCode, message: string): Verdict {
  return { allowed: false, status, code, message };
}

/** The origin of a URL as browsers write it, `""` if there is none. */
function originOf(url: string | null): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.exec(url ?? "")?.[0].toLowerCase() ?? "";
}
