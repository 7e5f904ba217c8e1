// @ts-check
import { App } from "./app.js";
import { PulseClient } from "./client/client.js";
import { askForToken, takeToken } from "./ui/token_dialog.js";

const client = new PulseClient({
  url: new URL("/pulse", location.href.replace(/^http/, "ws")).href,
  name: "Aura page",
  token: takeToken(),
  topics: [
    "timeline",
    "transport",
    "assets",
    "jobs",
    "device",
    "library",
    "diagnostics",
    "meters",
    "streams",
  ],
});
askForToken(client);
const app = new App(client);
client.connect();

// For whoever opens the console, and for tests that need to know where something is drawn.
Object.assign(globalThis, { loophole: app });
