import { assertEquals } from "@std/assert";
import { encodeWaveformDat, encodeWaveformJson } from "../engine/media/waveform_data.ts";
import { waveformFromScan } from "../engine/media/waveform_values.ts";
import { Scan } from "../engine/media/scan.ts";
import { finish, FIXTURES, HAS_FIXTURES, openScans } from "./support/media.ts";

for (
  const { file, dat, split, bits } of [
    {
      file: "test_file_stereo.wav",
      dat: "test_file_stereo_8bit_64spp_wav.dat",
      split: false,
      bits: 8,
    },
    {
      file: "test_file_stereo.wav",
      dat: "test_file_stereo_16bit_64spp_wav.dat",
      split: false,
      bits: 16,
    },
    {
      file: "test_file_stereo.wav",
      dat: "test_file_2channel_8bit_64spp_wav.dat",
      split: true,
      bits: 8,
    },
    {
      file: "test_file_mono_float32.wav",
      dat: "test_file_mono_float32_8bit_64spp.dat",
      split: false,
      bits: 8,
    },
  ] as const
) {
  Deno.test({
    name: `waveform.dat of ${file} equals audiowaveform's ${dat} byte for byte`,
    ignore: !HAS_FIXTURES,
    async fn() {
      await using library = await openScans();
      using scan = Scan.open(library, FIXTURES + file);
      const values = finish(waveformFromScan(scan, { samplesPerPixel: 64, split }));
      const bytes = encodeWaveformDat(values, bits);
      assertEquals(bytes, Deno.readFileSync(FIXTURES + dat));
      const json = JSON.parse(new TextDecoder().decode(encodeWaveformJson(values, bits)));
      assertEquals(json.data.length, values.data.length);
      assertEquals(Object.keys(json), [
        "version",
        "channels",
        "sample_rate",
        "samples_per_pixel",
        "bits",
        "length",
        "data",
      ]);
    },
  });
}
