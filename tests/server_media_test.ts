/** What a user is told about files that are broken in part, and about files that cannot be read: through the server, word for word. */
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { EngineError } from "../engine/errors.ts";
import { findHead } from "../engine/files/head.ts";
import { Scan } from "../engine/media/scan.ts";
import { makeWav } from "./support/audio_files.ts";
import { ffmpeg, music } from "./support/compressed_files.ts";
import { Home } from "./support/engine_process.ts";
import { makeFlac } from "./support/flac_writer.ts";
import { type Heard, TestClient } from "./support/server_client.ts";
import { FIXTURES, HAS_FIXTURES, openScans } from "./support/media.ts";
import { needs } from "./needs.ts";

/** Time for an import on a busy machine, in milliseconds. */
const PATIENCE_MS = 60_000;

/** A file of 100 frames of 1,000 samples at 48 kHz, of which some are broken. */
function brokenFlac(frames: readonly number[]): Uint8Array<ArrayBuffer> {
  const plane = Array.from({ length: 100_000 }, (_, i) => Math.round(Math.sin(i / 40) * 9_000));
  const { bytes, offsets } = makeFlac({
    planes: [plane],
    bits: 16,
    frames: Array.from({ length: 100 }, () => ({ block: 1_000 })),
  });
  for (const frame of frames) bytes[offsets[frame] + 100] ^= 0x10;
  return bytes;
}

async function connect(url: string): Promise<TestClient> {
  const client = await TestClient.connect(url);
  await client.call("engine.hello", { protocol: 1 });
  await client.call("engine.subscribe", { topics: ["assets", "jobs"] });
  return client;
}

const told = (client: TestClient): Heard[] =>
  client.messages().filter(({ method }) => method === "decode.error");

Deno.test("a file that is broken in part is told once, by the import or else by what plays it, with place, extent and consequence", async () => {
  await using home = await Home.make();
  const path = `${home.path}/music/broken.flac`;
  await Deno.writeFile(path, brokenFlac([50, 51, 52, 70]));
  const sound = `${home.path}/music/sound.flac`;
  await Deno.writeFile(sound, brokenFlac([]));
  const mixdown = async (client: TestClient, name: string) => {
    const params = { path: name, container: "wav", sampleFormat: "s16" };
    const { result } = await client.call("render.mixdown", params);
    const { params: { job } } = await client.until(
      ({ method, params }) => method === "job.finished" && params.job.jobId === result.jobId,
      PATIENCE_MS,
    );
    assertEquals(job.state, "done", JSON.stringify(job));
  };
  {
    const engine = home.start();
    await using client = await connect(await engine.ready());
    const { result: { results } } = await client.call("asset.register", { paths: [path, sound] });
    const { assetId } = results[0].asset;
    const { params } = await client.until(
      ({ method }) => method === "decode.error",
      PATIENCE_MS,
    );
    assertEquals(params, {
      assetId,
      code: "asset.damaged",
      message:
        `Cannot decode all of "${path}": 2 runs of samples are broken, the first at sample ` +
        `50000 (0:01.042), 4000 samples (0.083 s) together; they are silence in their places. ` +
        `Get the file again from where it came`,
    });
    await client.call("timeline.edit", {
      edits: [
        { op: "track.add", track: { trackId: "t" } },
        {
          op: "clip.add",
          trackId: "t",
          clip: { clipId: "c", assetId, startFrame: 0, lengthFrames: 100_000 },
        },
      ],
    });
    await mixdown(client, "one.wav");
    await client.until(
      ({ method, params }) =>
        method === "asset.changed" &&
        params.assets.some((a: { assetId: string; hash: unknown }) =>
          a.assetId === assetId && a.hash
        ),
      PATIENCE_MS,
    );
    await mixdown(client, "two.wav");
    // News of another file comes after all that was to be said of this one.
    const late = `${home.path}/music/late.flac`;
    await Deno.writeFile(late, brokenFlac([7]));
    await client.call("asset.register", { path: late });
    await client.until(
      ({ method, params }) => method === "decode.error" && params.message.includes(late),
      PATIENCE_MS,
    );
    assertEquals(told(client).length, 2);
    assertEquals((await engine.stop()).code, 0);
  }
  // The peaks are in the cache now, so nobody reads the file until it is about to sound. Whoever comes later finds it with the asset.
  const engine = home.start();
  const url = await engine.ready();
  await using client = await connect(url);
  const asset = async (client: TestClient) => {
    const { result } = await client.call("asset.list", {});
    return result.assets.find((asset: { path: string }) => asset.path === path);
  };
  assertEquals((await asset(client)).complete, true);
  await mixdown(client, "three.wav");
  if ((await asset(client)).decodeError === undefined) {
    await client.until(({ method }) => method === "decode.error", PATIENCE_MS);
  }
  await using late = await connect(url);
  const { decodeError } = await asset(late);
  assertEquals(decodeError?.code, "asset.damaged");
  // As far as it was read when it was told.
  assertMatch(decodeError.message, /: at least (1 run|2 runs) of .* at sample [57]0000 /);
  // A file put right is another state: nothing is told of it; broken anew, it is told again.
  await Deno.writeFile(path, brokenFlac([]));
  await client.call("asset.register", { path });
  type Changed = { path: string; generation: number; decodeError?: unknown };
  await client.until(
    ({ method, params }) =>
      method === "asset.changed" &&
      params.assets.some((asset: Changed) =>
        asset.path === path && asset.generation > 0 && asset.decodeError === undefined
      ),
    PATIENCE_MS,
  );
  await Deno.writeFile(path, brokenFlac([5]));
  await client.call("asset.register", { path });
  const again = await client.until(
    ({ method, params }) => method === "decode.error" && params.message.includes(": 1 run of"),
    PATIENCE_MS,
  );
  assertMatch(
    again.params.message,
    /begins at sample 5000 \(0:00\.104\), 1000 samples \(0\.021 s\) long/,
  );
  assertEquals((await engine.stop()).code, 0);
});

