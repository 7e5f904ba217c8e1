import { assertEquals, assertThrows } from "@std/assert";
import { EngineError, InvalidParams } from "../engine/errors.ts";
import { existingExport, exportTarget, requireFree } from "../engine/pulse/services/export_path.ts";

async function setUp() {
  const root = Deno.realPathSync(await Deno.makeTempDir());
  const folder = `${root}/exports`;
  Deno.mkdirSync(`${folder}/sub`, { recursive: true });
  Deno.mkdirSync(`${root}/elsewhere`);
  return { root, folder, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

function link(target: string, path: string): void {
  const { success } = new Deno.Command("sh", { args: ["-c", 'ln -s "$0" "$1"', target, path] })
    .outputSync();
  assertEquals(success, true);
}

const code = (fn: () => unknown) => assertThrows(fn, EngineError).code;

Deno.test("an export lands under the export folder and nowhere else", async () => {
  await using place = await setUp();
  const { folder, root } = place;
  assertEquals(exportTarget(folder, "a.wav").path, `${folder}/a.wav`);
  assertEquals(exportTarget(folder, "new/deep/a.wav").relativePath, "new/deep/a.wav");
  assertEquals(exportTarget(folder, `${folder}/sub/a.wav`).relativePath, "sub/a.wav");
  assertEquals(exportTarget(folder, "sub/../a.wav").relativePath, "a.wav");
  for (const path of ["../a.wav", "/etc/a.wav", `${root}/exportsX/a.wav`, "sub/../../a.wav"]) {
    assertEquals(code(() => exportTarget(folder, path)), "export.outside", path);
  }
  for (const path of ["", ".", ".hidden.wav", "a/.b/c.wav", "x\0.wav", "x".repeat(256) + ".wav"]) {
    assertThrows(() => exportTarget(folder, path), InvalidParams, undefined, path);
  }
});

Deno.test("links do not lead an export out of its folder", async () => {
  await using place = await setUp();
  const { folder, root } = place;
  link(`${root}/elsewhere`, `${folder}/out`);
  link(`${root}/nowhere`, `${folder}/dangling`);
  link(`${folder}/sub`, `${folder}/inside`);
  Deno.writeTextFileSync(`${folder}/file`, "");
  assertEquals(code(() => exportTarget(folder, "out/a.wav")), "export.outside");
  assertEquals(code(() => exportTarget(folder, "dangling/a.wav")), "export.outside");
  assertEquals(code(() => exportTarget(folder, "dangling/b/a.wav")), "export.outside");
  assertEquals(code(() => exportTarget(folder, "file/a.wav")), "export.outside");
  assertEquals(exportTarget(folder, "inside/a.wav").path, `${folder}/sub/a.wav`);
});

Deno.test("what is there is kept unless overwriting was asked for; a folder always", async () => {
  await using place = await setUp();
  const { folder } = place;
  Deno.writeTextFileSync(`${folder}/a.wav`, "old");
  Deno.mkdirSync(`${folder}/b.wav`);
  requireFree(exportTarget(folder, "new.wav"), false);
  requireFree(exportTarget(folder, "a.wav"), true);
  assertEquals(code(() => requireFree(exportTarget(folder, "a.wav"), false)), "export.exists");
  assertEquals(code(() => requireFree(exportTarget(folder, "b.wav"), true)), "export.exists");
});

Deno.test("only whole files of the export folder can be fetched", async () => {
  await using place = await setUp();
  const { folder, root } = place;
  Deno.writeTextFileSync(`${folder}/sub/a.wav`, "x");
  Deno.writeTextFileSync(`${root}/secret`, "x");
  link(`${root}/secret`, `${folder}/secret.wav`);
  assertEquals(existingExport(folder, "sub/a.wav").path, `${folder}/sub/a.wav`);
  assertEquals(code(() => existingExport(folder, "b.wav")), "asset.notFound");
  assertEquals(code(() => existingExport(folder, "sub")), "asset.notFound");
  assertEquals(code(() => existingExport(folder, "secret.wav")), "export.outside");
  assertEquals(code(() => existingExport(folder, "../secret")), "export.outside");
});
