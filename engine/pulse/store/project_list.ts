/**
 * The projects that this engine knows, the latest opened first.
 *
 * @module
 */
import type { DatabaseSync } from "node:sqlite";
import type { Project } from "../types.ts";

export class ProjectList {
  constructor(private readonly database: DatabaseSync) {}

  list(): Project[] {
    return this.database.prepare("SELECT * FROM project ORDER BY opened_ms DESC").all().map(
      projectOf,
    );
  }

  find(projectId: string): Project | undefined {
    const row = this.database.prepare("SELECT * FROM project WHERE project_id = ?").get(projectId);
    return row === undefined ? undefined : projectOf(row);
  }

  /** It was opened now, or its revision has grown. A file that was copied by hand takes the place of the one whose id it has. */
  put({ projectId, name, path, revision }: Project): void {
    this.database.prepare("DELETE FROM project WHERE path = ? AND project_id <> ?").run(
      path,
      projectId,
    );
    this.database.prepare("INSERT OR REPLACE INTO project VALUES (?, ?, ?, ?, ?)").run(
      projectId,
      name,
      path,
      revision,
      this.#now(),
    );
  }

  /** Later than all before, also within a millisecond and where the clock was put back: the order is what counts. */
  #now(): number {
    const { last } = this.database.prepare("SELECT max(opened_ms) AS last FROM project").get()!;
    return Math.max(Date.now(), Number(last ?? 0) + 1);
  }

  remove(projectId: string): void {
    this.database.prepare("DELETE FROM project WHERE project_id = ?").run(projectId);
  }
}

function projectOf(row: Record<string, unknown>): Project {
  return {
    projectId: row.project_id as string,
    name: row.name as string,
    path: row.path as string,
    revision: Number(row.revision),
  };
}