Deno.test("a broken file of the library is told when it is listened to, before it is in any project", async () => {
  await using home = await Home.make();
  const path = `${home.path}/music/broken.flac`;
  await Deno.writeFile(path, brokenFlac([3]));
  const engine = home.start();
  await using client = await connect(await engine.ready());
  let entries: { assetId: string }[] = [];
  while (entries.length === 0) {
    entries = (await client.call("library.list", { path: `${home.path}/music` })).result.entries;
  }
  const [{ assetId }] = entries;
  const { error } = await client.call("stream.start", { assetId });
  assertEquals(error, undefined);
  const { params } = await client.until(({ method }) => method === "decode.error", PATIENCE_MS);
  assertEquals([params.assetId, params.code], [assetId, "asset.damaged"]);
  assertMatch(params.message, /: at least 1 run of broken samples begins at sample 3000 /);
  // Listening again is no news; an import is: it has read all of the file.
  await client.call("stream.start", { assetId });
  const { result } = await client.call("asset.register", { path });
  assertEquals(result.asset.assetId, assetId);
  const again = await client.until(
    ({ method, params }) => method === "decode.error" && !params.message.includes("at least"),
    PATIENCE_MS,
  );
  assertMatch(again.params.message, /: 1 run of broken samples begins at sample 3000 /);
  assertEquals(told(client).length, 2);
  assertEquals((await engine.stop()).code, 0);
});

Deno.test({
  name: "an MP3 with broken frames is told with the samples that are silence",
  ...needs("ffmpeg"),
  async fn() {
    await using home = await Home.make();
    const wav = `${home.path}/source.wav`;
    const planes = music(2, 96_000, 48_000);
    await Deno.writeFile(wav, makeWav({ planes, encoding: "f32", sampleRate: 48_000 }));
    const path = `${home.path}/music/broken.mp3`;
    await ffmpeg(["-i", wav, "-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", "0", path]);
    const bytes = await Deno.readFile(path);
    // Frames of 384 bytes, the first of which says how many there are. This one's side information asks for more values than there can be.
    bytes.fill(0xff, 384 * 41 + 4 + 3, 384 * 41 + 4 + 32);
    await Deno.writeFile(path, bytes);
    const engine = home.start();
    await using client = await connect(await engine.ready());
    await client.call("asset.register", { path });
    const { params } = await client.until(({ method }) => method === "decode.error", PATIENCE_MS);
    assertEquals(params.code, "asset.damaged");
    // 40 frames of 1,152 before it, less LAME's delay of 576 and the decoder's of 529.
    assertMatch(
      params.message,
      /1 run of broken samples begins at sample 44975 \(0:00\.937\), \d+ samples/,
    );
    assertEquals((await engine.stop()).code, 0);
  },
});

