/**
 * `transport.*`: play, pause, stop, seek and loop, in the order sent. Each answers the transport as it then is.
 *
 * @module
 */
import { z } from "zod";
import { FrameSchema, LoopSchema, TransportSchema } from "../../../engine/pulse/schema.ts";
import { nothing } from "../../schema/base.ts";
import { method } from "../method.ts";

const ordered = true;

const get = method({
  name: "transport.get",
  summary: "Where playback stands.",
  params: nothing,
  result: TransportSchema,
  ordered,
  run: (_params, { engine }) => engine.transport.get(),
});

const play = method({
  name: "transport.play",
  summary: "Plays, from where the head stands or from fromFrame, to toFrame if that is given.",
  params: z.strictObject({ fromFrame: FrameSchema.optional(), toFrame: FrameSchema.optional() })
    .refine(
      ({ fromFrame, toFrame }) =>
        fromFrame === undefined || toFrame === undefined || toFrame > fromFrame,
      { path: ["toFrame"], message: "toFrame must be greater than fromFrame" },
    ),
  result: TransportSchema,
  ordered,
  errors: ["device.unavailable"],
  run: (params, { engine }) => engine.transport.play(params),
});

const pause = method({
  name: "transport.pause",
  summary: "Pauses; the head stays.",
  params: nothing,
  result: TransportSchema,
  ordered,
  run: (_params, { engine }) => engine.transport.pause(),
});

const stop = method({
  name: "transport.stop",
  summary: "Stops; the head returns to where play began.",
  params: nothing,
  result: TransportSchema,
  ordered,
  run: (_params, { engine }) => engine.transport.stop(),
});

const seek = method({
  name: "transport.seek",
  summary: "Moves the head.",
  params: z.strictObject({ positionFrame: FrameSchema }),
  result: TransportSchema,
  ordered,
  run: ({ positionFrame }, { engine }) => engine.transport.seek(positionFrame),
});

const setLoop = method({
  name: "transport.setLoop",
  summary: "Sets the loop's bounds and switches it on or off.",
  params: LoopSchema,
  result: TransportSchema,
  ordered,
  run: (loop, { engine }) => engine.transport.setLoop(loop),
});

export const transportMethods = [get, play, pause, stop, seek, setLoop];
