import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Notification } from "../engine/api.ts";
import { EngineError } from "../engine/errors.ts";
import { Jobs, KEEP_MS, PROGRESS_MS, RUNNING } from "../engine/pulse/services/jobs.ts";
import type { Job } from "../engine/pulse/types.ts";

const caller = { clientId: "me" };

function setUp() {
  const notices: Notification[] = [];
  const clock = { now: 0 };
  const jobs = new Jobs((notice) => void notices.push(notice), () => clock.now);
  const methods = () => notices.map(({ method }) => method);
  return { jobs, notices, clock, methods };
}

Deno.test("a job's result is told once, to its own client too", async () => {
  const { jobs, notices, methods } = setUp();
  await using _ = jobs;
  const { jobId, state } = jobs.start("render.mixdown", caller, () => Promise.resolve(42));
  assertEquals(state, "queued");
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(methods(), ["job.progress", "job.finished", "render.finished"]);
  assert(notices.every(({ clientId }) => clientId === "me"));
  const job = jobs.get(jobId);
  assertEquals([job.state, job.progress, job.result], ["done", 1, 42]);
});

Deno.test("progress is told at most five times a second", async () => {
  const { jobs, clock, notices } = setUp();
  await using _ = jobs;
  jobs.start("test", caller, (task) => {
    for (let i = 1; i <= 100; i++) {
      clock.now += PROGRESS_MS / 10;
      task.progress(i / 100);
    }
    return Promise.resolve();
  });
  await new Promise((resolve) => setTimeout(resolve));
  const told = notices.filter(({ method }) => method === "job.progress");
  assertEquals(told.length, 1 + 10);
});

Deno.test("a cancelled job says so at once, and again after it has cleaned up", async () => {
  const { jobs, methods } = setUp();
  let cleaned = false;
  {
    await using _ = jobs;
    const { jobId } = jobs.start("test", caller, async (task) => {
      await new Promise((resolve) => task.signal.addEventListener("abort", resolve));
      await new Promise((resolve) => setTimeout(resolve, 5));
      cleaned = true;
      task.commit();
    });
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(jobs.cancel(jobId).state, "cancelled");
    assertEquals(methods().filter((method) => method === "job.finished").length, 1);
    assertEquals(cleaned, false);
  }
  assert(cleaned, "closing waits for it");
  assertEquals(methods().filter((method) => method === "job.finished").length, 1);
});

Deno.test("a job whose results are appearing can no longer be cancelled", async () => {
  const { jobs } = setUp();
  await using _ = jobs;
  const gate = Promise.withResolvers<void>();
  const { jobId } = jobs.start("test", caller, async (task) => {
    task.commit();
    await gate.promise;
  });
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(jobs.cancel(jobId).state, "running");
  gate.resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(jobs.get(jobId).state, "done");
});

Deno.test("a failure keeps its code", async () => {
  const { jobs } = setUp();
  await using _ = jobs;
  const own = jobs.start(
    "test",
    caller,
    () => Promise.reject(new EngineError("export.diskFull", "full", { path: "x" })),
  );
  const other = jobs.start("test", caller, () => Promise.reject(new TypeError("oops")));
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(jobs.get(own.jobId).error, {
    code: "export.diskFull",
    message: "full",
    details: { path: "x" },
  });
  assertEquals(jobs.get(other.jobId).error, { code: "internal", message: "oops" });
});

Deno.test("jobs wait in order while as many run as may", async () => {
  const { jobs } = setUp();
  await using _ = jobs;
  const gates = Array.from({ length: RUNNING + 1 }, () => Promise.withResolvers<void>());
  const ids = gates.map(({ promise }) => jobs.start("test", caller, () => promise).jobId);
  const states = () => ids.map((id) => jobs.get(id).state);
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(states(), ["running", "running", "queued"]);
  gates[0].resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(states(), ["done", "running", "running"]);
  for (const gate of gates) gate.resolve();
});

Deno.test("a finished job is kept for an hour", async () => {
  const { jobs, clock } = setUp();
  await using _ = jobs;
  const { jobId } = jobs.start("test", caller, () => Promise.resolve());
  await new Promise((resolve) => setTimeout(resolve));
  clock.now += KEEP_MS;
  assertEquals(jobs.list().map((job: Job) => job.jobId), [jobId]);
  clock.now += 1;
  assertEquals(jobs.list(), []);
  const error = assertThrows(() => jobs.get(jobId), EngineError);
  assertEquals(error.code, "job.notFound");
});
