// @ts-check

/**
 * What is being dragged out of the media column: drop targets may only read the event's own data at the drop, and want to show its
 * length before that.
 *
 * @typedef {{ path: string, name: string, assetId?: string, durationSeconds?: number }} Dragged
 */

export const DRAG_TYPE = "application/x-loophole-media";

/** @type {Dragged | null} */
let current = null;

export function draggedMedia() {
  return current;
}

/**
 * @param {HTMLElement} element
 * @param {() => Dragged | null} describe
 */
export function draggable(element, describe) {
  element.draggable = true;
  element.addEventListener("dragstart", (event) => {
    current = describe();
    if (current === null || event.dataTransfer === null) return event.preventDefault();
    event.dataTransfer.effectAllowed = "copy";
    event.dataTransfer.setData(DRAG_TYPE, JSON.stringify(current));
    event.dataTransfer.setData("text/plain", current.name);
  });
  element.addEventListener("dragend", () => current = null);
}
