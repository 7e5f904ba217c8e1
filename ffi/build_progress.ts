/** One line on a terminal that grows as the work goes on, and is not there at all where nothing had to be done. */
export class Progress {
  readonly #title: string;
  readonly #write: (text: string) => void;
  #open = false;

  constructor(title: string, write: (text: string) => void = writeToStderr) {
    this.#title = title;
    this.#write = write;
  }

  /** Adds a step to the line. */
  step(text: string): void {
    this.#write(this.#open ? ` … ${text}` : `${this.#title}: ${text}`);
    this.#open = true;
  }

  /** Prints whole lines, such as a compiler's; the progress line goes on after them. */
  print(text: string): void {
    this.end();
    this.#write(text.endsWith("\n") ? text : text + "\n");
  }

  /** Ends the line, if one was begun. */
  end(): void {
    if (this.#open) this.#write("\n");
    this.#open = false;
  }
}

function writeToStderr(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let done = 0; done < bytes.length;) done += Deno.stderr.writeSync(bytes.subarray(done));
}
