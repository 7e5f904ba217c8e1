/**
 * `device.*` and `diagnostics.*`.
 *
 * @module
 */
import { z } from "zod";
import { nothing } from "../../schema/base.ts";
import { BackendSchema, DeviceInfoSchema, OpenDeviceSchema } from "../../schema/device.ts";
import { DiagnosticsSchema, UnderrunSchema } from "../../schema/diagnostics.ts";
import { method } from "../method.ts";

const list = method({
  name: "device.list",
  summary: "The output devices that could be opened.",
  params: nothing,
  result: z.object({ devices: z.array(DeviceInfoSchema) }),
  run: async (_params, { engine }) => ({ devices: await engine.devices.list() }),
});

const open = method({
  name: "device.open",
  summary: "Opens another device, or the same one differently.",
  params: z.strictObject({
    backend: BackendSchema.optional(),
    device: z.string().min(1).max(1_000).optional(),
    period: z.int().min(16).max(16_384).optional(),
  }),
  result: z.object({ device: OpenDeviceSchema }),
  errors: ["device.unavailable"],
  run: async (params, { engine }) => ({ device: await engine.devices.open(params) }),
});

const get = method({
  name: "diagnostics.get",
  summary: "Counters and histograms, since this client's last reset.",
  params: nothing,
  result: DiagnosticsSchema,
  run: (_params, { engine, client }) =>
    engine.diagnostics.get(client) as z.input<typeof DiagnosticsSchema>,
});

const reset = method({
  name: "diagnostics.reset",
  summary: "Begins this client's counting anew.",
  params: nothing,
  result: nothing,
  run(_params, { engine, client }) {
    engine.diagnostics.reset(client);
    return {};
  },
});

const underruns = method({
  name: "diagnostics.underruns",
  summary: "The gaps that were heard, oldest first.",
  params: z.strictObject({
    afterId: z.int().min(0).optional(),
    limit: z.int().min(1).max(10_000).optional(),
  }),
  result: z.object({ underruns: z.array(UnderrunSchema), total: z.int() }),
  run: (params, { engine }) =>
    engine.diagnostics.underruns(params) as {
      underruns: z.input<typeof UnderrunSchema>[];
      total: number;
    },
});

export const deviceMethods = [list, open, get, reset, underruns];
