/**
 * Where to go when a device is gone, and when to come back: decisions from what is wished for and what is listed.
 *
 * What a person chose stays their wish. A device that vanishes is replaced at once by the default of its own audio system, and by silence that runs on
 * where there is none; another audio system is not taken by itself, since that could keep the card from the server that comes back. When the
 * wished device is listed again, playback returns to it by itself, as it does when an interface is plugged in again: who wants to stay chooses the
 * other one, which is then the wish.
 *
 * @module
 */
import type { DeviceInfo } from "../../api.ts";

/** What is wished for; the system's default where something is left out. */
export interface DeviceWish {
  backend?: string;
  device?: string;
  period?: number;
}

/** First pause before another attempt, in milliseconds; each is twice as long as the one before. */
const FIRST_RETRY_MS = 500;
/** Longest pause between two attempts, in milliseconds. */
const LONGEST_RETRY_MS = 10_000;

/** How long to wait before an attempt, counted from 0. */
export function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** attempt, LONGEST_RETRY_MS);
}

/** The audio system to look at for a wish: the wished one, else the one that worked last. */
export function backendOf({ backend = "auto" }: DeviceWish, last: string | null): string {
  return backend === "auto" ? last ?? "auto" : backend;
}

/** What could be opened now in place of what is open. */
export interface Way {
  wish: DeviceWish;
  /** It is what was wished for, not its replacement. */
  asWished: boolean;
}

/**
 * The best way with what is listed, or `null` if nothing better than what is open can be had.
 *
 * @param silent Nothing is open but the null device: a replacement would do too.
 */
export function betterWay(
  wish: DeviceWish,
  last: string | null,
  listed: readonly DeviceInfo[],
  silent: boolean,
): Way | null {
  const backend = backendOf(wish, last);
  const of = listed.filter((entry) =>
    entry.backend !== "null" && (backend === "auto" || entry.backend === backend)
  );
  if (of.length === 0) return null;
  if (wish.device === undefined) {
    return silent ? { wish: { ...wish, backend }, asWished: true } : null;
  }
  if (of.some(({ device }) => device === wish.device)) {
    return { wish: { ...wish, backend }, asWished: true };
  }
  if (!silent) return null;
  const { device: _, ...replacement } = wish;
  return { wish: { ...replacement, backend }, asWished: false };
}

/** What replaces a device that was lost: the default of its audio system. */
export function replacementOf(wish: DeviceWish, last: string | null): DeviceWish {
  const { device: _, ...rest } = wish;
  return { ...rest, backend: backendOf(wish, last) };
}

/** Whether two lists name the same devices, the same of them as default. */
export function sameDevices(a: readonly DeviceInfo[], b: readonly DeviceInfo[]): boolean {
  const keys = (list: readonly DeviceInfo[]) =>
    new Set(
      list.map(({ backend, device, name, isDefault }) =>
        JSON.stringify([backend, device, name, isDefault])
      ),
    );
  const [of, other] = [keys(a), keys(b)];
  return of.size === other.size && [...of].every((key) => other.has(key));
}
