// @ts-check
import { h, icon } from "./dom.js";

/** @import { OfflineStatus } from "../client/types.js" */

const WORDS = {
  present: "Ready",
  missing: "Missing: the file is not where it was. It plays as silence until it returns.",
  cloud: "In the cloud: the file must be downloaded before it can be heard.",
  pending: "Not known yet: the file has not been looked at, or is on its way.",
};

/**
 * What a person should know about a file at a glance. A file that is simply there needs no sign.
 *
 * @param {OfflineStatus} status
 */
export function statusIcon(status) {
  if (status === "present") return null;
  const label = WORDS[status];
  return h(
    "span",
    { class: `status ${status}`, role: "img", "aria-label": label, title: label },
    icon(status),
  );
}
