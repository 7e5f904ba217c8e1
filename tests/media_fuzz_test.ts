import { assert, assertEquals } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import { Scan } from "../engine/media/scan.ts";
import { makeAiff, makeW64, makeWav, randomPlanes, seededRandom } from "./support/audio_files.ts";
import { openScans, TemporaryFolder } from "./support/media.ts";
import { findOnPath } from "./needs.ts";

/** Small honest files of every kind of header. */
function seeds(): Uint8Array<ArrayBuffer>[] {
  const of = <E extends Parameters<typeof randomPlanes>[3]>(encoding: E, channels: number) => ({
    planes: randomPlanes(channels, channels, 500, encoding),
    encoding,
  });
  const list = { id: "LIST", body: new TextEncoder().encode("INFOISFT\x05\0\0\0words") };
  return [
    makeWav(of("s16", 2)),
    makeWav(of("u8", 1), { before: [list], after: [list], unpadded: true }),
    makeWav(of("s24", 3), { extensible: true, validBits: 20 }),
    makeWav(of("f32", 2), { container: "rf64", first: [list] }),
    makeWav(of("s32", 8), { container: "rifx" }),
    makeWav(of("f64", 1), { container: "bw64" }),
    makeW64(of("s24", 2)),
    makeAiff(of("s16", 2), { before: [list] }),
    makeAiff(of("s24", 1), { commonLast: true, offset: 4 }),
    makeAiff(of("f32", 2), { compression: "fl32" }),
    makeAiff(of("s16", 4), { compression: "sowt" }),
  ];
}

const EXTREMES = [0x00, 0x01, 0x7F, 0x80, 0xFE, 0xFF];

Deno.test("damaged headers: each opens whole or is refused with a reason, thousands of times", async () => {
  await using library = await openScans();
  await using folder = await TemporaryFolder.make();
  const random = seededRandom(20_260_101);
  const below = (n: number) => Math.floor(random() * n);
  const honest = seeds();
  const path = `${folder.path}/damaged`;
  const out = new Float32Array(8 * 1000);
  let opened = 0;
  const rounds = 4000;
  for (let round = 0; round < rounds; round++) {
    let bytes = honest[below(honest.length)].slice();
    for (let i = below(5); i >= 0; i--) {
      const at = below(Math.min(bytes.length, 160));
      if (below(8) === 0) bytes = bytes.slice(0, below(bytes.length + 1));
      else if (below(3) === 0) bytes.fill(EXTREMES[below(6)], at & ~3, (at & ~3) + 4);
      else if (at < bytes.length) bytes[at] = below(2) ? below(256) : bytes[at] ^ (1 << below(8));
    }
    Deno.writeFileSync(path, bytes);
    try {
      using scan = Scan.open(library, path);
      const { frames, channels, dataOffset, fileBytes } = scan.info;
      assert(frames >= 1 && channels >= 1 && channels <= 8 && dataOffset < fileBytes);
      assertEquals(fileBytes, bytes.length);
      const n = Math.min(frames, 1000);
      assertEquals(scan.read(frames - n, n, out), n);
      opened++;
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      assert(error.code === "asset.unreadable" || error.code === "asset.unsupported");
      assert(typeof error.details.reason === "string");
    }
  }
  assert(opened > rounds / 20 && opened < rounds, `${opened} opened`);
});

/** A compiler with both sanitizers, if there is one. */
const compiler = Deno.build.os === "linux" ? findOnPath("gcc") ?? findOnPath("clang") : undefined;

Deno.test({
  name: "the same in C under the address and undefined-behaviour sanitizers",
  ignore: compiler === undefined,
  async fn() {
    await using folder = await TemporaryFolder.make();
    const native = new URL("../ffi/native/", import.meta.url).pathname;
    const program = `${folder.path}/pcm_fuzz`;
    const sources = [
      new URL("native/pcm_fuzz_main.c", import.meta.url).pathname,
      ...["pcm_file", "pcm_header_riff", "pcm_header_aiff", "pcm_convert", "pcm_part", "peaks"].map(
        (name) => `${native}${name}.c`,
      ),
    ];
    const built = await new Deno.Command(compiler!, {
      args: [
        "-std=c11",
        "-D_GNU_SOURCE",
        "-DLP_NO_CLONES",
        "-g",
        "-O1",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-o",
        program,
        ...sources,
        "-lm",
      ],
    }).output();
    assert(built.success, new TextDecoder().decode(built.stderr));
    const files: string[] = [];
    for (const [i, bytes] of seeds().entries()) files.push(await folder.write(`${i}`, bytes));
    const result = await new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@"', program, "1", "20000", ...files],
    }).output();
    assert(
      result.success,
      new TextDecoder().decode(result.stderr) + new TextDecoder().decode(result.stdout),
    );
  },
});
