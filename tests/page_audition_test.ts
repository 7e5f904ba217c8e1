/** Listening to files of the library and the project beside the timeline, by pointer and keys. */
import { assertEquals, assertMatch } from "@std/assert";
import { needs } from "./needs.ts";
import { longWav } from "./support/media.ts";
import { RATE, Scene } from "./support/page_scene.ts";
import { TestClient } from "./support/server_client.ts";
import { until } from "./support/wait.ts";

Deno.test({
  name: "files of the library are listened to one after the other, beside the timeline",
  ...needs("chromium"),
  async fn() {
    await using scene = await Scene.open({
      async prepare({ path }) {
        for (const name of ["One", "Two"]) {
          await Deno.writeFile(`${path}/music/${name}.wav`, longWav(120 * RATE));
        }
        await Deno.writeTextFile(`${path}/music/Zero.wav`, "RIFF, and no sound at all");
      },
    });
    const { page } = scene;
    await using client = await TestClient.connect(scene.url);
    await client.call("engine.hello", { protocol: 1 });
    /** Assets that the engine plays beside the timeline. */
    const heard = async (): Promise<string[]> => {
      const { result } = await client.call("engine.subscribe", { topics: ["streams"] });
      return result.state.streams.streams.map(({ assetId }: { assetId: string }) => assetId);
    };
    const idOf = (name: string) =>
      client.call("library.list", { path: `${scene.home.path}/music` })
        .then(({ result }) =>
          result.entries.find((entry: { name: string }) => entry.name === name).assetId as string
        );
    const pressed = () =>
      page.evaluate<string[]>(`[...document.querySelectorAll(".listen[aria-pressed=true]")]
        .map(({ ariaLabel }) => ariaLabel)`);
    await page.until("document.querySelectorAll('#library .listen').length === 3");
    const [one, two] = [await idOf("One.wav"), await idOf("Two.wav")];

    await page.click('#library .listen[aria-label="Listen to One.wav"]');
    await until(async () => (await heard()).join() === one, "One is heard");
    assertEquals(await pressed(), ["Stop One.wav"]);
    await scene.screenshot("listening");
    // The next by key: it takes the other's place.
    await page.evaluate(`document.querySelector('#library [data-path$="One.wav"]').focus()`);
    await page.press("ArrowDown");
    await until(async () => (await heard()).join() === two, "Two is heard alone");
    assertEquals(await pressed(), ["Stop Two.wav"]);
    await page.press("ArrowRight");
    await until(async () => (await heard()).length === 0, "nothing is heard");
    assertEquals(await pressed(), []);
    await page.press("ArrowDown"); // Who does not listen goes on in silence.
    assertEquals(await pressed(), []);

    // What cannot be heard says why.
    await page.press("ArrowRight");
    await page.until("document.querySelectorAll('.notice').length === 1");
    assertMatch(
      await page.evaluate("document.querySelector('.notice-message').textContent"),
      /^Could not listen to Zero\.wav: its first bytes are/,
    );
    await page.until("loophole.audition.assetId === null");

    // A file of the project, from its menu.
    await page.click("#tab-assets");
    await page.until("document.querySelectorAll('#assets .asset').length === 3");
    await page.click("#assets .asset", { button: "right" });
    await page.click(".menu button:nth-child(1)");
    await page.until("document.querySelectorAll('#assets .asset.heard').length === 1");
    await until(async () => (await heard()).length === 1, "it is heard");
    assertEquals(await page.evaluate("loophole.session.transport.state"), "stopped");
    // It ends with its page.
    await page.goto("about:blank");
    await until(async () => (await heard()).length === 0, "nobody listens any more");
  },
});
