/**
 * Child of `device_quiet_test.ts`: lists and opens devices where no audio system answers, and prints what came of it as JSON.
 *
 * @module
 */
import { Signal } from "../../engine/signal/signal.ts";

await using signal = await Signal.open({ sampleRate: 48_000, memoryBytes: 1e6 });
const listed = (await signal.listDevices()).map(({ backend }) => backend);
const refused: string[] = [];
for (const backend of ["auto", "pulseaudio", "alsa", "jack"]) {
  await signal.openDevice({ backend }).then(() => {}, () => refused.push(backend));
}
console.log(JSON.stringify({ listed, refused }));
