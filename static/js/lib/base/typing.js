// Whether a key press or a paste is meant for a field.

/** @param {EventTarget | null} target of the event */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=checkbox], [type=range], [type=file])");
}