/** Frames of zeros after a header of MPEG audio. */
const mpeg = (header: number[], bytes: number) =>
  Uint8Array.from({ length: bytes * 12 }, (_, i) => header[i % bytes] ?? 0);

/** An Ogg page that begins a stream with one packet. */
function oggPage(packet: string): Uint8Array<ArrayBuffer> {
  const body = Uint8Array.from(packet, (c) => c.charCodeAt(0));
  const page = new Uint8Array(28 + body.length);
  page.set(new TextEncoder().encode("OggS"));
  page[5] = 2;
  page[26] = 1;
  page[27] = body.length;
  page.set(body, 28);
  let crc = 0;
  for (const byte of page) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc << 1 ^ (crc < 0 ? 0x04c11db7 : 0);
  }
  new DataView(page.buffer).setInt32(22, crc, true);
  return page;
}

Deno.test("what cannot be read is refused by what it is; Ogg files are listed as audio when they hold what is read", async () => {
  await using home = await Home.make();
  const text = (words: string) => new TextEncoder().encode(words.padEnd(600, " "));
  const flac = brokenFlac([]);
  const fourBits = flac.slice();
  fourBits[20] &= 0xfe; // 3 bits a sample: 5 bits of which the last four stand in the next byte.
  fourBits[21] = fourBits[21] & 0x0f | 0x20;
  const reserved = flac.slice();
  for (let i = 42; i + 3 < reserved.length; i++) {
    if (reserved[i] === 0xff && reserved[i + 1] === 0xf8) reserved[i + 3] |= 0x06;
  }
  const files: [name: string, bytes: Uint8Array, code: string, message: string][] = [
    [
      "layer2.mp3",
      mpeg([0xff, 0xfd, 0x84, 0], 384),
      "asset.unsupported",
      "it is MPEG audio of layer 2, of which only layer III is read",
    ],
    [
      "layer1.mp3",
      mpeg([0xff, 0xff, 0x84, 0], 256),
      "asset.unsupported",
      "it is MPEG audio of layer 1, of which only layer III is read",
    ],
    [
      "free.mp3",
      mpeg([0xff, 0xfb, 0x04, 0], 500),
      "asset.unsupported",
      "it is an MP3 without a bit rate (free format), which is not read",
    ],
    [
      "bits.flac",
      fourBits,
      "asset.unreadable",
      "its header gives 3 bits a sample, which its encoding cannot have",
    ],
    ["reserved.flac", reserved, "asset.unreadable", "it holds no samples that can be read"],
    [
      "vorbis.ogg",
      oggPage("\x01vorbis".padEnd(30, "\0")),
      "asset.unsupported",
      "it is Ogg Vorbis, which is not read yet; of Ogg files, those with FLAC are",
    ],
    [
      "a.opus",
      oggPage("OpusHead".padEnd(19, "\0")),
      "asset.unsupported",
      "it is Ogg Opus, which is not read yet; of Ogg files, those with FLAC are",
    ],
    [
      "a.m4a",
      text("\0\0\0\x20ftypM4A "),
      "asset.unsupported",
      "it is an MP4 or QuickTime file (AAC, ALAC …), which is not read yet; WAV, AIFF, FLAC and MP3 are",
    ],
    [
      "a.mka",
      Uint8Array.from([0x1a, 0x45, 0xdf, 0xa3, ...new Uint8Array(600)]),
      "asset.unsupported",
      "it is a Matroska or WebM file, which is not read yet; WAV, AIFF, FLAC and MP3 are",
    ],
    [
      "notes.wav",
      text("words, not sound"),
      "asset.unsupported",
      "its first bytes are of no audio format that is read",
    ],
  ];
  for (const [name, bytes] of files) await Deno.writeFile(`${home.path}/music/${name}`, bytes);
  const engine = home.start();
  await using client = await connect(await engine.ready());
  await client.call("engine.subscribe", { topics: ["library"] });
  for (const [name, , code, reason] of files) {
    const path = `${home.path}/music/${name}`;
    const { error } = await client.call("asset.register", { path });
    assertEquals([error?.data?.code, error?.message], [
      code,
      `Cannot read ${JSON.stringify(path)}: ${reason}`,
    ]);
  }
  const list = async () => {
    const { result } = await client.call("library.list", { path: `${home.path}/music` });
    return Object.fromEntries(
      result.entries.map(({ name, kind }: { name: string; kind: string }) => [name, kind]),
    );
  };
  const first = await list();
  assertEquals([first["a.opus"], first["a.m4a"], first["layer2.mp3"]], ["other", "other", "audio"]);
  await client.until(
    ({ method, params }) =>
      method === "library.changed" &&
      params.entries.some(({ name, kind }: { name: string; kind: string }) =>
        name === "vorbis.ogg" && kind === "other"
      ),
    PATIENCE_MS,
  );
  assertEquals((await list())["vorbis.ogg"], "other");
  assertEquals((await engine.stop()).code, 0);
});

