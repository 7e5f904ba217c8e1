/**
 * `engine.*` and `view.hint`: greeting, subscriptions, the clock.
 *
 * @module
 */
import { z } from "zod";
import type { Topic } from "../../../engine/api.ts";
import { EngineError } from "../../../engine/errors.ts";
import { FrameSchema, IdSchema, ProjectSchema } from "../../../engine/pulse/schema.ts";
import { CLOSE, SERVER_LIMITS } from "../../limits.ts";
import { ms, nothing, revision } from "../../schema/base.ts";
import { OpenDeviceSchema } from "../../schema/device.ts";
import { TopicStatesSchema } from "../../schema/topics.ts";
import { AtReply, method, SERVER_CALLERS } from "../method.ts";

/** The protocol's version that this server speaks. */
export const PROTOCOL = 1 as const;

export const TOPICS = [
  "transport",
  "assets",
  "streams",
  "timeline",
  "jobs",
  "device",
  "library",
  "diagnostics",
  "meters",
] as const satisfies readonly Topic[];

const topics = z.array(z.enum(TOPICS)).min(1).max(TOPICS.length);

const hello = method({
  name: "engine.hello",
  summary: "Greets the engine and learns what it is; first.",
  params: z.strictObject({
    client: z.union([
      z.string().max(200),
      z.object({ name: z.string().max(200), version: z.string().max(200).optional() }),
    ]).optional(),
    protocol: z.int(),
    /** Of an earlier connection: who comes back is known again by its `requestId`s, merge keys and jobs. */
    clientId: IdSchema.refine((id) => !id.startsWith(SERVER_CALLERS), {
      error: `must not begin with ${SERVER_CALLERS}`,
    }).optional(),
  }),
  result: z.object({
    version: z.string(),
    protocol: z.literal(PROTOCOL),
    instanceId: z.string(),
    clientId: z.string(),
    ticket: z.string(),
    sampleRate: z.number(),
    device: OpenDeviceSchema.nullable(),
    kernels: z.record(z.string(), z.unknown()),
    capabilities: z.record(z.string(), z.unknown()),
    limits: z.record(z.string(), z.number()),
    project: ProjectSchema,
  }),
  errors: ["protocol.version"],
  run({ protocol, clientId }, { engine, client }) {
    if (protocol !== PROTOCOL) {
      client.closeAfterReply(CLOSE.protocol, `this engine speaks protocol ${PROTOCOL}`);
      throw new EngineError(
        "protocol.version",
        `Cannot speak protocol ${protocol}: this engine speaks ${PROTOCOL}`,
        { protocol, supported: [PROTOCOL] },
      );
    }
    if (clientId !== undefined) client.clientId = clientId;
    return new AtReply(() => ({
      version: engine.version,
      protocol: PROTOCOL as typeof PROTOCOL,
      instanceId: engine.instanceId,
      clientId: client.clientId,
      ticket: client.ticket,
      sampleRate: engine.sampleRate,
      device: engine.devices.current(),
      kernels: { ...engine.kernels },
      capabilities: { ...engine.capabilities },
      limits: { ...SERVER_LIMITS, ...engine.limits },
      project: engine.projects.current(),
    }));
  },
});

const subscribe = method({
  name: "engine.subscribe",
  summary:
    "Hears of topics from here on; each topic's state at this point of the queue is the answer.",
  params: z.strictObject({ topics, sinceRevision: revision.optional() }),
  result: z.object({ state: TopicStatesSchema }),
  run({ topics, sinceRevision }, { engine, client }) {
    const answer = new AtReply(() => {
      const state: Partial<Record<Topic, unknown>> = {};
      for (const topic of topics) state[topic] = engine.topicState(topic, sinceRevision);
      for (const topic of topics) client.topics.add(topic);
      return { state: state as z.input<typeof TopicStatesSchema> };
    });
    // Just after a project was opened its assets are still being read.
    const reading = topics.includes("assets") ? engine.assets.whole() : null;
    return reading === null ? answer : reading.then(() => answer);
  },
});

const unsubscribe = method({
  name: "engine.unsubscribe",
  summary: "Hears of topics no more.",
  params: z.strictObject({ topics }),
  result: z.object({ state: TopicStatesSchema }),
  run({ topics }, { client }) {
    for (const topic of topics) client.topics.delete(topic);
    return { state: {} };
  },
});

const clock = method({
  name: "engine.clock",
  summary: "The engine's monotonic clock and the time of day of the same instant.",
  params: nothing,
  result: z.object({ timeMs: ms, unixMs: ms }),
  run: (_params, { engine }) => new AtReply(() => engine.clock()),
});

const viewHint = method({
  name: "view.hint",
  summary: "Says what the user may do next; steers prefetch. The latest of each client counts.",
  params: z.strictObject({
    selectedClipIds: z.array(IdSchema).max(10_000).optional(),
    cursorFrame: FrameSchema.optional(),
    visible: z.strictObject({ startFrame: FrameSchema, endFrame: FrameSchema }).optional(),
  }),
  result: nothing,
  run(hint, { engine, client }) {
    engine.viewHint(client, hint);
    return {};
  },
});

export const engineMethods = [hello, subscribe, unsubscribe, clock, viewHint];
