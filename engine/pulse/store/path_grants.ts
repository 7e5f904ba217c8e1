/**
 * Files outside the library that a person named, kept with the project.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";

export class PathGrants {
  constructor(
    private readonly database: DatabaseSync,
    private readonly onChange: () => void = () => {},
  ) {}

  /** All resolved paths, in order. */
  list(): string[] {
    return this.database.prepare("SELECT path FROM path_grant ORDER BY path").all()
      .map((row) => row.path as string);
  }

  add(resolvedPath: string): void {
    this.database.prepare("INSERT OR IGNORE INTO path_grant (path) VALUES (?)").run(resolvedPath);
    this.onChange();
  }

  remove(resolvedPath: string): void {
    this.database.prepare("DELETE FROM path_grant WHERE path = ?").run(resolvedPath);
    this.onChange();
  }
}
