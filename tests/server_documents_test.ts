/** `/openapi.json` and `/openrpc.json`: whole, consistent, and of what is really served. */
import { assert, assertEquals, assertMatch } from "@std/assert";
// deno-lint-ignore no-import-prefix
import schemaOfSchemas from "npm:@json-schema-tools/meta-schema@1.8.0";
// deno-lint-ignore no-import-prefix
import schemaOfOpenRpc from "npm:@open-rpc/meta-schema@1.14.9";
// deno-lint-ignore no-import-prefix
import { Validator } from "npm:@seriousme/openapi-schema-validator@2.11.0";
// deno-lint-ignore no-import-prefix
import { Ajv } from "npm:ajv@8.20.0";
// deno-lint-ignore no-import-prefix
import addFormats from "npm:ajv-formats@3.0.1";
import { METHODS } from "../server/rpc/methods.ts";
import { DocumentSchemas } from "./support/json_schema.ts";
import { startServer } from "./support/server_client.ts";

// deno-lint-ignore no-explicit-any
type Json = any;

/** Every value in a document, with its place. */
function* walk(value: Json, place = "#"): Generator<[string, Json]> {
  yield [place, value];
  if (typeof value !== "object" || value === null) return;
  for (const [key, member] of Object.entries(value)) yield* walk(member, `${place}/${key}`);
}

/** References of a document lead somewhere, and every schema is made of words that JSON Schema has. */
function checkReferences(document: Json): void {
  let references = 0;
  for (const [place, value] of walk(document)) {
    if (typeof value?.$ref !== "string") continue;
    references++;
    const target = value.$ref.replace(/^#\//, "").split("/")
      .reduce((at: Json, key: string) => at?.[key], document);
    assert(target !== undefined, `${place} refers to ${value.$ref}, which is not there`);
  }
  assert(references > 10);
}

async function load(path: string): Promise<Json> {
  await using test = await startServer();
  const answer = await fetch(test.url + path);
  assertEquals(answer.headers.get("content-type"), "application/json");
  return await answer.json();
}

Deno.test("/openapi.json is OpenAPI 3.1 of every route of this issue", async () => {
  const document = await load("/openapi.json");
  assertMatch(document.openapi, /^3\.1\.\d$/);
  assertEquals([typeof document.info.title, typeof document.info.version], ["string", "string"]);
  assertEquals(Object.keys(document.paths).sort(), [
    "/aura/assets/{assetId}/audio",
    "/aura/assets/{assetId}/peaks",
    "/aura/assets/{assetId}/thumbnail.svg",
    "/aura/assets/{assetId}/waveform.dat",
    "/aura/assets/{assetId}/waveform.json",
    "/aura/assets/{assetId}/wavesurfer.json",
    "/aura/exports/{path}",
    "/aura/library/{name}",
    "/aura/readiness",
    "/health",
    "/metrics",
    "/openapi.json",
    "/openrpc.json",
  ]);
  const ids = new Set<string>();
  for (const [path, item] of Object.entries<Json>(document.paths)) {
    for (const operation of Object.values<Json>(item)) {
      assert(!ids.has(operation.operationId));
      ids.add(operation.operationId);
      const inPath = operation.parameters.filter((one: Json) => one.in === "path");
      assertEquals(
        inPath.map(({ name, required }: Json) => [name, required]),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => [name, true]),
      );
      for (const { schema, name } of operation.parameters) assert(schema, `${path} ${name}`);
      const statuses = Object.keys(operation.responses);
      assert(statuses.some((status) => status.startsWith("2")), path);
      for (const status of [400, 401, 403, 404, 409, 413, 421, 503]) {
        assert(statuses.includes(String(status)), `${path} ${status}`);
      }
      for (const answer of Object.values<Json>(operation.responses)) {
        assertEquals(typeof answer.description, "string");
        for (const content of Object.values<Json>(answer.content ?? {})) {
          assert(content.schema, path);
        }
      }
    }
  }
  checkReferences(document);
  const peaks = document.paths["/aura/assets/{assetId}/peaks"].get;
  const width = peaks.parameters.find(({ name }: Json) => name === "width");
  assertEquals([width.schema.type, width.schema.maximum], ["integer", 8_192]);
});

