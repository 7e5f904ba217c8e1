// @ts-check
/**
 * What a small user interface does with the client, the same in every runtime. It is handed the client's `connect`, and gives what it saw.
 *
 * @module
 */

/**
 * @param {typeof import("../../server/web/client/mod.js").connect} connect
 * @param {string} url
 * @param {import("../../server/web/client/mod.js").ConnectOptions} [options]
 */
export async function driveEngine(connect, url, options) {
  const { client, view } = await connect(url, { name: "drive", ...options });
  /** @type {string[]} */
  const causes = [];
  client.on("timeline.changed", ({ cause }) => void causes.push(cause));
  const clips = () => view.timeline.tracks[0].clips.all().map(({ clipId }) => clipId).join();
  const seen = [clips()];

  await client.call("transport.play", { fromFrame: 0 });
  while (view.playhead.at(performance.now()) < 4_800) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { positionFrame } = await client.call("transport.pause");
  const stands = view.playhead.at(performance.now()) === view.transport?.positionFrame &&
    positionFrame >= 4_800;

  await client.call("timeline.edit", {
    edits: [{ op: "segment.delete", clipId: "c0" }],
    requestId: "once",
  });
  seen.push(clips());
  await client.call("timeline.undo");
  seen.push(clips());

  const again = new Promise((resolve) => {
    client.on("connection", ({ state }) => state === "open" && resolve(undefined));
  });
  client.reconnect();
  await again;
  const repeated = await client.call("timeline.edit", {
    edits: [{ op: "segment.delete", clipId: "c0" }],
    requestId: "once",
  });
  seen.push(clips());

  const peaks = new Promise((resolve) => client.on("peaks", resolve));
  const { assets } = await client.call("asset.list", { limit: 1 });
  const [{ assetId, lengthSamples }] = assets;
  await client.call("asset.previewPeaks", {
    previews: [{ previewId: 7, assetId, start: 0, end: lengthSamples, width: 4 }],
    follow: true,
  });
  const { previewId, width, max } = await peaks;
  const refusal = await client.call("job.get", { jobId: "none" }).catch((error) => error.code);
  await client.close();
  return {
    seen,
    causes,
    stands,
    revision: repeated.revision,
    peaks: [previewId, width, max.length],
    refusal,
    isOpen: client.isOpen,
  };
}