Deno.test({
  name: "FLAC in Ogg is listed with its length, registered and analysed, under either ending",
  ...needs("ffmpeg"),
  async fn() {
    await using home = await Home.make();
    const wav = `${home.path}/source.wav`;
    const planes = music(2, 72_000, 48_000);
    await Deno.writeFile(wav, makeWav({ planes, encoding: "f32", sampleRate: 48_000 }));
    for (const name of ["a.oga", "b.ogg"]) {
      await ffmpeg(["-i", wav, "-c:a", "flac", "-f", "ogg", `${home.path}/music/${name}`]);
    }
    const engine = home.start();
    await using client = await connect(await engine.ready());
    await client.call("engine.subscribe", { topics: ["library"] });
    type Entry = { name: string; kind: string; durationSeconds?: number };
    const path = `${home.path}/music`;
    const { result } = await client.call("library.list", { path });
    assertEquals(result.entries.map(({ kind }: Entry) => kind), ["audio", "audio"]);
    for (const name of ["a.oga", "b.ogg"]) {
      if (result.entries.find((entry: Entry) => entry.name === name).durationSeconds !== 1.5) {
        await client.until(
          ({ method, params }) =>
            method === "library.changed" &&
            params.entries.some((entry: Entry) =>
              entry.name === name && entry.durationSeconds === 1.5
            ),
          PATIENCE_MS,
        );
      }
      const { result: { asset } } = await client.call("asset.register", {
        path: `${path}/${name}`,
      });
      assertEquals([asset.container, asset.codec, asset.lengthSamples], [
        "oggFlac",
        "flac",
        72_000,
      ]);
      await client.until(
        ({ method, params }) => method === "asset.ready" && params.assetIds.includes(asset.assetId),
        PATIENCE_MS,
      );
    }
    assertEquals((await engine.stop()).code, 0);
  },
});

Deno.test({
  name: "real Vorbis and Opus files are refused by name and listed as what they are",
  ignore: !HAS_FIXTURES,
  async fn() {
    await using library = await openScans();
    for (const [name, codec] of [["oga", "Vorbis"], ["opus", "Opus"]]) {
      const path = `${FIXTURES}test_file_stereo.${name}`;
      const error = assertThrows(() => Scan.open(library, path), EngineError);
      assertEquals([error.code, error.message], [
        "asset.unsupported",
        `Cannot read ${JSON.stringify(path)}: it is Ogg ${codec}, which is not read yet; ` +
        "of Ogg files, those with FLAC are",
      ]);
      const bytes = await Deno.readFile(path);
      const read = (at: number, n: number) => Promise.resolve(bytes.subarray(at, at + n));
      assertEquals(await findHead(read, bytes.length), "other");
    }
  },
});
