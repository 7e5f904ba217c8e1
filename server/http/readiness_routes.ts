/**
 * `GET /aura/readiness`: where playback would begin at once.
 *
 * @module
 */
import { z } from "zod";
import { IdSchema } from "../../engine/pulse/schema.ts";
import { SERVER_LIMITS } from "../limits.ts";
import { revision } from "../schema/base.ts";
import { none, numberText, route } from "./route.ts";

const width = z.int().min(1).max(SERVER_LIMITS.peaksWidth);

/** The columns of all tracks. */
export const ReadinessSchema = z.strictObject({
  start: z.number(),
  end: z.number(),
  width,
  revision,
  tracks: z.array(z.strictObject({
    trackId: IdSchema,
    columns: z.string().regex(/^[ipo]*$/),
  })),
});

const readiness = route({
  method: "get",
  path: "/aura/readiness",
  operationId: "getReadiness",
  summary: "Where playback would begin at once: columns of [start, end) of the timeline, by track",
  params: none,
  query: z.strictObject({
    start: numberText(z.number()).optional(),
    end: numberText(z.number()).optional(),
    width: numberText(width).optional(),
  }),
  answers: {
    200: {
      description:
        "The tracks in the timeline's order, as things stand now; columns has a letter for each: i, instant: all that would sound there " +
        "is resident, or nothing would; p, pending: something of it must be read first; o, offline: a file is away or cannot be read, " +
        "so something would be silent",
      content: { "application/json": ReadinessSchema },
    },
  },
  async handle({ engine, query }) {
    const { start, end, width } = query;
    const answer = await engine.readiness({
      ...(start === undefined ? {} : { start }),
      ...(end === undefined ? {} : { end }),
      ...(width === undefined ? {} : { width }),
    });
    return Response.json(answer, { headers: { "cache-control": "no-store" } });
  },
});

/** The routes. */
export const readinessRoutes = [readiness];
