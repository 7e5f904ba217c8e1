/**
 * One connection's ordered queue of what is to be sent. What a client reads too slowly is coalesced where only the newest counts; what may not be
 * lost waits, up to a limit.
 *
 * @module
 */

/** Something to send. */
export interface Parcel {
  /** The message, or how to make it when its turn comes (made once, also for many connections). */
  data: string | Uint8Array | (() => string);
  /** Writes a large message in turns, once for all connections, while its place is kept ({@linkcode Outbox.reserve}); `data` says nothing then. */
  late?: () => Promise<string>;
  /** Of those that wait under one key only the newest is kept. */
  key?: string;
  /** What replaces `older`, which waits under the same key; this parcel alone if left out. */
  merge?: (older: Parcel) => Parcel;
}

/** Stands for a message that keeps its place in the queue while it is written. */
const UNWRITTEN = () => "";

/** Where parcels go. */
export interface Sink {
  send(data: string | Uint8Array): void;
  /** Bytes that were sent and have not left. */
  readonly waitingBytes: number;
}

/** Bytes under way from which on parcels wait in the outbox, where they can be coalesced. */
const UNDER_WAY_BYTES = 64 * 1024;

/** Ordered queue in front of a {@linkcode Sink}; {@linkcode Outbox.flush} is called whenever the sink has room. */
export class Outbox {
  readonly #sink: Sink;
  readonly #maxBytes: number;
  /** In order; `null` where a newer one took its place. */
  #queue: (Parcel | null)[] = [];
  #first = 0;
  /** Another one whenever all places of the queue were forgotten. */
  #places = {};
  /** Places of the queue that hold something. */
  #live = 0;
  readonly #byKey = new Map<string, number>();
  #bytes = 0;
  /** The one message that may wait although it is greater than the limit. */
  #giant: Parcel | null = null;

  /** @param maxBytes What may wait behind the message under way. */
  constructor(sink: Sink, maxBytes: number) {
    this.#sink = sink;
    this.#maxBytes = maxBytes;
  }

  /** Bytes (characters, for text) that wait here and may not be lost. */
  get waitingBytes(): number {
    return this.#bytes + (this.#giant === null ? 0 : sizeOf(this.#giant));
  }

  /**
   * Puts a parcel at the end of the queue and sends what can be sent.
   *
   * @returns `false` if too much waits: the client does not read, and the connection has to be closed. A reply may be greater than the
   * limit; one such message at a time is taken beside what else waits.
   */
  push(parcel: Parcel): boolean {
    if (parcel.key !== undefined) {
      parcel = this.#replaceOlder(parcel, parcel.key);
    } else {
      if (!this.#count(parcel)) return false;
    }
    if (parcel.key !== undefined) this.#byKey.set(parcel.key, this.#queue.length);
    this.#queue.push(parcel);
    this.#live++;
    this.flush();
    return true;
  }

  /**
   * Keeps a place at the end of the queue for a message that is still being written; what comes later waits behind it.
   *
   * @returns Puts the message in its place, and says as {@linkcode Outbox.push} whether too much waits. To be called once.
   */
  reserve(): (data: string) => boolean {
    const parcel: Parcel = { data: UNWRITTEN };
    const queue = this.#places;
    this.#queue.push(parcel);
    this.#live++;
    return (data) => {
      if (queue !== this.#places) return true; // All was forgotten meanwhile.
      parcel.data = data;
      // What is next and goes at once does not wait: a later message that was written first may be the one that is greater than the limit.
      const goes = this.#isNext(parcel) && this.#sink.waitingBytes < UNDER_WAY_BYTES;
      if (goes) this.#bytes += sizeOf(parcel);
      const fits = goes || this.#count(parcel);
      this.flush();
      return fits;
    };
  }

  #isNext(parcel: Parcel): boolean {
    while (this.#first < this.#queue.length && this.#queue[this.#first] === null) this.#first++;
    return this.#queue[this.#first] === parcel;
  }

  /** Sends while the sink has room. */
  flush(): void {
    while (this.#first < this.#queue.length && this.#sink.waitingBytes < UNDER_WAY_BYTES) {
      const parcel = this.#queue[this.#first];
      if (parcel?.data === UNWRITTEN) break;
      this.#queue[this.#first++] = null;
      if (parcel === null) continue;
      this.#live--;
      if (parcel.key !== undefined) this.#byKey.delete(parcel.key);
      else if (parcel === this.#giant) this.#giant = null;
      else this.#bytes -= sizeOf(parcel);
      this.#sink.send(typeof parcel.data === "function" ? parcel.data() : parcel.data);
    }
    this.#compact();
  }

  /** Forgets all that waits. */
  clear(): void {
    this.#queue = [];
    this.#places = {};
    this.#first = 0;
    this.#live = 0;
    this.#byKey.clear();
    this.#bytes = 0;
    this.#giant = null;
  }

  /** Counts what may not be lost; `false` if that is too much. */
  #count(parcel: Parcel): boolean {
    const bytes = sizeOf(parcel);
    if (bytes > this.#maxBytes && this.#giant === null) {
      this.#giant = parcel;
      return true;
    }
    if (this.#bytes + bytes > this.#maxBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  #replaceOlder(parcel: Parcel, key: string): Parcel {
    const at = this.#byKey.get(key);
    const older = at === undefined ? null : this.#queue[at];
    if (at === undefined || older === null) return parcel;
    this.#queue[at] = null;
    this.#live--;
    return parcel.merge?.(older) ?? parcel;
  }

  /** Places that are empty cost memory while a client does not read: they go when they are most of the queue. */
  #compact(): void {
    if (this.#first < 256 && this.#queue.length - this.#first < 2 * this.#live + 256) return;
    this.#queue = this.#queue.filter((parcel) => parcel !== null);
    this.#first = 0;
    this.#byKey.clear();
    this.#queue.forEach((parcel, i) => {
      if (parcel?.key !== undefined) this.#byKey.set(parcel.key, i);
    });
  }
}

function sizeOf({ data }: Parcel): number {
  // A parcel that is made late has a key, and is not counted.
  return typeof data === "function" ? 0 : data.length;
}
