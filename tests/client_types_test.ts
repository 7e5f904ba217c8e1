/** The typed client's types are those of the schemas, and catch what is wrong before it is sent. */
import { assertEquals } from "@std/assert";
import type { z } from "zod";
import type { EditResult, LibraryListing, OpenDevice } from "../engine/api.ts";
import type {
  Asset,
  Changes,
  Edit,
  Job,
  Project,
  Timeline,
  Transport,
} from "../engine/pulse/types.ts";
import { CLIENT_TYPES, toClientTypes } from "../server/rpc/client_types.ts";
import type { DECLARED } from "../server/rpc/methods.ts";
import type { NOTIFICATIONS } from "../server/rpc/notifications.ts";
import { toType } from "../server/schema/to_types.ts";
import * as binary from "../server/web/client/binary.js";
import * as made from "../server/web/client/client.js";
import * as clock from "../server/web/client/clock.js";
import * as connecting from "../server/web/client/connect.js";
import * as emitter from "../server/web/client/emitter.js";
import * as engineView from "../server/web/client/engine_view.js";
import * as errors from "../server/web/client/errors.js";
import * as mirror from "../server/web/client/mirror.js";
import * as declared from "../server/web/client/mod.js";
import type { PulseClient } from "../server/web/client/mod.js";
import * as playhead from "../server/web/client/playhead.js";
import * as trackClips from "../server/web/client/track_clips.js";
import type * as words from "../server/web/client/interface.ts";

type Declared = (typeof DECLARED)[number];
type Of<N> = Extract<Declared, { name: N }>;
type Told<N> = Extract<(typeof NOTIFICATIONS)[number], { name: N }>;
type Fits<A, B> = [A] extends [B] ? true : false;
type Same<A, B> = Fits<A, B> & Fits<B, A>;
/** Names of those that differ: none may. */
type Differing<Names extends string, Are extends Record<Names, unknown>> = {
  [N in Names]: Are[N] extends true ? never : N;
}[Names];
const none = <_Names extends never>() => {};

// Nothing of this runs: `deno check` is what proves it.
none<
  Differing<
    words.MethodName,
    {
      [N in words.MethodName]: Same<words.Methods[N]["params"], z.input<Of<N>["params"]>>;
    }
  >
>();
none<
  Differing<
    words.MethodName,
    {
      [N in words.MethodName]: Same<words.Methods[N]["result"], z.output<Of<N>["result"]>>;
    }
  >
>();
none<
  Differing<
    words.NotificationName,
    {
      [N in words.NotificationName]: Same<words.Notifications[N], z.output<Told<N>["params"]>>;
    }
  >
>();
none<Exclude<Declared["name"], words.MethodName>>();
none<Exclude<(typeof NOTIFICATIONS)[number]["name"], words.NotificationName>>();
/** The words of the embedding interface are the same words. */
interface Twins {
  asset: Same<Asset, words.Asset>;
  changes: Same<Changes, words.Changes>;
  edit: Same<Edit, words.Edit>;
  job: Same<Job, words.Job>;
  project: Same<Project, words.Project>;
  timeline: Same<Timeline, words.Timeline>;
  transport: Same<Transport, words.Transport>;
  device: Same<OpenDevice, words.OpenDevice>;
  listing: Same<LibraryListing, words.Result<"library.list">>;
  result: Same<EditResult, words.Result<"timeline.edit">>;
}
none<Differing<keyof Twins, { [N in keyof Twins]: Twins[N] }>>();

/** What is there, by the types that the code has and by those that are declared to users. */
const real = {
  ...binary,
  PulseClient: made.PulseClient,
  ...clock,
  ...connecting,
  ...emitter,
  ...engineView,
  ...errors,
  ...mirror,
  ...playhead,
  ...trackClips,
};
const _isAsDeclared: typeof declared = real;

/** What a user of the client writes: right ones check, wrong ones do not. */
export async function uses(client: PulseClient) {
  const { asset } = await client.call("asset.register", { path: "/a.wav" });
  const { results } = await client.call("asset.register", { paths: ["/a.wav"] });
  const frames: number = asset.lengthSamples + results.length;
  await client.call("timeline.edit", {
    edits: [
      { op: "track.add", track: { trackId: "t", clips: [] } },
      { op: "clip.set", clipId: "c", set: { name: null, gainDb: -3 } },
    ],
    requestId: "r",
  });
  await client.call("transport.play");
  await client.call("transport.play", { fromFrame: frames });
  client.on("timeline.changed", ({ changes }) => changes.clips.map(({ trackId }) => trackId));
  client.on("meters", ({ master }) => master.peak[0].toFixed());
  client.on("sync", ({ topics }) => topics.transport?.loop.enabled);
  // @ts-expect-error a method that is not there
  await client.call("timeline.cut", {});
  // @ts-expect-error an op that is not there
  await client.call("timeline.edit", { edits: [{ op: "clip.cut", clipId: "c" }] });
  // @ts-expect-error a member that the op does not have
  await client.call("timeline.edit", { edits: [{ op: "clip.remove", clip: "c" }] });
  // @ts-expect-error a frame is a number
  await client.call("transport.seek", { positionFrame: "1" });
  // @ts-expect-error params that must be given
  await client.call("transport.seek");
  // @ts-expect-error a member that is misspelt
  await client.call("transport.play", { formFrame: 1 });
  // @ts-expect-error either one path or several
  await client.call("asset.register", { path: "/a.wav", paths: ["/b.wav"] });
  // @ts-expect-error a notification that is not there
  client.on("timeline.chnged", () => {});
  // @ts-expect-error a member that the result does not have
  (await client.call("transport.get")).position;
}

Deno.test("mod.js exports what mod.d.ts declares, and nothing else", () => {
  assertEquals({ ...declared }, real as typeof declared);
});

Deno.test("the client's types are those that the schemas give now", async () => {
  assertEquals(
    await Deno.readTextFile(CLIENT_TYPES),
    toClientTypes(),
    "run deno task types after a change of schemas",
  );
});

Deno.test("toType() writes each form of a schema as TypeScript has it", () => {
  const object = { type: "object", properties: { a: {}, b: { type: "null" } }, required: ["b"] };
  assertEquals(toType(object), "{ a?: unknown; b: null; }");
  assertEquals(toType({ ...object, additionalProperties: {} }).includes("[name: string]"), true);
  assertEquals(toType({ type: "object", additionalProperties: false }), "Record<string, never>");
  assertEquals(
    toType({ type: "object", additionalProperties: { type: "integer" } }),
    "Record<string, number>",
  );
  assertEquals(toType({ type: "array", items: { type: ["string", "null"] } }), "(string | null)[]");
  assertEquals(toType({ prefixItems: [{ type: "number" }, { const: "x" }] }), '[number, "x"]');
  assertEquals(
    toType({ anyOf: [{ enum: [1, "a"] }, { $ref: "#/components/schemas/Clip" }] }),
    '1 | "a" | Clip',
  );
});