Deno.test("/openrpc.json is OpenRPC of the method table, with notifications", async () => {
  const document = await load("/openrpc.json");
  assertMatch(document.openrpc, /^1\.\d\.\d$/);
  assertEquals(document.methods.map(({ name }: Json) => name), [...METHODS.keys()]);
  for (const method of [...document.methods, ...document["x-notifications"]]) {
    assertEquals(method.paramStructure, "by-name", method.name);
    let isOptional = false;
    for (const { name, schema, required } of method.params) {
      assertEquals([typeof name, typeof schema], ["string", "object"], method.name);
      // OpenRPC wants those that must be there first.
      assert(!(isOptional && required), method.name);
      isOptional ||= !required;
    }
  }
  for (const { name, result, errors } of document.methods) {
    assert(result.schema && result.name, name);
    for (const { code, message } of errors) {
      assertEquals([typeof code, typeof message], ["number", "string"]);
    }
  }
  checkReferences(document);
  const edit = document.methods.find(({ name }: Json) => name === "timeline.edit");
  assertEquals(edit.params[0].name, "edits");
  const ops = document.components.schemas.Edit.oneOf ?? document.components.schemas.Edit.anyOf;
  assertEquals(ops.length, 19);
});

Deno.test("/openrpc.json validates against OpenRPC's own meta-schema", async () => {
  const document = await load("/openrpc.json");
  const ajv = new Ajv({ strict: false });
  addFormats.default(ajv);
  // Their own words for draft 7, by which they refer to schemas.
  const { $schema: _, ...schemas } = (schemaOfSchemas as Json).jsonSchema;
  const { $schema: __, ...meta } = (schemaOfOpenRpc as Json).openrpcDocument;
  ajv.addSchema(schemas);
  ajv.addSchema({ $ref: schemas.$id }, schemas.$id.replace(/\/$/, ""));
  const check = ajv.compile(meta);
  const isValid = (value: unknown): boolean => check(value);
  assert(isValid(document), ajv.errorsText(check.errors));
  // It does refuse what is none.
  assert(!isValid({ ...document, methods: [{ name: "x", params: [{ name: "y" }] }] }));
  assert(!isValid({ ...document, openrpc: "7.0.0" }));
});

Deno.test("/openapi.json validates against OpenAPI 3.1's own schema", async () => {
  const document = await load("/openapi.json");
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  assertEquals([result.valid, result.errors], [true, undefined]);
  assertEquals(validator.version, "3.1");
  delete document.info.title;
  assertEquals((await new Validator().validate(document)).valid, false);
});

Deno.test("every schema in the documents is one by the strictest reading of JSON Schema 2020-12", async () => {
  const rpc = await load("/openrpc.json");
  const schemas = new DocumentSchemas(rpc);
  for (const { name, params, result } of [...rpc.methods, ...rpc["x-notifications"]]) {
    schemas.compileParams(params);
    if (result === undefined) continue;
    assert(schemas.compile(result.schema)(undefined).length > 0, `${name} answers something`);
  }
  const http = await load("/openapi.json");
  const answers = new DocumentSchemas(http);
  let count = 0;
  for (const [place, value] of walk(http.paths)) {
    if (!place.endsWith("/schema")) continue;
    answers.compile(value);
    count++;
  }
  assert(count > 100, `${count} schemas`);
});

Deno.test("the methods are those of API.md that are there so far, and no others", () => {
  const names = [
    "engine.hello engine.subscribe engine.unsubscribe engine.clock view.hint",
    "project.list project.create project.open project.saveAs library.list",
    "asset.register asset.get asset.list asset.remove",
    "asset.previewPeaks asset.stopPreview asset.previewWaveform",
    "timeline.get timeline.set timeline.edit timeline.undo timeline.redo timeline.history",
    "timeline.importCap timeline.importOtio timeline.exportOtio timeline.exportEdl",
    "transport.get transport.play transport.pause transport.stop transport.seek transport.setLoop",
    "stream.start stream.stop clipWindow.request clipWindow.release render.mixdown render.requestClipGhost job.list job.get job.cancel device.list device.open",
    "diagnostics.get diagnostics.reset diagnostics.underruns",
  ];
  assertEquals([...METHODS.keys()].sort(), names.join(" ").split(" ").sort());
});
